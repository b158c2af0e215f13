"""Commits what ``recbench baseline accept`` has changed, and pushes it to a branch.

    python -P -m recbench.cli.push_baseline --branch main

A pipeline on main calls this program after a merge. It imports the standard library and git alone. Other people may
push meanwhile: the commit is then put on top of theirs. If they have changed the baselines, nothing is pushed, for the
job of their commit accepts newer results.
"""

import argparse
import sys
from collections.abc import Sequence

from recbench.errors import RecbenchError
from recbench.git_commands import GitError, git_output, refusal, run_git
from recbench.git_history import SHORT, Relation, commit_of, descent
from recbench.records.results_folder import BASELINES, HISTORY, results_folder

ATTEMPTS = 5
SECONDS = 600
"""Time limit of a fetch or push."""
NOTHING = "Nothing is pushed"


def push_baseline(branch: str) -> str:
    """Commits the accepted baselines on top of HEAD, and pushes the commit.

    Args:
        branch: Name of the branch in the remote ``origin`` whose commit is checked out.

    Returns:
        What happened, in a sentence.

    Raises:
        RecbenchError: HEAD is no commit or not in the branch, or git refuses to commit or to push.
    """
    tested = commit_of("HEAD")
    if tested is None:
        raise RecbenchError("HEAD is not a commit.", f"Check out the branch {branch} first.")
    paths = _paths()
    git_output("add", "--all", "--", *paths)
    if not run_git("diff", "--cached", "--quiet", "--", *paths).returncode:
        return f"{NOTHING}: the accepted baselines have not changed."
    # Most platforms start no pipeline for a commit with these words: it would accept again.
    message = f"Accept the baselines of {tested[:SHORT]} [skip ci]"
    git_output(*_identity(), "commit", "--quiet", f"--message={message}", "--", *paths)
    for _ in range(ATTEMPTS):
        command = ("push", "--porcelain", "origin", f"HEAD:refs/heads/{branch}")
        pushed = run_git(*command, seconds=SECONDS)
        if not pushed.returncode:
            return f"Pushed to {branch}: {message}"
        if b"[rejected]" not in pushed.stdout and b"cannot lock ref" not in pushed.stdout + pushed.stderr:
            raise _refused(branch, pushed.stdout, refusal(pushed, command))
        tip = _fetched(branch)
        if descent(tested, tip).relation is Relation.NO_ANCESTOR:
            raise RecbenchError(
                f"The branch {branch} no longer has the commit {tested[:SHORT]}.",
                "Its history was rewritten. Start the pipeline of its last commit.",
            )
        if run_git("diff", "--quiet", tested, tip, "--", *paths).returncode:
            return (
                f"{NOTHING}: the baselines of {branch} have changed since {tested[:SHORT]}, by a later job or commit."
            )
        git_output(*_identity(), "rebase", "--quiet", "--autostash", tip)
    raise RecbenchError(f"Others pushed to {branch} during each of {ATTEMPTS} attempts.", "Start the job again.")


def _paths() -> list[str]:
    """Returns what an acceptance writes, and no other results."""
    folder = results_folder()
    names = (BASELINES, HISTORY, ".gitattributes", ".gitignore")
    paths = [str(folder / name) for name in names if (folder / name).exists()]
    if not paths:
        raise RecbenchError("There are no accepted baselines.", "Accept a run: recbench baseline accept RUN")
    return paths


def _identity() -> Sequence[str]:
    """Returns options that say who commits, if git does not know."""
    if not run_git("var", "GIT_COMMITTER_IDENT").returncode:
        return ()
    return ("-c", "user.name=recbench", "-c", "user.email=recbench@localhost")


def _fetched(branch: str) -> str:
    """Fetches a branch; returns its last commit."""
    command = ("fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{branch}")
    done = run_git(*command, seconds=SECONDS)
    if done.returncode:
        raise refusal(done, command)
    return git_output("rev-parse", "--verify", "FETCH_HEAD^{commit}").decode().strip()


def _refused(branch: str, output: bytes, error: GitError) -> RecbenchError:
    """Returns the error for a push that the platform refuses."""
    lines = [line.split("\t")[-1] for line in output.decode(errors="replace").splitlines() if line.startswith("!")]
    return RecbenchError(
        f"The push to {branch} was refused: {'; '.join(lines) or error.message}",
        "Let the job's token write to the branch: 'permissions: contents: write' on GitHub, a project access token "
        "with 'write_repository' on GitLab; and allow it to push if the branch is protected.",
    )


def main() -> int:
    """Pushes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -P -m recbench.cli.push_baseline", allow_abbrev=False)
    parser.add_argument("--branch", required=True, help="Name of the branch in origin whose commit is checked out.")
    given = parser.parse_args()
    try:
        message = push_baseline(given.branch)
    except RecbenchError as error:
        sys.stderr.write(f"Error: The accepted baselines are not pushed. {error}\n")
        return 2
    sys.stdout.write(f"{message}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
