"""One trial: fit once, score once."""

import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from recbench.errors import describe_error, error_text
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import Ranks, ScoreError, rank_cases
from recbench.foreign.host import call
from recbench.foreign.proxy import ForeignModel
from recbench.protocol import Recommender, TrainSet, WarmUp
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import CurvePoint, Record, Status
from recbench.registry.error_places import error_place
from recbench.registry.hyperparameters import Configuration
from recbench.tasks.task import Task
from recbench.trials import figures
from recbench.trials.clock import TimedContext
from recbench.trials.conditions import Conditions, TrialOutcome
from recbench.trials.curve_scoring import CurveScoring
from recbench.trials.energy_figures import TrialEnergy
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.facts import kept_facts, promises_repetition
from recbench.trials.identity import TaskFacts, identity
from recbench.trials.learning_curve import Curve
from recbench.trials.machine import peak_memory_of
from recbench.trials.memory_check import NotEnoughMemoryError, memory_checked, stated_memory
from recbench.trials.model_context import context_for_model
from recbench.trials.observed import observed
from recbench.trials.serving import serve
from recbench.trials.serving_plan import ServingPlan
from recbench.trials.throughput_doubts import throughput_doubts
from recbench.trials.timed_scores import TimedScores


def run_trial(
    task: Task,
    configuration: Configuration,
    seed: int,
    conditions: Conditions,
    notify: Notify,
) -> TrialOutcome:
    """Trains a fresh model on the task's train rows and ranks its test cases; returns the last of its outcomes."""
    *_, outcome = trial_outcomes(task, configuration, seed, conditions, notify)
    return outcome


def trial_outcomes(
    task: Task,
    configuration: Configuration,
    seed: int,
    conditions: Conditions,
    notify: Notify,
) -> Iterator[TrialOutcome]:
    """Trains a fresh model on the task's train rows and ranks its test cases.

    Whatever the model raises becomes a record with the status ``failed``; only an interruption is passed on. A model
    that says that it needs more memory than there is gets a record with the status ``out-of-memory``.

    Yields:
        What the trial gave. Before a full ranking and before the model is measured in use, which may not come to their
        end, also what it has given so far.
    """
    energy = TrialEnergy()
    context = TimedContext(seed, conditions.threads, device=conditions.device, energy=energy.clock)
    base = identity(TaskFacts.of(task), configuration, seed, conditions)
    trial = _Trial(task, configuration, context, energy, conditions, notify)
    is_yielding = False
    try:
        for measured, ranks, is_final in trial.fit_and_score():
            fields = base | observed(configuration, kept_facts(context.facts)) | _reported(configuration, context)
            outcome = TrialOutcome(Record(**fields, **measured, status=Status.DONE), ranks, is_final=is_final)
            is_yielding = True
            yield outcome
            is_yielding = False
    except KeyboardInterrupt:
        raise
    except BaseException as raised:
        # Whoever asked for the outcomes wants no more. A model may raise GeneratorExit, too.
        if is_yielding:
            raise
        error = _of_model(raised)
        message = _reason(error)
        if isinstance(error, FloatingPointError) and "learning_rate" in configuration.parameters:
            message += f" (learning_rate={configuration.parameters['learning_rate']}; try a lower one)"
        measured = {
            "error": message,
            "error_place": error_place(error),
            "epochs": context.epochs,
            "fit_seconds": context.seconds,
        }
        fields = base | observed(configuration, kept_facts(context.facts)) | _reported(configuration, context)
        status = Status.OUT_OF_MEMORY if isinstance(error, NotEnoughMemoryError) else Status.FAILED
        yield TrialOutcome(Record(**fields, **measured, status=status), None, traceback.format_exc())


def _of_model(error: BaseException) -> BaseException:
    """Returns what the model raised: Python turns a StopIteration that leaves a generator into a RuntimeError."""
    stopped = isinstance(error, RuntimeError) and isinstance(error.__cause__, StopIteration)
    return error.__cause__ if stopped and error.__cause__ is not None else error


def _reason(error: BaseException) -> str:
    return error_text(error) if isinstance(error, ScoreError | NotEnoughMemoryError) else describe_error(error)


