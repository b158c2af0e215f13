"""Questions about the commits of a repository: parents, ancestors, merge bases. Shallow clones answer what they can."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from recbench.git_commands import git_output, refusal, run_git

SHORT: Final = 12
"""Digits of a commit in a sentence."""


class Relation(StrEnum):
    """How one commit stands to another."""

    ANCESTOR = "ancestor"
    NO_ANCESTOR = "not an ancestor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Descent:
    """Whether a commit is an ancestor of another.

    Attributes:
        relation: The answer. A commit counts as its own ancestor.
        reason: Why the answer is unknown; empty otherwise.
    """

    relation: Relation
    reason: str = ""


def commit_of(revision: str) -> str | None:
    """Returns the commit that a revision names; None if this clone has no such commit.

    Raises:
        GitError: Git cannot be run.
    """
    # Git would read a name that begins with a dash as an option.
    if not revision or revision.startswith("-"):
        return None
    done = run_git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return None if done.returncode else done.stdout.decode().strip()


def parents(commit: str) -> tuple[str, ...]:
    """Returns the parents that a commit names, also those that a shallow clone does not have.

    Raises:
        GitError: Git cannot be run, or has no such commit.
    """
    head = git_output("cat-file", "commit", commit).partition(b"\n\n")[0].decode(errors="replace")
    return tuple(line.removeprefix("parent ") for line in head.split("\n") if line.startswith("parent "))


def is_shallow() -> bool:
    """Whether the clone lacks the history before some commits.

    Raises:
        GitError: Git cannot be run, or the working folder is in no repository.
    """
    return git_output("rev-parse", "--is-shallow-repository").strip() == b"true"


def descent(older: str, newer: str) -> Descent:
    """Returns whether one commit is an ancestor of another.

    A shallow clone lacks commits. It knows an ancestor if no commit between the two is missing.

    Args:
        older: Hash of the commit that may be an ancestor.
        newer: Hash of the other commit.

    Raises:
        GitError: Git cannot be run, or refuses.
    """
    if older == newer:
        return Descent(Relation.ANCESTOR)
    if commit_of(newer) is None:
        return _not_here(newer)
    cut = _cut_parents(newer)
    if older in cut:
        return Descent(Relation.ANCESTOR)
    if commit_of(older) is None:
        return _not_here(older)
    if _is_ancestor(older, newer):
        return Descent(Relation.ANCESTOR)
    if cut and not _is_ancestor(newer, older):
        return Descent(Relation.UNKNOWN, "this clone is shallow; get the other commits with: git fetch --unshallow")
    return Descent(Relation.NO_ANCESTOR)


def merge_base(first: str, second: str) -> str | None:
    """Returns the best common ancestor of two commits; None if this clone has none.

    Raises:
        GitError: Git cannot be run, or refuses.
    """
    arguments = ("merge-base", first, second)
    done = run_git(*arguments)
    if done.returncode not in (0, 1):
        raise refusal(done, arguments)
    return done.stdout.decode().strip() or None


def last_change(commit: str, paths: Sequence[str], folder: Path | None = None) -> str | None:
    """Returns the last commit, up to this one, that changed any of the paths; None if it tracks none of them.

    Args:
        commit: The commit at which the search begins.
        paths: Paths, or git's pathspecs.
        folder: The folder in which git runs; None for the working folder.

    Raises:
        GitError: Git cannot be run, or refuses.
    """
    return git_output("log", "-1", "--format=%H", commit, "--", *paths, folder=folder).decode().strip() or None


def _not_here(commit: str) -> Descent:
    return Descent(Relation.UNKNOWN, f"this clone does not have the commit {commit[:SHORT]}")


def _is_ancestor(older: str, newer: str) -> bool:
    arguments = ("merge-base", "--is-ancestor", older, newer)
    done = run_git(*arguments)
    if done.returncode not in (0, 1):
        raise refusal(done, arguments)
    return done.returncode == 0


def _cut_parents(commit: str) -> set[str]:
    """Returns the parents of the commits at which the history of a commit ends in a shallow clone."""
    if not is_shallow():
        return set()
    listing = Path(git_output("rev-parse", "--git-path", "shallow").decode().strip())
    ends = set(listing.read_text(encoding="ascii").split()) if listing.is_file() else set()
    reached = git_output("rev-list", commit).decode().split()
    return {parent for end in ends.intersection(reached) for parent in parents(end)}
