"""Work trees of commits: the files of a commit in a temporary folder. The user's work tree and index stay as they are.

The folders lie in the folder ``.git`` of the repository: on the same file system, and out of the way of other tools.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError
from recbench.git_commands import OF_WORK_TREE, GitError, git_output, run_git
from recbench.git_history import SHORT
from recbench.temporary_files import remove_leftovers, temporary_folder

FOLDER: Final = "recbench-trees"
SECONDS: Final = 1800
"""A checkout of a large repository takes longer than other commands of git."""

SUBMODULE: Final = "160000"
_NO_HOOKS: Final = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")
_CAUSE: Final = re.compile(r"(?:fatal|error): (.*)")
_NO_ROOM: Final = ("No space left on device", "Disk quota exceeded")
_adding = threading.Lock()


class WorkTreeError(RecbenchError):
    """The work tree of a commit cannot be made."""


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The files of a commit.

    Attributes:
        commit: The commit.
        root: The folder that holds them.
        repository: The top folder of the user's own work tree.
        prefix: The working folder, relative to the top folder.
    """

    commit: str
    root: Path
    repository: Path
    prefix: str

    @property
    def working_folder(self) -> Path:
        """The folder that stands for the working folder."""
        return self.root / self.prefix

    def in_tree(self, path: Path) -> Path | None:
        """Returns what stands for a path of the user's work tree; None for a path outside of it."""
        resolved, top = path.resolve(), self.repository.resolve()
        return self.root / resolved.relative_to(top) if resolved.is_relative_to(top) else None


@contextmanager
def work_tree(commit: str) -> Iterator[WorkTree]:
    """Yields the work tree of a commit, with the submodules that are checked out here, and removes it after the block.

    No hook of the repository runs. Several threads and processes may make work trees at a time.

    Args:
        commit: The hash of the commit.

    Raises:
        GitError: Git cannot be run, or the working folder is in no work tree of a repository.
        WorkTreeError: The work tree cannot be made, or the commit does not have the working folder.
    """
    repository = Path(_line(git_output("rev-parse", "--show-toplevel")))
    prefix = _line(git_output("rev-parse", "--show-prefix"))
    trees = _trees_folder()
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary_folder(trees))
        except OSError as error:
            raise _not_made(commit, error.strerror or str(error)) from error
        root = folder / commit[:SHORT]
        made: list[tuple[Path, Path]] = []
        try:
            _add(repository, commit, root, made)
            if not (root / prefix).is_dir():
                raise WorkTreeError(
                    f"The commit {commit[:SHORT]} has no folder {prefix.rstrip('/')}.",
                    f"Run the command in a folder that the commit has, such as {repository}.",
                )
            yield WorkTree(commit, root, repository, prefix)
        finally:
            for source, tree in reversed(made):
                _forget(source, tree)


def _trees_folder() -> Path:
    # Git names a work tree by its path with links resolved.
    common = Path(_line(git_output("rev-parse", "--git-common-dir"))).resolve()
    folder = common / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkTreeError(
            f"Cannot make the folder {folder}, which holds work trees of commits: {error.strerror}.",
            "Work trees of commits need a repository that can be written to, and space on its disk.",
        ) from error
    remove_leftovers(folder)
    # Of processes that were killed, git still knows the work trees.
    for line in git_output("worktree", "list", "--porcelain").decode(errors="surrogateescape").split("\n"):
        tree = Path(line.removeprefix("worktree "))
        if line.startswith("worktree ") and tree.parent.parent == folder and not tree.exists():
            _forget(Path.cwd(), tree)
    return folder


def _add(repository: Path, commit: str, root: Path, made: list[tuple[Path, Path]]) -> None:
    """Adds a work tree and those of its submodules; notes each, also one that is not complete."""
    made.append((repository, root))
    # Git looks for a free name in its list of work trees without a lock.
    with _adding:
        done = run_git(
            *(*_NO_HOOKS, "worktree", "add", "--detach", "--force", str(root), commit),
            folder=repository,
            seconds=SECONDS,
            # In a hook, it names the index of the user's work tree. In a submodule, all of them are of another one.
            unset=OF_WORK_TREE if len(made) > 1 else ("GIT_INDEX_FILE",),
        )
    if done.returncode:
        text = done.stderr.decode(errors="replace")
        causes = [match[1] for line in text.splitlines() if (match := _CAUSE.fullmatch(line.strip()))]
        causes = [line for line in text.splitlines() if "git-lfs" in line] + causes
        # The last one says only that the checkout failed; the first one why.
        why = causes[0] if causes else text.strip() or f"git ended with {done.returncode}"
        raise _not_made(commit, _lack_of_room(repository, commit, root.parent) or why)
    for path, pinned in _submodules(root):
        source = repository / path
        if (source / ".git").exists():
            if run_git("cat-file", "-e", f"{pinned}^{{commit}}", folder=source, unset=OF_WORK_TREE).returncode:
                raise WorkTreeError(
                    f"The submodule {path} does not have the commit {pinned[:SHORT]}, which {commit[:SHORT]} needs.",
                    f"Get it: git -C {path} fetch",
                )
            _add(source, pinned, root / path, made)


def _submodules(tree: Path) -> Iterator[tuple[str, str]]:
    """Yields the path and the commit of each submodule of a work tree."""
    listing = run_git("ls-tree", "-r", "-z", "--full-tree", "HEAD", folder=tree, unset=OF_WORK_TREE)
    for line in listing.stdout.split(b"\0"):
        described, _, name = line.partition(b"\t")
        if described.startswith(SUBMODULE.encode()):
            yield os.fsdecode(name), described.split(b" ")[2].decode()


def _lack_of_room(repository: Path, commit: str, folder: Path) -> str:
    """Returns that a folder has no room for the files of a commit: git says only that a file cannot be written."""
    listing = run_git("ls-tree", "-r", "-l", "-z", "--full-tree", commit, folder=repository)
    sizes = [line.partition(b"\t")[0].split()[-1] for line in listing.stdout.split(b"\0") if line]
    needed = sum(int(size) for size in sizes if size.isdigit())
    free = shutil.disk_usage(folder).free
    if needed < free:
        return ""
    return f"{_NO_ROOM[0]}: its files need {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free"


def _not_made(commit: str, why: str) -> WorkTreeError:
    advice = f"See what git says: git worktree add --detach ../tree-{commit[:SHORT]} {commit[:SHORT]}"
    if any(words in why for words in _NO_ROOM):
        advice = "Free some space on the disk of the repository: work trees lie in its folder .git."
    elif "git-lfs" in why:
        advice = "The repository uses Git LFS. Install git-lfs (https://git-lfs.com), and get its files: git lfs fetch"
    return WorkTreeError(f"The work tree of {commit[:SHORT]} cannot be made: {why.rstrip('.')}.", advice)


def _forget(repository: Path, tree: Path) -> None:
    """Lets git remove a work tree."""
    # What stays behind is removed with the temporary folder, and git forgets it the next time.
    with suppress(GitError):
        run_git(
            *("worktree", "remove", "--force", "--force", str(tree)),
            folder=repository,
            seconds=SECONDS,
            unset=OF_WORK_TREE if (repository / ".git").exists() else (),
        )


def _line(output: bytes) -> str:
    return os.fsdecode(output).rstrip("\n")
