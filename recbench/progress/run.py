"""Progress of a run: redrawn lines where people watch a terminal, plain lines elsewhere."""

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from recbench.progress.console import messages
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import CurvePoint, Status
from recbench.trials.planned import PlannedTrial

SECONDS_BETWEEN_DRAWINGS = 0.1
SECONDS_BETWEEN_LINES = 30.0


class PlainProgress:
    """A line when an import or a trial begins or ends, and now and then one that says how far a long trial is."""

    def __init__(self) -> None:
        self._total = 0
        self._begun = 0
        self._n_train = 0
        self._what: dict[str, str] = {}
        self._phases: dict[str, str] = {}
        self._said: dict[str, float] = {}

    def importing(self, model: str) -> None:
        """Says so: a framework takes seconds to import."""
        messages().print(f"Importing {model}", style="dim", markup=False)

    def planned(self, trials: int, kept: int, n_train: int) -> None:
        """Remembers how many there are."""
        self._total, self._begun, self._n_train = trials, kept, n_train

    def trial_starts(self, trial: PlannedTrial, worker: str | None = None) -> None:
        """Says what runs."""
        self._begin(trial)
        where = f" on {worker}" if worker else ""
        messages().print(f"{self._what[trial.label]}{where} ...", style="dim", markup=False)

    def phase(self, trial: PlannedTrial, name: str) -> None:
        """Remembers it."""
        self._phases[trial.label] = name

    def epoch(self, trial: PlannedTrial, epoch: int, loss: float | None, seconds: float) -> None:
        """Says it, unless the trial's last line is recent."""
        self._say(trial, ", ".join([f"epoch {epoch}", *self._told(trial, epoch, loss, seconds)]))

    def progress(self, trial: PlannedTrial, done: int, total: int) -> None:
        """Says it, unless the trial's last line is recent."""
        self._say(trial, f"{self._phases.get(trial.label, 'done')} {done:,} of {total:,}")

    def point(self, trial: PlannedTrial, point: CurvePoint) -> None:
        """Neither kind of line shows learning curves."""

    def trial_lost(self, trial: PlannedTrial) -> None:
        """The cluster says so itself."""

    def wanted(self, trial: PlannedTrial) -> bool:  # noqa: ARG002
        """Every trial of a run shall come to its end."""
        return True

    def trial_ends(self, trial: PlannedTrial, stored: FinishedTrial) -> None:
        """Says how it went."""
        messages().print(f"{self._what.pop(trial.label)}: {_outcome(stored)}", markup=False)

    def tick(self) -> None:
        """Nothing is drawn."""

    def close(self) -> None:
        """Nothing is drawn."""

    def _begin(self, trial: PlannedTrial) -> None:
        self._begun += 1
        self._what[trial.label] = f"[{self._begun}/{self._total}] {trial.label}"
        self._said[trial.label] = time.monotonic()

    def _say(self, trial: PlannedTrial, text: str) -> None:
        now = time.monotonic()
        if now - self._said[trial.label] >= SECONDS_BETWEEN_LINES:
            self._said[trial.label] = now
            messages().print(f"{self._what[trial.label]}: {text}", style="dim", markup=False)

    def _told(self, trial: PlannedTrial, epoch: int, loss: float | None, seconds: float) -> list[str]:
        """Returns what is to be said of an epoch: loss, throughput, and time left."""
        told = [] if loss is None else [f"loss {loss:.4f}"]
        if seconds > 0:
            epochs = trial.model.parameters.get("epochs")
            told.append(f"{self._n_train * epoch / seconds:,.0f} interactions/s")
            if isinstance(epochs, int) and epochs >= epoch:
                told.append(f"{seconds / epoch * (epochs - epoch):.0f} s left")
        return told


class AnimatedProgress(PlainProgress):
    """The same, and under it a line for each running trial, and one for the plan.

    A trial's line shows its phase, epoch, loss, throughput and the time that its training will still take. Lines are
    drawn between the messages of the trials' processes, which are other processes than this.
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0.0
        self._lines: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[phase]}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            TimeElapsedColumn(),
            console=messages(),
            auto_refresh=False,
            transient=True,
        )
        self._plan: TaskID | None = None

    def planned(self, trials: int, kept: int, n_train: int) -> None:
        """Begins to draw."""
        super().planned(trials, kept, n_train)
        self._progress.start()
        self._plan = self._progress.add_task("all trials", total=trials, completed=kept, phase="", told="")

    def trial_starts(self, trial: PlannedTrial, worker: str | None = None) -> None:
        """Adds a line."""
        self._begin(trial)
        epochs = trial.model.parameters.get("epochs")
        total = epochs if isinstance(epochs, int) else 1
        what = self._what[trial.label] + (f" on {worker}" if worker else "")
        self._lines[trial.label] = self._progress.add_task(what, total=total, phase="", told="")
        self._draw()

    def phase(self, trial: PlannedTrial, name: str) -> None:
        """Draws the phase."""
        self._update(trial, phase=name, told="")

    def epoch(self, trial: PlannedTrial, epoch: int, loss: float | None, seconds: float) -> None:
        """Draws epoch, loss, throughput, and time left."""
        self._update(trial, completed=epoch, told=", ".join(self._told(trial, epoch, loss, seconds)))

    def progress(self, trial: PlannedTrial, done: int, total: int) -> None:
        """Draws the part."""
        self._update(trial, completed=done, total=total, told="")

    def trial_ends(self, trial: PlannedTrial, stored: FinishedTrial) -> None:
        """Replaces the trial's line by one that stays."""
        self._progress.remove_task(self._lines.pop(trial.label))
        if self._plan is not None:
            self._progress.advance(self._plan)
        super().trial_ends(trial, stored)
        self._draw()

    def tick(self) -> None:
        """Draws again, for time has passed, unless the last drawing is very recent."""
        if time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def close(self) -> None:
        """Removes the drawing."""
        self._progress.stop()

    def _update(self, trial: PlannedTrial, **fields: object) -> None:
        self._progress.update(self._lines[trial.label], **fields)  # type: ignore[arg-type]
        self.tick()

    def _draw(self) -> None:
        if self._plan is not None:
            self._progress.refresh()
            self._drawn = time.monotonic()


def _outcome(stored: FinishedTrial) -> str:
    record = stored.record
    if record.status is not Status.DONE:
        return f"{record.status}: {record.error}"
    k = min(record.ties_across_cut)
    metrics = ", ".join(f"{name.upper()} {record.metrics[name].mean:.4f}" for name in (f"hr@{k}", f"ndcg@{k}"))
    return f"{metrics}, {record.interactions_per_second:,.0f} interactions/s, fit {record.fit_seconds:.2f} s"
