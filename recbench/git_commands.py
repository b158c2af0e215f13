"""git: one function that runs it, and what it means when it refuses."""

import os
import re
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_command, shell_word

SECONDS: Final = 60
BAD_USAGE: Final = 129
"""The exit code of git for options that it does not know."""

_OF_ANOTHER_USER: Final = re.compile(r"dubious ownership|unsafe repository")
_NEWER_REPOSITORY: Final = re.compile(r"unknown repository extension|[Ee]xpected git repo version|unknown ref storage")
_QUOTED: Final = re.compile(r"'([^']+)'")
_ENVIRONMENT: Final = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
"""Messages in English, no writes to the index, and no question to a user who does not see it."""

OF_WORK_TREE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
"""Variables with which git calls a hook. They name the repository and the index of one work tree."""


class GitError(RecbenchError):
    """Git cannot be run, or refuses.

    Args:
        message: The cause.
        hint: What to do next.
        is_outside: Whether the cause is only that the folder is in no repository.
    """

    def __init__(self, message: str, hint: str, *, is_outside: bool = False) -> None:
        super().__init__(message, hint)
        self.is_outside = is_outside


def git_output(*arguments: str, given: bytes = b"", folder: Path | None = None) -> bytes:
    """Returns what a git command writes.

    Args:
        arguments: Of git.
        given: What it reads from its standard input.
        folder: Where it runs; None for the working folder.

    Raises:
        GitError: It cannot be run, fails, or takes too long; the message names the cause.
    """
    done = run_git(*arguments, given=given, folder=folder)
    if done.returncode:
        raise refusal(done, arguments, folder)
    return done.stdout


def run_git(
    *arguments: str,
    given: bytes = b"",
    folder: Path | None = None,
    seconds: float | None = None,
    unset: Collection[str] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Runs a git command, whatever its exit code is; see ``git_output``.

    Args:
        arguments: Arguments of git.
        given: What git reads from its standard input.
        folder: The folder in which git runs; None for the working folder.
        seconds: Time limit; None for ``SECONDS``.
        unset: Environment variables that git must not see.

    Raises:
        GitError: It cannot be run, or takes too long.
    """
    seconds = SECONDS if seconds is None else seconds
    try:
        return subprocess.run(
            ["git", *arguments],
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in unset} | _ENVIRONMENT,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(
            f"git {arguments[0]} did not end within {seconds:g} s.",
            f"Find out what takes so long: GIT_TRACE=1 {shell_command(['git', *arguments])}",
        ) from error
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on the PATH.", "Install git: https://git-scm.com") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GitError(f"git cannot be run: {reason}.", "Check it: git --version") from error


def refusal(done: subprocess.CompletedProcess[bytes], arguments: Sequence[str], folder: Path | None = None) -> GitError:
    """Returns the error for a git command that has failed; it names the cause.

    Args:
        done: The command.
        arguments: Its arguments.
        folder: Where it ran.
    """
    text = done.stderr.decode(errors="replace").strip()
    first = text.splitlines()[0].removeprefix("fatal: ").rstrip(".") if text else f"exit code {done.returncode}"
    if _OF_ANOTHER_USER.search(text):
        named = _QUOTED.search(text)
        place = named[1] if named else str(folder or Path.cwd())
        return GitError(
            f"git refuses to read the repository {place}, because it belongs to another user ({first}).",
            f"If you trust it: git config --global --add safe.directory {shell_word(place)}",
        )
    if _NEWER_REPOSITORY.search(text):
        return GitError(f"This git is too old for the repository: {first}.", "Update git; see: git --version")
    if done.returncode == BAD_USAGE:
        return GitError(
            f"This git does not know a command that recbench needs, and may be too old: git {arguments[0]}: {first}.",
            "Update git; see: git --version",
        )
    if "not a git repository" in text:
        return _no_repository(first, folder or Path.cwd())
    return GitError(f"git {arguments[0]} failed: {first}.", f"See: {shell_command(['git', *arguments])}")


def _no_repository(first: str, folder: Path) -> GitError:
    """Git says the same of a folder outside of any repository and of a repository that it cannot read."""
    if "GIT_DIR" in os.environ:
        return GitError(
            f"The environment variable GIT_DIR names no git repository: {os.environ['GIT_DIR']}.", "Unset it."
        )
    here = folder.absolute()
    present = next((above / ".git" for above in (here, *here.parents) if os.path.lexists(above / ".git")), None)
    if present is not None:
        return GitError(
            f"git does not accept {present} as a repository: {first}. It may be damaged, or belong to a worktree or "
            "submodule whose repository has been moved.",
            "Clone the repository again, or repair it: git worktree repair; git fsck. "
            f"Look at it: ls -la {shell_word(present)}",
        )
    return GitError(f"{here} is not in a git repository.", "Run the command in the repository.", is_outside=True)
