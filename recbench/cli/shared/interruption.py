"""How ``recbench run`` ends when it is interrupted: at once, saying what is kept and how to go on."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from recbench.cli.shared.terminal import ExitCode
from recbench.progress.console import messages
from recbench.records.interruption import Terminated, ignore_interruptions, interruptible


@dataclass(slots=True)
class Tally:
    """How far a run has come.

    Attributes:
        folder: Where the records are.
        planned: Trials.
        kept: Trials that are done and have their records.
    """

    folder: Path
    planned: int = 0
    kept: int = 0


@contextmanager
def told_when_interrupted(folder: Path) -> Iterator[Tally]:
    """Turns an interruption of the block into a message and an exit code.

    Args:
        folder: Where the records are.

    Raises:
        typer.Exit: The block was interrupted.
    """
    tally = Tally(folder)
    with interruptible():
        try:
            yield tally
        except KeyboardInterrupt as interruption:
            ignore_interruptions()
            messages().print(_what_is_kept(tally), markup=False)
            code = ExitCode.TERMINATED if isinstance(interruption, Terminated) else ExitCode.INTERRUPTED
            raise typer.Exit(code) from None


def _what_is_kept(tally: Tally) -> str:
    # What --force repeated is not to be repeated again.
    again = shlex.join(["recbench", *(argument for argument in sys.argv[1:] if argument != "--force")])
    kept = f"{tally.kept} of {tally.planned} trials are kept in {tally.folder}" if tally.planned else "No trial ran"
    return f"Interrupted. {kept}. Go on with:\n  {again}"
