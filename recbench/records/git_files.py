"""What git needs to know about the folder of baselines: how to merge the history, and which files not to commit."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.git_commands import GitError, run_git
from recbench.records.results_folder import HISTORY
from recbench.records.transactions import Transaction


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line that a file of git must have.

    Attributes:
        name: The file.
        line: The line.
        decided: Matches a line with which a user has already decided the same question.
        why: A comment for a new file.
    """

    name: str
    line: str
    decided: re.Pattern[str]
    why: str


_RULES = (
    _Rule(
        ".gitattributes",
        f"{HISTORY} merge=union",
        re.compile(rf"/?{re.escape(HISTORY)}\s(.*\s)?[-!]?merge\b"),
        "# Both sides of a merge add lines, and both are right. recbench counts a line once and orders lines by time.",
    ),
    _Rule(
        ".gitignore",
        "*.lock",
        re.compile(r"!?(\*\*/)?\*?\.lock\s*$"),
        "# recbench locks a folder while it writes records.",
    ),
)


def write_git_files(folder: Path, files: Transaction) -> list[Path]:
    """Adds the missing lines to ``.gitattributes`` and ``.gitignore`` of a folder; all other lines stay as they are.

    Args:
        folder: The folder that holds the history and the baselines.
        files: Takes the changes.

    Returns:
        The files that will be written.

    Raises:
        RecbenchError: A file cannot be read or written.
    """
    return [folder / rule.name for rule in _RULES if _add(folder / rule.name, rule, files)]


def ignored_files(folder: Path) -> list[Path]:
    """Returns the files of a folder that git would not commit, sorted; none outside of a repository or without git.

    Locks do not count.

    Args:
        folder: A folder of records.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    try:
        done = run_git("check-ignore", "-z", "--stdin", given=b"".join(os.fsencode(file) + b"\0" for file in files))
    except GitError:
        return []
    return [Path(os.fsdecode(name)) for name in done.stdout.split(b"\0") if name]


def _add(path: Path, rule: _Rule, files: Transaction) -> bool:
    try:
        # Bytes: what a user wrote in any encoding, with any line ends, must not change.
        present = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise RecbenchError(
            f"Cannot read {path}: {error.strerror}.", f"Git needs a file there, with the line: {rule.line}"
        ) from error
    if any(rule.decided.match(line) for line in present.decode("utf-8", errors="replace").splitlines()):
        return False
    end = b"\r\n" if b"\r\n" in present else b"\n"
    before = present + (end if present and not present.endswith(b"\n") else b"")
    files.write(path, before + end.join([rule.why.encode(), rule.line.encode(), b""]))
    return True
