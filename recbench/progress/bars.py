"""Progress as bars that are redrawn: one for each running trial, and one for the plan."""

import time
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from recbench.escaping.terminal import one_line
from recbench.progress.console import messages
from recbench.trials.events import Event, EventKind
from recbench.trials.planned import PlannedTrial

SECONDS_BETWEEN_DRAWINGS = 0.1
WIDE = 80
"""Columns of a terminal that has room for long bars and for the time that has passed."""
MOST_CHARACTERS = 200
"""The most characters of a text beside a bar."""


class Lines(Protocol):
    """The lines above the bars, and the texts of the bars."""

    def on_event(self, event: Event) -> None:
        """Writes what there is to write about an event."""
        ...

    def title(self, trial: PlannedTrial) -> str:
        """Returns what a running trial is called."""
        ...

    def state(self, event: Event) -> str:
        """Returns what stands beside the bar of a trial after an event."""
        ...

    def time_left(self) -> str:
        """Returns how long all trials still take; empty as long as that is unknown."""
        ...


class Bars:
    """Draws the bars between the messages of the trials' processes, which are other processes than this one.

    Args:
        lines: The lines above the bars.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._drawn = 0.0
        self._bars: dict[str, TaskID] = {}
        self._plan: TaskID | None = None
        has_room = messages().width >= WIDE
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[phase]}", markup=False),
            BarColumn(bar_width=20 if has_room else 5),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            *([TimeElapsedColumn()] if has_room else []),
            console=messages(),
            auto_refresh=False,
            transient=True,
        )

    def on_event(self, event: Event) -> None:
        """Draws an event."""
        if event.trial is not None:
            self._on_trial(event.trial, event)
            return
        self._lines.on_event(event)
        if event.kind is EventKind.PLANNED and event.total:
            self._progress.start()
            if self._plan is None:
                self._plan = self._progress.add_task("all trials", total=event.total, phase="", state="")
            self._progress.update(self._plan, completed=event.done)
        elif event.kind is EventKind.TICK:
            self._draw()

    def close(self) -> None:
        """Removes the bars."""
        for bar in self._bars.values():
            self._progress.remove_task(bar)
        self._bars.clear()
        self._progress.stop()

    def _on_trial(self, trial: PlannedTrial, event: Event) -> None:
        if event.kind is EventKind.ENDED:
            if trial.label in self._bars:
                self._progress.remove_task(self._bars.pop(trial.label))
            if self._plan is not None:
                self._progress.advance(self._plan)
            self._refresh()
        self._lines.on_event(event)
        match event.kind:
            case EventKind.STARTED:
                self._progress.start()
                epochs = trial.model.parameters.get("epochs")
                total = epochs if isinstance(epochs, int) else 1
                self._bars[trial.label] = self._progress.add_task(
                    _shown(self._lines.title(trial)), total=total, phase="", state=""
                )
            case EventKind.PHASE:
                self._progress.update(self._bars[trial.label], phase=_shown(event.name), state="")
            case EventKind.EPOCH:
                self._progress.update(
                    self._bars[trial.label], completed=event.epoch, state=_shown(self._lines.state(event))
                )
            case EventKind.PROGRESS:
                self._progress.update(self._bars[trial.label], completed=event.done, total=event.total, state="")
        self._draw()

    def _draw(self) -> None:
        if self._bars and time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._refresh()
            self._drawn = time.monotonic()

    def _refresh(self) -> None:
        if self._plan is not None:
            self._progress.update(self._plan, state=self._lines.time_left())
        self._progress.refresh()


def _shown(text: str) -> str:
    return one_line(text, MOST_CHARACTERS)
