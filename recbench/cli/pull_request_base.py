"""Prints the commit that a pull request is compared with, and fetches it if the clone lacks it.

    python -P -m recbench.cli.pull_request_base --target main [--merge-commit SHA] [--merge-base SHA]

The tip of the target branch is the wrong base: other people's commits since the merge would count as changes of the
pull request. Pipelines of GitHub and GitLab call this program; it imports the standard library and git alone.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress

from recbench.errors import RecbenchError
from recbench.git_commands import GitError, refusal, run_git
from recbench.git_history import Relation, commit_of, descent, is_shallow, merge_base, parents

FETCH_SECONDS = 600
DEEPER = (50, 200, 1000)
"""Commits by which a shallow clone is deepened, step by step; after that, it is made complete."""


def find_base(target: str, merge_commit: str = "", given_merge_base: str = "") -> str:
    """Returns the commit that the pull request at HEAD is compared with.

    - If HEAD is the commit with which the platform has merged the pull request for the test: its first parent.
    - Otherwise the merge base of HEAD and the target branch. The platform's own answer is used unless HEAD is a merge
      commit, which may be such a test merge too.

    Args:
        target: Name of the target branch in the remote ``origin``.
        merge_commit: The platform's merge commit of the pull request; empty if there is none.
        given_merge_base: The merge base as the platform states it; empty if it does not.

    Raises:
        RecbenchError: HEAD is no commit, or the base cannot be fetched.
    """
    head = commit_of("HEAD")
    if head is None:
        raise RecbenchError("HEAD is not a commit.", "Check out the pull request first.")
    before = parents(head)
    if head == commit_of(merge_commit) and before[1:]:
        return _present(before[0])
    if given_merge_base and not before[1:]:
        base = _present(given_merge_base)
        # The report says so if the clone cannot tell whether the base is an ancestor.
        with suppress(GitError):
            _deepen(lambda: descent(base, head).relation is Relation.ANCESTOR, head, base)
        return base
    branch = f"refs/remotes/origin/{target}"
    _fetch(*_depth(), f"+refs/heads/{target}:{branch}")
    _deepen(lambda: merge_base(head, branch) is not None, head, f"refs/heads/{target}")
    ancestor = merge_base(head, branch)
    if ancestor is None:
        raise RecbenchError(
            f"HEAD ({head}) and the branch {target} have no common ancestor in this clone.",
            "Check out the whole history ('fetch-depth: 0' of actions/checkout, GIT_DEPTH=0 on GitLab).",
        )
    return ancestor


def _present(commit: str) -> str:
    """Fetches a commit unless the clone has it."""
    if commit_of(commit) is None:
        _fetch(*_depth(), commit)
    return commit


def _depth() -> list[str]:
    return ["--depth=1"] if is_shallow() else []


def _deepen(is_enough: Callable[[], bool], *refspecs: str) -> None:
    """Fetches older commits of a shallow clone until there are enough, or all."""
    for step in (*(f"--deepen={count}" for count in DEEPER), "--unshallow"):
        if is_enough() or not is_shallow():
            return
        try:
            _fetch(step, *refspecs)
        except GitError:
            # A merge that was made in the job is in no remote repository; its parents may be.
            _fetch(step)


def _fetch(*arguments: str) -> None:
    options = [word for word in arguments if word.startswith("--")]
    refspecs = [word for word in arguments if not word.startswith("--")]
    command = ["fetch", "--quiet", "--no-tags", *options, "origin", *refspecs]
    done = run_git(*command, seconds=FETCH_SECONDS)
    if done.returncode:
        raise refusal(done, command)


def main() -> int:
    """Prints the base; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -P -m recbench.cli.pull_request_base", allow_abbrev=False)
    parser.add_argument("--target", required=True, help="Name of the target branch.")
    parser.add_argument("--merge-commit", default="", help="The platform's merge commit of the pull request.")
    parser.add_argument("--merge-base", default="", help="The merge base, if the platform states it.")
    given = parser.parse_args()
    try:
        base = find_base(given.target, given.merge_commit, given.merge_base)
    except RecbenchError as error:
        sys.stderr.write(f"Error: The base of the pull request is unknown. {error}\n")
        return 2
    sys.stdout.write(f"{base}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
