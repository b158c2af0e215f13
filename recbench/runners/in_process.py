"""Trials in the run's own process, for a debugger: one model sees what another has left."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from recbench.registry.hyperparameters import Configuration, import_and_configure
from recbench.registry.observation import Observation
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment
from recbench.tasks import task_file
from recbench.trials import logs
from recbench.trials.conditions import TrialOutcome
from recbench.trials.events import Event, EventKind, IsWanted, Notify, about
from recbench.trials.identity import TaskFacts
from recbench.trials.output_redirection import output_to
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.trials.surroundings import surroundings_restored
from recbench.trials.trial import trial_outcomes


class InProcess:
    """The ``Runner`` without processes.

    Args:
        assignment: What the trials are run on; its limits cannot be enforced here.
        notify: Receives the events.
        wanted: Is not asked: a trial cannot be ended before its time.
    """

    def __init__(self, assignment: Assignment, notify: Notify, is_wanted: IsWanted) -> None:  # noqa: ARG002
        self._task = task_file.load(assignment.task_file)
        self._conditions = assignment.conditions
        self._notify = notify
        self._configurations: dict[str, Configuration] = {}

    def configure(self, models: Sequence[RequestedModel]) -> list[PlannedModel]:
        """Imports every model.

        Raises:
            RecbenchError: A model cannot be imported, or rejects its parameters.
        """
        planned = []
        for model in models:
            self._notify(Event(EventKind.IMPORTING, name=model.title))
            with output_to(None):
                configuration = import_and_configure(model, Observation())
            self._configurations[model.title] = configuration
            code = configuration.code
            planned.append(
                PlannedModel(
                    model,
                    configuration.parameters,
                    code.version,
                    code.sources,
                    code.search_path,
                    configuration.integers,
                )
            )
        return planned

    def run(self, trials: Iterable[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, TrialOutcome]]:
        """Runs the trials one after the other, and yields what each gave; none can be ended before its time.

        Raises:
            RecbenchError: A log cannot be written.
        """
        identity = TaskFacts.of(self._task).identity
        for trial in trials:
            log = logs.new_log(folder, trial.stem(identity, self._conditions))
            self._notify(Event(EventKind.STARTED, trial=trial))
            configuration = self._configurations[trial.model.requested.title]
            outcomes = trial_outcomes(
                self._task, configuration, trial.seed, self._conditions, about(trial, self._notify)
            )
            while True:
                with surroundings_restored(), output_to(log):
                    outcome = next(outcomes, None)
                if outcome is None:
                    break
                if outcome.traceback:
                    # The traceback is for people only; the record holds the error.
                    with suppress(OSError), log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                        file.write(outcome.traceback)
                logs.cut(log)
                yield trial, outcome

    def close(self) -> None:
        """There is nothing to close."""
