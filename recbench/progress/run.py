"""Progress of a run as lines of text: one when an import or a trial begins or ends, and a few during a long trial."""

import time

from recbench.progress.console import Write, write_message
from recbench.progress.memory import memory_needed
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
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

    def on_event(self, event: Event) -> None:
        """Writes what there is to write about an event."""
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
        parts = [] if event.loss is None else [f"loss {event.loss:.4f}"]
        if event.seconds > 0:
            epochs = event.trial.model.parameters.get("epochs")
            parts.append(f"{self._n_train * event.epoch / event.seconds:,.0f} interactions/s")
            if isinstance(epochs, int) and epochs >= event.epoch:
                parts.append(f"{event.seconds / event.epoch * (epochs - event.epoch):.0f} s left")
        return ", ".join(parts)

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
                self._out(f"{self._titles.pop(trial.label)}: {_summary(event.result)}", None)

    def _write(self, trial: PlannedTrial, text: str) -> None:
        now = time.monotonic()
        if self._during and now - self._written[trial.label] >= SECONDS_BETWEEN_LINES:
            self._written[trial.label] = now
            self._out(f"{self._titles[trial.label]}: {text}", "dim")


def _summary(stored: FinishedTrial) -> str:
    record = stored.record
    if record.status is not Status.DONE:
        return f"{record.status}: {record.error}"
    k = min(record.ties_across_cut)
    metrics = ", ".join(f"{name.upper()} {record.metrics[name].mean:.4f}" for name in (f"hr@{k}", f"ndcg@{k}"))
    return f"{metrics}, {record.interactions_per_second:,.0f} interactions/s, fit {record.fit_seconds:.2f} s"
