"""How a long command ends when it is interrupted: at once, with what is kept and how to continue."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from recbench.cli.shared.terminal import ExitCode
from recbench.escaping.shell import shell_command
from recbench.progress.console import messages
from recbench.records.interruption import Terminated, ignore_interruptions, interruption_behind

if TYPE_CHECKING:
    from recbench.progress.choice import Progress
    from recbench.trials.events import Event


@dataclass(slots=True)
class TrialCount:
    """How far a command has come.

    Attributes:
        folder: Where the records are; None if they are removed at the end.
        planned: Trials.
        kept: Trials that are done and have their records.
    """

    folder: Path | None
    planned: int = 0
    kept: int = 0

    def of(self, progress: "Progress") -> "Progress":
        """Returns the same progress, which also counts the trials here."""
        return _Counted(self, progress)


class _Counted:
    def __init__(self, count: TrialCount, progress: "Progress") -> None:
        self._count, self._progress = count, progress

    def on_event(self, event: "Event") -> None:
        """Counts planned and complete trials."""
        # Here, for --help must not load it.
        from recbench.trials.events import EventKind

        if event.kind is EventKind.PLANNED:
            self._count.planned, self._count.kept = event.total, event.done
        elif event.kind is EventKind.ENDED:
            self._count.kept += event.kept
        self._progress.on_event(event)

    def close(self) -> None:
        """Closes the progress."""
        self._progress.close()


@contextmanager
def interruption_message(folder: Path | None) -> Iterator[TrialCount]:
    """Turns an interruption of the block into a message and an exit code.

    Args:
        folder: Where the records are; None if they are removed at the end.

    Raises:
        typer.Exit: The block was interrupted.
    """
    count = TrialCount(folder)
    try:
        yield count
    # Of any class, for an interruption may have become another error.
    except (KeyboardInterrupt, Exception) as error:
        interruption = interruption_behind(error)
        if interruption is None:
            raise
        ignore_interruptions()
        messages().print(_what_is_kept(count))
        raise typer.Exit(exit_code(interruption)) from None


def exit_code(interruption: KeyboardInterrupt) -> ExitCode:
    """Returns the exit code of a command that is interrupted."""
    return ExitCode.TERMINATED if isinstance(interruption, Terminated) else ExitCode.INTERRUPTED


def _what_is_kept(count: TrialCount) -> str:
    # What --force repeated is not to be repeated again.
    again = shell_command(["recbench", *(argument for argument in sys.argv[1:] if argument != "--force")])
    if count.folder is None:
        return "Interrupted. No trial is kept. To be able to resume, use -o FOLDER."
    kept = f"{count.kept} of {count.planned} trials are kept in {count.folder}" if count.planned else "No trial ran"
    return f"Interrupted. {kept}. Resume with:\n  {again}"
