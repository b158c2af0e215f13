"""What git needs to know about the folder of baselines: how to merge its files, and which files not to commit."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.git_commands import GitError, run_git
from recbench.records.results_folder import BASELINES, HISTORY
from recbench.records.transactions import Transaction


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line that a file of git must have.

    Attributes:
        line: The line.
        decided: Matches a line with which a user has already decided the same question.
        why: A comment for a new line.
    """

    line: str
    decided: re.Pattern[str]
    why: str


_RULES = {
    ".gitattributes": (
        _Rule(
            f"{HISTORY} merge=union",
            re.compile(rf"/?{re.escape(HISTORY)}\s(.*\s)?[-!]?merge\b"),
            "# Both sides of a merge add lines, and both are right. recbench counts a line once and orders lines by "
            "time.",
        ),
        _Rule(
            f"{BASELINES}/**/*.json -merge",
            re.compile(rf"/?({BASELINES}/)?(\*\*/)?\*\.json\s(.*\s)?[-!]?(merge|binary)\b"),
            "# Lines of two records never make one record. After a conflict, the record and its ranks are ours.",
        ),
        _Rule(
            f"{BASELINES}/**/*.npz binary",
            re.compile(rf"/?({BASELINES}/)?(\*\*/)?\*\.npz\s(.*\s)?[-!]?(text|binary)\b"),
            "# Ranks are not text: other line ends would damage them.",
        ),
    ),
    ".gitignore": (
        _Rule(
            "*.lock",
            re.compile(r"!?(\*\*/)?\*?\.lock\s*$"),
            "# recbench locks a folder while it writes records.",
        ),
    ),
}


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
    return [folder / name for name, rules in _RULES.items() if _add(folder / name, rules, files)]


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


def _add(path: Path, rules: Sequence[_Rule], files: Transaction) -> bool:
    try:
        # Bytes: what a user wrote in any encoding, with any line ends, must not change.
        present = path.read_bytes() if path.exists() else b""
    except OSError as error:
        needed = "; ".join(rule.line for rule in rules)
        raise RecbenchError(
            f"Cannot read {path}: {error.strerror}.", f"Git needs a file there, with these lines: {needed}"
        ) from error
    known = present.decode("utf-8", errors="replace").splitlines()
    missing = [rule for rule in rules if not any(rule.decided.match(line) for line in known)]
    if missing:
        end = b"\r\n" if b"\r\n" in present else b"\n"
        before = present + (end if present and not present.endswith(b"\n") else b"")
        lines = [text for rule in missing for text in (rule.why, rule.line)]
        files.write(path, before + end.join([*(line.encode() for line in lines), b""]))
    return bool(missing)
