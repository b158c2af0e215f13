"""Progress of a tuning: a line a trial, and where people watch a terminal, a line that is redrawn."""

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from recbench.progress.console import messages
from recbench.tuning.past import Budget, End, PastTrial, best, counts

SECONDS_BETWEEN_DRAWINGS = 0.1


class PlainTuningProgress:
    """A line when a trial ends; on a cluster, where several run, also one when it begins.

    Args:
        budget: Of each model.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._model = ""
        self._past: list[PastTrial] = []
        self._on_workers: set[int] = set()

    def model_starts(self, model: str, past: list[PastTrial]) -> None:
        """Says how far the model's tuning has come."""
        self._model, self._past = model, list(past)
        if past:
            messages().print(f"{model}: goes on; so far {self._so_far()}", style="dim", markup=False)

    def trial_starts(self, number: int, epochs: int | None, worker: str | None) -> None:  # noqa: ARG002
        """Says what runs where, on a cluster."""
        if worker is not None:
            self._on_workers.add(number)
            messages().print(f"{self._model}: trial {number} on {worker} ...", style="dim", markup=False)

    def epoch(self, number: int, epoch: int) -> None:
        """Plain lines do not show epochs."""

    def trial_ends(self, past: PastTrial) -> None:
        """Says how it went."""
        self._past.append(past)
        ended = counts(self._past).ended
        style = "yellow" if past.end is End.FAILED else None
        which = f"trial {past.number}: " if past.number in self._on_workers else ""
        messages().print(
            f"{self._model} [{ended}/{self._budget.trials}] {which}{_how(past)}; {self._so_far()}",
            markup=False,
            style=style,
        )

    def tick(self) -> None:
        """Nothing is drawn."""

    def close(self) -> None:
        """Nothing is drawn."""

    def _so_far(self) -> str:
        found, ended = best(self._past), counts(self._past)
        told = f"best {found.score:.4f}" if found and found.score is not None else "none completed"
        left = max(self._budget.seconds_left(self._past), 0.0)
        return f"{told}, {ended.pruned} pruned, {ended.failed} failed, {left:,.0f} s left"


class AnimatedTuningProgress(PlainTuningProgress):
    """A line when a trial ends, and under it one for each running trial."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._drawn = 0.0
        self._lines: dict[int, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeElapsedColumn(),
            console=messages(),
            auto_refresh=False,
            transient=True,
        )

    def trial_starts(self, number: int, epochs: int | None, worker: str | None) -> None:
        """Begins to draw the trial."""
        self._progress.start()
        what = f"{self._model}, trial {number}"
        if worker is not None:
            self._on_workers.add(number)
            what += f" on {worker}"
        else:
            what += f"; {self._so_far()}"
        self._lines[number] = self._progress.add_task(what, total=epochs or 1)

    def epoch(self, number: int, epoch: int) -> None:
        """Draws the epoch."""
        self._progress.update(self._lines[number], completed=epoch)
        self.tick()

    def trial_ends(self, past: PastTrial) -> None:
        """Replaces the trial's line by one that stays."""
        if past.number in self._lines:
            self._progress.remove_task(self._lines.pop(past.number))
            self._progress.refresh()
        super().trial_ends(past)

    def tick(self) -> None:
        """Draws again, unless the last drawing is very recent."""
        if time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._progress.refresh()
            self._drawn = time.monotonic()

    def close(self) -> None:
        """Removes the drawing."""
        for line in self._lines.values():
            self._progress.remove_task(line)
        self._lines.clear()
        self._progress.stop()


def _how(past: PastTrial) -> str:
    if past.end is End.FAILED:
        return f"{past.error} (log: {past.log})"
    score = "" if past.score is None else f"NDCG@10 {past.score:.4f}"
    if past.end is End.COMPLETED:
        return score + (f" after epoch {past.best_epochs}" if past.best_epochs is not None else "")
    when = f"{past.end} after epoch {past.epochs}" if past.epochs else f"{past.end}"
    return f"{when}, {score}" if score else when
