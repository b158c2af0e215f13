"""Progress in a notebook: one line that is replaced, never many."""

import time
from typing import Any

from recbench.escaping.terminal import one_line
from recbench.progress.bars import Lines
from recbench.trials.events import Event, EventKind

SECONDS_BETWEEN_UPDATES = 0.5


class NotebookLine:
    """Shows the state of a run in one output line of a notebook cell.

    Args:
        lines: The texts of the trials; its own lines are not written.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._shown = 0.0
        self._done = 0
        self._total = 0
        self._display: Any = None

    def on_event(self, event: Event) -> None:
        """Shows an event, at most twice a second."""
        self._lines.on_event(event)
        if event.kind is EventKind.IMPORTING:
            self._show(f"Importing {event.name} ...")
        elif event.kind is EventKind.PLANNED:
            self._done, self._total = event.done, event.total
        elif event.trial is not None and event.kind is EventKind.ENDED:
            self._done += 1
            of = f" of {self._total}" if self._total else ""
            left = self._lines.time_left() if self._done < self._total else ""
            self._show(", ".join(filter(None, [f"{self._done}{of} trials complete", left])))
        elif event.trial is not None and (
            event.kind is EventKind.STARTED
            or (
                event.kind in (EventKind.EPOCH, EventKind.PROGRESS)
                and time.monotonic() - self._shown > SECONDS_BETWEEN_UPDATES
            )
        ):
            epoch = f"epoch {event.epoch}" if event.epoch else ""
            self._show(", ".join(filter(None, [self._lines.title(event.trial), epoch, self._lines.state(event)])))

    def close(self) -> None:
        """Leaves the last state in place."""

    def _show(self, text: str) -> None:
        from IPython.display import display

        self._shown = time.monotonic()
        content = {"text/plain": one_line(text)}
        if self._display is None:
            self._display = display(content, raw=True, display_id=True)
        else:
            self._display.update(content, raw=True)
