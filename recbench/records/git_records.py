"""Records as they were in a git revision. The work tree and the index are never touched."""

import contextlib
import io
import json
import posixpath
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recbench.errors import NoBaselineError, NothingToCompareError, RecbenchError, did_you_mean
from recbench.git_commands import GitError, git_output, refusal, run_git
from recbench.git_history import SHORT
from recbench.records.results_folder import BASELINES, HISTORY

RECORD_FILES = (".json", ".npz")
NO_PATH = re.compile(rb"does not exist in|exists on disk, but not in|Not a valid object name")
_LABEL_FOLDER = re.compile(rf"(?P<results>(?:.*/)?){BASELINES}/(?P<task>[^/]+)/(?P<label>[^/]+)")
REGULAR_MODES = ("100644", "100755")
NAMED = 10
"""More labels or tasks than these are counted, not named."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Files of a revision, copied out.

    Attributes:
        folder: The temporary folder that they lie in.
        file: The name in it, if the path was that of one file.
        sha: The commit.
        path: The path as the user wrote it.
        place: The path from the root of the repository.
    """

    folder: Path
    file: str | None
    sha: str
    path: str
    place: str


@contextlib.contextmanager
def checked_out(text: str) -> Iterator[Checkout]:
    """Yields the records at ``REV:PATH``, in a folder that is gone afterwards.

    Args:
        text: A revision, a colon, and a folder or a record; the path starts at the root of the repository, or, after
            ``./``, at the working folder, as everywhere in git.

    Raises:
        RecbenchError: There is no git or repository, or no such revision.
        NothingToCompareError: The revision has no such path.
    """
    revision, _, path = text.partition(":")
    path = path.rstrip("/")
    try:
        git_output("rev-parse", "--git-dir")
    except GitError as error:
        raise GitError(
            f"{text!r} names a git revision, and git cannot read it. {error.message}",
            f"{error.hint}\nOr give a folder of records.",
        ) from error
    # No name of a revision begins with a dash: git would take it for an option.
    is_name = revision and not revision.startswith("-")
    commit = run_git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") if is_name else None
    if commit is None or commit.returncode:
        raise RecbenchError(
            f"git knows no revision {revision!r}.",
            "See 'git branch -a' and 'git tag'; a shallow clone lacks history: git fetch --unshallow.",
        )
    sha = commit.stdout.decode().strip()
    asked = ("cat-file", "-t", f"{sha}:{path}")
    kind = run_git(*asked)
    if kind.returncode and not NO_PATH.search(kind.stderr):
        raise refusal(kind, asked)
    if kind.returncode:
        message = f"Revision {revision} has no {path}."
        hint = "The path starts at the root of the repository; ./PATH starts here. Is the baseline committed there?"
        if _never_accepted(sha, _from_root(path)):
            alternatives = _alternatives(sha, _from_root(path))
            raise NoBaselineError(message, alternatives or hint, alternatives)
        raise NothingToCompareError(message, hint)
    is_file = kind.stdout.decode().strip() == "blob"
    # Not PurePosixPath.parent: it drops the ./ without which git starts at the root.
    parent = path.rpartition("/")[0] if is_file else path
    parent = f"{parent}/" if parent in (".", "..") else parent
    with tempfile.TemporaryDirectory(prefix="recbench-") as name:
        _copy(f"{sha}:{parent}", Path(name))
        yield Checkout(Path(name), PurePosixPath(path).name if is_file else None, sha, path, _from_root(path))


def _never_accepted(commit: str, path: str) -> bool:
    """Whether a path is that of a label under which nothing was accepted up to a commit, as its history says."""
    label = _LABEL_FOLDER.fullmatch(path)
    if label is None:
        return False
    history = run_git("cat-file", "blob", f"{commit}:{label['results']}{HISTORY}")
    lines = history.stdout.splitlines() if history.returncode == 0 else []
    return not any(_is_of(line, label["task"], label["label"]) for line in lines)


def _alternatives(commit: str, path: str) -> str:
    """Returns the labels that the task of a label has at a commit, and what to do; empty if there are no baselines.

    A label that was never accepted is either new or misspelled. Only the names that exist show which it is.
    """
    asked = _LABEL_FOLDER.fullmatch(path)
    if asked is None:
        return ""
    baselines, task, label = f"{asked['results']}{BASELINES}", asked["task"], asked["label"]
    short = commit[:SHORT]
    if labels := _folders(commit, f"{baselines}/{task}"):
        return (
            f"Labels of {task} at {short}: {_listed(labels)}.{did_you_mean(label, labels)} "
            "Correct the label, or accept a first baseline after the merge."
        )
    if tasks := [name for name in _folders(commit, baselines) if _folders(commit, f"{baselines}/{name}")]:
        return (
            f"{task} has no baseline at {short}; tasks with one: {_listed(tasks)}.{did_you_mean(task, tasks)} "
            "Correct the task, or accept a first baseline after the merge."
        )
    return ""


def _folders(commit: str, path: str) -> list[str]:
    """Returns the names of the folders in a folder of a commit; none if there is no such folder."""
    listing = run_git("ls-tree", "-d", "-z", "--name-only", f"{commit}:{path}")
    names = listing.stdout.split(b"\0") if listing.returncode == 0 else []
    return [name.decode("utf-8", "replace") for name in names if name]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _is_of(line: bytes, task: str, label: str) -> bool:
    try:
        accepted = json.loads(line)
    except ValueError:
        # What the line says is not known: it may be of this label.
        return bool(line.strip())
    return isinstance(accepted, dict) and (accepted.get("task"), accepted.get("label")) == (task, label)


def _from_root(path: str) -> str:
    """Returns a path of git as it is from the root of the repository: one that starts with a dot is relative."""
    if path.partition("/")[0] not in (".", ".."):
        return path
    prefix = git_output("rev-parse", "--show-prefix").decode(errors="surrogateescape").rstrip("\n")
    whole = posixpath.normpath(prefix + path)
    return "" if whole == "." else whole


def _copy(tree: str, folder: Path) -> None:
    """Copies the records of one tree: its own regular files and no links or folders, so that nothing gets out of it."""
    hashes = {}
    for line in git_output("ls-tree", "-z", "--full-tree", tree).split(b"\0"):
        described, _, name = line.decode("utf-8", "surrogateescape").partition("\t")
        mode, _, hashed = described.partition(" blob ")
        if mode in REGULAR_MODES and name.endswith(RECORD_FILES) and PurePosixPath(name).name == name:
            hashes[name] = hashed
    # One process for all files; of each comes a line that ends with its size, its bytes, and a line feed.
    content = git_output("cat-file", "--batch", given="".join(f"{hashed}\n" for hashed in hashes.values()).encode())
    stream = io.BytesIO(content)
    for name in hashes:
        size = stream.readline().split()[-1]
        if not size.isdigit():
            raise RecbenchError(
                f"git has no content of {name} in {tree}.", "The repository may be incomplete. Check it: git fsck"
            )
        (folder / name).write_bytes(stream.read(int(size)))
        stream.readline()
