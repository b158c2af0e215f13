"""Progress of a run: a redrawn line where people watch a terminal, plain lines elsewhere."""

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recbench.cli.terminal import messages
from recbench.records.schema import Status
from recbench.records.store import StoredRecord
from recbench.trials.schedule import PlannedTrial

SECONDS_BETWEEN_DRAWINGS = 0.1


class PlainProgress:
    """A line when an import or a trial begins or ends."""

    def importing(self, model: str) -> None:
        """Says so: a framework takes seconds to import."""
        messages().print(f"Importing {model}", style="dim", markup=False)

    def trial_starts(self, trial: PlannedTrial, number: int, total: int) -> None:
        """Remembers what runs."""
        self._what = f"[{number}/{total}] {trial.configuration.name}, seed {trial.seed}"
        messages().print(f"{self._what} ...", style="dim", markup=False)

    def phase(self, name: str) -> None:
        """Plain lines do not show phases."""

    def epoch(self, epoch: int, loss: float | None) -> None:
        """Plain lines do not show epochs."""

    def progress(self, done: int, total: int) -> None:
        """Plain lines do not show parts."""

    def trial_ends(self, stored: StoredRecord) -> None:
        """Says how it went."""
        messages().print(f"{self._what}: {_outcome(stored)}", markup=False)

    def close(self) -> None:
        """Nothing is drawn."""


class AnimatedProgress(PlainProgress):
    """The same, and under it the running trial's phase, epoch and loss.

    Lines are drawn by the calls themselves, which are off the clock; no thread of its own takes time from training.
    """

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._drawn = 0.0

    def trial_starts(self, trial: PlannedTrial, number: int, total: int) -> None:
        """Begins to draw."""
        self._what = f"[{number}/{total}] {trial.configuration.name}, seed {trial.seed}"
        epochs = trial.configuration.parameters.get("epochs")
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[phase]}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            console=messages(),
            auto_refresh=False,
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task(
            self._what, total=epochs if isinstance(epochs, int) else 1, phase="", loss=""
        )

    def phase(self, name: str) -> None:
        """Draws the phase."""
        self._draw(phase=name)

    def epoch(self, epoch: int, loss: float | None) -> None:
        """Draws the epoch, unless the last drawing is very recent."""
        if time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._draw(completed=epoch, loss="" if loss is None else f"loss {loss:.4f}")

    def progress(self, done: int, total: int) -> None:
        """Draws the part, unless the last drawing is very recent."""
        if time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._draw(completed=done, total=total, loss="")

    def trial_ends(self, stored: StoredRecord) -> None:
        """Replaces the drawing by a line."""
        self.close()
        super().trial_ends(stored)

    def close(self) -> None:
        """Removes the drawing."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _draw(self, **fields: object) -> None:
        if self._progress is not None:
            self._progress.update(self._task, refresh=True, **fields)  # type: ignore[arg-type]
            self._drawn = time.monotonic()


def _outcome(stored: StoredRecord) -> str:
    record = stored.record
    if record.status is not Status.DONE:
        return f"{record.status}: {record.error}"
    metrics = ", ".join(f"{name.upper()} {metric.mean:.4f}" for name, metric in list(record.metrics.items())[:2])
    return f"{metrics}, {record.interactions_per_second:,.0f} interactions/s, fit {record.fit_seconds:.2f} s"
