"""Progress of a tuning as lines of text: one when a trial ends; on a cluster also one when a trial begins."""

from recbench.progress.console import Write, write_message
from recbench.progress.memory import memory_needed
from recbench.progress.time_left import duration
from recbench.trials.events import Event, EventKind
from recbench.trials.planned import PlannedTrial
from recbench.tuning.past import Budget, End, PastTrial, SoFar, best, counts


class TuningLines:
    """Writes the lines of a tuning.

    Args:
        budget: Of each model.
        during: Whether to write lines when a trial begins; not where bars show the same.
        write: Where a line goes.
    """

    def __init__(self, budget: Budget, *, during: bool = True, write: Write = write_message) -> None:
        self._budget = budget
        self._during = during
        self._out = write
        self._past: list[PastTrial] = []
        self._label = ""
        self._on_workers: set[str] = set()
        self._titles: dict[str, str] = {}
        self._begun = 0
        self._further = 0

    def on_event(self, event: Event) -> None:
        """Writes what there is to write about an event."""
        if event.kind is EventKind.IMPORTING:
            self._out(f"Importing {event.name}", "dim")
        elif event.kind is EventKind.PLANNED:
            so_far: SoFar = event.result
            self._begun += 1
            self._further = max(event.total // self._budget.trials - self._begun, 0)
            self._past, self._label = list(so_far.past), so_far.label
            if self._past:
                self._out(f"{event.name}: continues; so far {self._so_far()}", "dim")
        elif event.trial is not None:
            self._on_trial(event.trial, event)

    def title(self, trial: PlannedTrial) -> str:
        """Returns what a running trial is called."""
        return self._titles[trial.label]

    def state(self, event: Event) -> str:  # noqa: ARG002
        """Returns nothing: a bar shows the epochs."""
        return ""

    def time_left(self) -> str:
        """Returns how long the tuning of all models still takes at most: until their budgets of seconds are spent."""
        left = max(self._budget.seconds_left(self._past), 0.0) + self._further * self._budget.seconds
        return f"at most {duration(left)} left"

    def _on_trial(self, trial: PlannedTrial, event: Event) -> None:
        model = trial.model.name
        if event.kind is EventKind.STARTED:
            self._titles[trial.label] = f"{model}, trial {trial.number}"
            if event.worker is None:
                self._titles[trial.label] += f"; {self._so_far()}"
                return
            self._titles[trial.label] += f" on {event.worker}"
            self._on_workers.add(trial.label)
            if self._during:
                self._out(f"{model}: trial {trial.number} on {event.worker} ...", "dim")
        elif (needed := memory_needed(event)) is not None:
            self._out(f"{model}: trial {trial.number} {needed}", "dim")
        elif event.kind is EventKind.ENDED:
            past: PastTrial = event.result
            self._past.append(past)
            which = f"trial {past.number}: " if trial.label in self._on_workers else ""
            of = f"{counts(self._past).ended}/{self._budget.trials}"
            self._out(
                f"{model} [{of}] {which}{self._summary(past)}; {self._so_far()}",
                "yellow" if past.end is End.FAILED else None,
            )

    def _so_far(self) -> str:
        leader, ended = best(self._past), counts(self._past)
        text = f"best {leader.score:.4f}" if leader and leader.score is not None else "none completed"
        left = max(self._budget.seconds_left(self._past), 0.0)
        return f"{text}, {ended.pruned} pruned, {ended.failed} failed, {left:,.0f} s left"

    def _summary(self, past: PastTrial) -> str:
        if past.end is End.FAILED:
            return f"{past.error} (log: {past.log})"
        score = "" if past.score is None else f"{self._label} {past.score:.4f}"
        if past.end is End.COMPLETED:
            return score + (f" after epoch {past.best_epochs}" if past.best_epochs is not None else "")
        when = f"{past.end} after epoch {past.epochs}" if past.epochs else f"{past.end}"
        return f"{when}, {score}" if score else when
