"""Ranges of commits, such as ``v1.0..main``, along the first parents: the states that a branch itself has had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.git_commands import git_output
from recbench.git_history import SHORT, Relation, commit_of, descent

EXAMPLE: Final = "For example: v1.0..main"
SHOWN: Final = 9
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a branch.

    Attributes:
        sha: Its hash.
        moment: When it was made, UTC; later than that of the commit before it, also where clocks were wrong.
        subject: The first line of its message.
    """

    sha: str
    moment: datetime
    subject: str

    @property
    def short(self) -> str:
        """The first digits of its hash, as tables show it."""
        return self.sha[:SHOWN]


def find_commit(revision: str) -> str:
    """Returns the commit that a revision names.

    Raises:
        RecbenchError: This clone has no such commit.
        GitError: The working folder is in no repository.
    """
    sha = commit_of(revision)
    if sha is None:
        # Outside of a repository, git knows no revision at all.
        git_output("rev-parse", "--git-dir")
        raise RecbenchError(
            f"git knows no revision {revision!r}.",
            "See 'git branch -a' and 'git tag'; a shallow clone lacks history: git fetch --unshallow --tags",
        )
    return sha


def commits_in(text: str) -> list[Commit]:
    """Returns the commits of a range ``OLD..NEW``, without OLD, the oldest first. No NEW means HEAD.

    Only first parents count: of a branch that was merged, the merge commit is there, and its own commits are not.

    Raises:
        RecbenchError: The text is no range, a revision is unknown, or a shallow clone lacks a part of the range.
        NothingToCompareError: The range is empty.
    """
    old, dots, new = text.partition("..")
    if not (dots and old) or new.startswith("."):
        raise RecbenchError(f"{text!r} is not a range of commits OLD..NEW.", EXAMPLE)
    commits = commits_between(find_commit(old), find_commit(new or "HEAD"))
    if not commits:
        backwards = commits_between(find_commit(new or "HEAD"), find_commit(old))
        hint = f"Did you mean {new or 'HEAD'}..{old}?" if backwards else "Both name the same commit."
        raise NothingToCompareError(f"There is no commit in {text}.", hint)
    return commits


def commits_between(old: str, new: str) -> list[Commit]:
    """Returns the commits from one, without it, up to another, the oldest first; see ``commits_in``.

    Args:
        old: The hash of a commit.
        new: Likewise.

    Raises:
        RecbenchError: A shallow clone lacks a part of the range.
    """
    known = descent(old, new)
    if known.relation is Relation.UNKNOWN:
        raise RecbenchError(
            f"The commits between {old[:SHORT]} and {new[:SHORT]} are not known: {known.reason}.",
            "Get them: git fetch --unshallow --tags",
        )
    hashes = set(git_output("rev-list", "--first-parent", f"{old}..{new}").decode().split())
    return [commit for commit in commits_up_to(new) if commit.sha in hashes]


def every(commits: Sequence[Commit], step: int) -> list[Commit]:
    """Returns every so many commits, counted from the oldest, and the newest one.

    A range that ends later has the same commits and more.
    """
    return [commit for place, commit in enumerate(commits, start=1) if place % step == 0 or place == len(commits)]


def commits_up_to(new: str) -> list[Commit]:
    """Returns all commits up to one, by first parents, the oldest first."""
    # With zeros between commits: a subject holds any character but these, also those at which splitlines ends lines.
    listing = git_output("log", "--first-parent", "--reverse", "-z", "--format=%H %ct %s", new).decode(errors="replace")
    # All of them, for moments must not depend on where a range begins.
    before = datetime.min.replace(tzinfo=UTC)
    commits = []
    for entry in filter(None, listing.split("\0")):
        sha, seconds, subject = [*entry.split(" ", 2), ""][:3]
        before = max(datetime.fromtimestamp(int(seconds), UTC), before + _TICK)
        commits.append(Commit(sha, before, subject))
    return commits
