"""Which kind of progress fits the place where a run is watched."""

from typing import Protocol

from recbench.progress.bars import Bars
from recbench.progress.console import animated, in_notebook, write_nothing
from recbench.progress.notebook import NotebookLine
from recbench.progress.run import RunLines
from recbench.progress.tuning import TuningLines
from recbench.trials.events import Event
from recbench.tuning.past import Budget


class Progress(Protocol):
    """Follows a run and shows it."""

    def on_event(self, event: Event) -> None:
        """Shows an event."""
        ...

    def close(self) -> None:
        """Removes what is only shown during the run."""
        ...


class PlainLines:
    """Progress as lines only.

    Args:
        lines: Writes the lines.
    """

    def __init__(self, lines: RunLines | TuningLines) -> None:
        self.on_event = lines.on_event

    def close(self) -> None:
        """Leaves the lines in place."""


class NoProgress:
    """Shows nothing."""

    def on_event(self, event: Event) -> None:
        """Ignores the event."""

    def close(self) -> None:
        """Does nothing."""


def run_progress(*, quiet: bool = False) -> Progress:
    """Returns the progress of a run: one updated line in a notebook, bars in a terminal, lines elsewhere.

    Args:
        quiet: Whether to show nothing.
    """
    if quiet:
        return NoProgress()
    if in_notebook():
        return NotebookLine(RunLines(write=write_nothing))
    return Bars(RunLines(during=False)) if animated() else PlainLines(RunLines())


def tuning_progress(budget: Budget, *, quiet: bool = False) -> Progress:
    """Returns the progress of a tuning; see ``run_progress``.

    Args:
        budget: Of each model.
        quiet: Whether to show nothing.
    """
    if quiet:
        return NoProgress()
    if in_notebook():
        return NotebookLine(TuningLines(budget, write=write_nothing))
    return Bars(TuningLines(budget, during=False)) if animated() else PlainLines(TuningLines(budget))