def _reported(configuration: Configuration, context: TimedContext) -> dict[str, object]:
    """Returns the fields of the record that the model reports: its facts, and whether it promises equal repetitions."""
    facts = kept_facts(context.facts)
    promised = True if context.threads == 1 else promises_repetition(configuration.model_class)
    return {"facts": facts, "repeatable": None if facts.get("device") == "gpu" else promised}


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a trial works with.

    Attributes:
        task: The task.
        configuration: The model with its hyper-parameters.
        context: What the model gets, with the clock.
        energy: The meter of its energy.
        conditions: The conditions.
        notify: Receives events.
    """

    task: Task
    configuration: Configuration
    context: TimedContext
    energy: TrialEnergy
    conditions: Conditions
    notify: Notify

    def fit_and_score(self) -> Iterator[tuple[dict[str, object], TrialRanks, bool]]:
        """Yields the fields of the record, the ranks, and whether these are all."""
        train = self.task.train_set()
        with self.configuration.watched():
            model = self.configuration.create()
            needed = stated_memory(model, train)
        with memory_checked(needed, train, self.conditions.memory_limit, self.notify):
            measured, ranks = self._fit_and_rank(model, train)
            trial_ranks = TrialRanks(ranks, new=NewCases.of(self.task))
            yield measured, trial_ranks, not (self.conditions.catalogue or self.conditions.serving)
            if self.conditions.catalogue:
                more, catalogue_ranks = self._full_ranking(model, train)
                measured |= more
                trial_ranks = TrialRanks(ranks, catalogue_ranks, trial_ranks.new)
                yield measured, trial_ranks, self.conditions.serving is None
            if self.conditions.serving:
                # At the end, so that no other figure depends on it.
                yield measured | self._in_use(model, train, self.conditions.serving), trial_ranks, True

    def _warm_up(self, model: Recommender, train: TrainSet) -> float | None:
        """Lets the model warm up; returns the seconds, None if it has nothing to warm up."""
        if not isinstance(model, WarmUp):
            return None
        self.notify(Event(EventKind.PHASE, name="warm-up"))
        silent = TimedContext(self.context.seed, self.context.threads, device=self.context.device)
        silent.start()
        with self.configuration.watched(), context_for_model(silent) as for_model:
            call("warm_up", model.warm_up, train, for_model)
        return silent.seconds

    def _curve(self, model: Recommender, train: TrainSet) -> Curve | None:
        """Returns the learning curve to be measured; None if there is to be none."""
        conditions, test = self.conditions, self.task.test
        if conditions.curve is None:
            return None

        def point_added(point: CurvePoint) -> None:
            self.notify(Event(EventKind.POINT, point=point))

        measure = conditions.curve_measure
        scoring = None if measure is None else CurveScoring.of(measure, train, test)
        return Curve(model, test, conditions.ks, conditions.curve, point_added, scoring=scoring)

    def _fit_and_rank(self, model: Recommender, train: TrainSet) -> tuple[dict[str, object], Ranks]:
        """Returns the fields of the record that the training and the candidates give, and the ranks."""
        context, energy, configuration = self.context, self.energy, self.configuration
        warm_up_seconds = self._warm_up(model, train)
        curve = self._curve(model, train)

        def after_epoch(epoch: int, loss: float | None) -> None:
            self.notify(Event(EventKind.EPOCH, epoch=epoch, loss=loss, seconds=context.seconds))
            if curve is not None:
                curve.epoch(epoch, context.seconds)

        context.on_epoch = after_epoch
        if isinstance(model, ForeignModel):
            model.on_the_way = context.set_back
        # The model never holds the context itself: its callback leads to the curve, and so to the test cases.
        with configuration.watched(), context_for_model(context) as for_model:
            self.notify(Event(EventKind.PHASE, name="fit"))
            context.start()
            call("fit", model.fit, train, for_model)
            context.finish()
            fit_joules = energy.clock.take()
            self.notify(Event(EventKind.PHASE, name="score"))
            timed = TimedScores(model)
            energy.clock.start()
            began = time.perf_counter()
            ranks = rank_cases(timed, self.task.test)
            score_seconds = time.perf_counter() - began
            energy.clock.stop()
            epochs = max(context.epochs, 1)
            if curve is not None:
                curve.end(epochs, context.seconds, ranks)
        measured = {
            **figures.of_candidates(self.task, train, ranks, self.conditions.ks),
            "curve": curve.points if curve is not None else [],
            "curve_error": curve.error if curve is not None else None,
            "epochs": epochs,
            "loss": context.loss,
            "fit_seconds": context.seconds,
            "fit_cpu_seconds": context.cpu_seconds,
            "warm_up_seconds": warm_up_seconds,
            "import_seconds": configuration.import_seconds,
            "score_seconds": score_seconds,
            "first_score_seconds": timed.first_seconds,
            "longest_score_seconds": timed.longest_seconds,
            "interactions_per_second": len(train) * epochs / context.seconds,
            "throughput_doubts": throughput_doubts(
                context, model, configuration.parameters, len(train), timed.longest_busy_seconds
            ),
            "process_peak_rss_bytes": peak_memory_of(configuration),
            **energy.fields(fit_joules, energy.clock.take()),
        }
        return measured, ranks

    def _full_ranking(self, model: Recommender, train: TrainSet) -> tuple[dict[str, object], Ranks | None]:
        """Returns the fields of the record that the full ranking gives, and the ranks; None if it failed."""

        def progress(done: int, total: int) -> None:
            self.notify(Event(EventKind.PROGRESS, done=done, total=total))

        catalogue, catalogue_ranks, catalogue_error = None, None, None
        self.notify(Event(EventKind.PHASE, name="full"))
        with self.configuration.watched(), context_for_model(self.context):
            try:
                catalogue, catalogue_ranks = figures.of_catalogue(self.task, model, train, self.conditions.ks, progress)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - what was trained and ranked before is kept
                traceback.print_exc()
                catalogue_error = _reason(error)
        fields: dict[str, object] = {
            "catalogue": catalogue,
            "catalogue_error": catalogue_error,
            "process_peak_rss_bytes": peak_memory_of(self.configuration),
        }
        return fields, catalogue_ranks

    def _in_use(self, model: Recommender, train: TrainSet, plan: ServingPlan) -> dict[str, object]:
        """Returns the fields of the record on the model in use."""
        self.notify(Event(EventKind.PHASE, name="serving"))
        with self.configuration.watched(), context_for_model(self.context):
            try:
                return {"serving": serve(model, train, plan)}
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - as above
                traceback.print_exc()
                return {"serving_error": _reason(error)}
