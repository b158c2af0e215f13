"""The revisions that an A/B comparison names, and what of the user's checkout is in none of them."""

from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError
from recbench.git_commands import git_output
from recbench.git_history import commit_of, is_shallow

MOST_NAMED: Final = 3


def find_revision(revision: str, name: str) -> str:
    """Returns the commit that a revision names; a folder or a label of records of that name does not matter.

    Args:
        revision: A branch, a tag, a hash, or ``HEAD~2``.
        name: What the command line calls it.

    Raises:
        RecbenchError: This clone has no such commit, or there is no repository.
    """
    git_output("rev-parse", "--show-toplevel")
    commit = commit_of(revision)
    if commit is not None:
        return commit
    if is_shallow():
        hint = "This clone is shallow and lacks older commits. Get them: git fetch --unshallow --tags"
    elif Path(revision).exists():
        hint = f"{revision} is a file or folder. To compare records: recbench gate BASE CURRENT"
    else:
        hint = "Give a branch, a tag or a commit. List them: git branch --all; git tag. Get more: git fetch"
    raise RecbenchError(f"{name} {revision!r} is not a revision of this git repository.", hint)


def changed_files() -> str:
    """Returns the tracked files that differ from the commit of the user's checkout, the first few by name."""
    lines = git_output("status", "--porcelain", "--untracked-files=no").decode(errors="replace").splitlines()
    names = [line[3:] for line in lines]
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else "")
