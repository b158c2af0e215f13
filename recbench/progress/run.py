"""Progress of a run as lines of text: one when an import or a trial begins or ends, and a few during a long trial."""

import time

from recbench.progress.console import Write, write_message
from recbench.progress.memory import memory_needed
from recbench.progress.time_left import TimeLeft, duration
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.reports.cells import NO_FIGURE
from recbench.reports.short_figures import short_rate
from recbench.reports.timing_notes import SHORTEST_FIT
from recbench.trials.events import Event, EventKind
from recbench.trials.planned import PlannedTrial

SECONDS_BETWEEN_LINES = 30.0


class RunLines:
    """Writes the lines of a run.

    Args:
        during: Whether to write lines during a trial too; not where bars show the same.
        write: Where a line goes.
    """

    def __init__(self, *, during: bool = True, write: Write = write_message) -> None:
        self._during = during
        self._out = write
        self._total = 0
        self._begun = 0
        self._n_train = 0
        self._titles: dict[str, str] = {}
        self._phases: dict[str, str] = {}
        self._written: dict[str, float] = {}
        self._time_left = TimeLeft()

    def on_event(self, event: Event) -> None:
        """Writes what there is to write about an event."""
        self._time_left.on_event(event)
        if event.kind is EventKind.IMPORTING:
            self._out(f"Importing {event.name}", "dim")
        elif event.kind is EventKind.PLANNED:
            self._total, self._begun, self._n_train = event.total, event.done, event.n_train
        elif event.trial is not None:
            self._on_trial(event.trial, event)

    def title(self, trial: PlannedTrial) -> str:
        """Returns what a running trial is called."""
        return self._titles[trial.label]

    def state(self, event: Event) -> str:
        """Returns loss, throughput and time left after an epoch; empty for other events."""
        if event.kind is not EventKind.EPOCH or event.trial is None:
            return ""
        figures = [] if event.loss is None else [f"loss {event.loss:.4f}"]
        if event.seconds > 0:
            epochs = event.trial.model.parameters.get("epochs")
            if event.seconds >= SHORTEST_FIT:
                speed = self._n_train * event.epoch / event.seconds
                figures.append(f"{speed:,.0f} interactions/s" if self._during else short_rate(speed))
            if isinstance(epochs, int) and epochs >= event.epoch:
                figures.append(f"{event.seconds / event.epoch * (epochs - event.epoch):.0f} s left")
        return ", ".join(figures)

    def time_left(self) -> str:
        """Returns how long the whole run still takes; empty as long as that is unknown."""
        seconds = self._time_left.seconds
        return "" if seconds is None else f"{duration(seconds)} left"

    def _on_trial(self, trial: PlannedTrial, event: Event) -> None:
        match event.kind:
            case EventKind.STARTED:
                self._begun += 1
                where = f" on {event.worker}" if event.worker else ""
                self._titles[trial.label] = f"[{self._begun}/{self._total}] {trial.label}{where}"
                self._written[trial.label] = time.monotonic()
                if self._during:
                    self._out(f"{self._titles[trial.label]} ...", "dim")
            case EventKind.PHASE:
                self._phases[trial.label] = event.name
            case EventKind.MEMORY if (needed := memory_needed(event)) is not None:
                self._out(f"{self._titles[trial.label]}: {needed}", "dim")
            case EventKind.EPOCH:
                self._write(trial, ", ".join(filter(None, [f"epoch {event.epoch}", self.state(event)])))
            case EventKind.PROGRESS:
                self._write(trial, f"{self._phases.get(trial.label, 'done')} {event.done:,} of {event.total:,}")
            case EventKind.ENDED:
                self._out(f"{self._titles.pop(trial.label)}: {_summary(event.result)}{self._of_all()}", None)

    def _write(self, trial: PlannedTrial, text: str) -> None:
        now = time.monotonic()
        if self._during and now - self._written[trial.label] >= SECONDS_BETWEEN_LINES:
            self._written[trial.label] = now
            self._out(f"{self._titles[trial.label]}: {text}{self._of_all()}", "dim")

    def _of_all(self) -> str:
        """Returns the end of a line: how long all trials still take; empty where bars show that, or nobody knows it."""
        left = self.time_left() if self._during else ""
        return f"; all trials: {left}" if left else ""


def _summary(stored: FinishedTrial) -> str:
    record = stored.record
    if record.status is not Status.DONE:
        return f"{record.status}: {record.error_with_place}"
    k = min(record.ties_across_cut)
    metrics = ", ".join(f"{name.upper()} {record.metrics[name].mean:.4f}" for name in (f"hr@{k}", f"ndcg@{k}"))
    if record.fit_seconds is None or record.interactions_per_second is None:
        return metrics
    if record.fit_seconds < SHORTEST_FIT:
        return f"{metrics}, {NO_FIGURE} interactions/s, fit {record.fit_seconds:.4f} s"
    return f"{metrics}, {record.interactions_per_second:,.0f} interactions/s, fit {record.fit_seconds:.2f} s"
