"""One trial: fit once, score once."""

import time
import traceback

from recbench.evaluation.ranking import ScoreError, rank_cases
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.protocol import WarmUp
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import Record, Status
from recbench.registry.hyperparameters import Configuration
from recbench.tasks.task import Task
from recbench.trials import figures, machine
from recbench.trials.clock import TimedContext
from recbench.trials.conditions import Conditions, Observer, Outcome
from recbench.trials.identity import TaskFacts, identity
from recbench.trials.learning_curve import Curve
from recbench.trials.model_context import handle_for


def run_trial(
    task: Task,
    configuration: Configuration,
    seed: int,
    conditions: Conditions,
    observer: Observer,
) -> Outcome:
    """Trains a fresh model on the task's train rows and ranks its test cases.

    Whatever the model raises becomes a record with the status ``failed``; only an interruption is passed on.
    """
    context = TimedContext(seed, conditions.threads, device=conditions.device)
    base = identity(TaskFacts.of(task), configuration, seed, conditions)
    try:
        measured, ranks = _fit_and_score(task, configuration, context, conditions, observer)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a model does, the others still run
        message = _told_why(error)
        if isinstance(error, FloatingPointError) and "learning_rate" in configuration.parameters:
            message += f" (learning_rate={configuration.parameters['learning_rate']}; try a lower one)"
        measured = {"error": message, "epochs": context.epochs, "fit_seconds": context.seconds}
        record = Record(**base, **measured, **_told(configuration, context), status=Status.FAILED)
        return Outcome(record, None, traceback.format_exc())
    return Outcome(Record(**base, **measured, **_told(configuration, context), status=Status.DONE), ranks)


def _told_why(error: BaseException) -> str:
    return str(error) if isinstance(error, ScoreError) else f"{type(error).__name__}: {error}"


def _told(configuration: Configuration, context: TimedContext) -> dict[str, object]:
    """What the record keeps of the model's own word."""
    promised = True if context.threads == 1 else getattr(configuration.model_class, "repeatable_on_threads", None)
    on_gpu = context.facts.get("device") == "gpu"
    return {"facts": context.facts, "repeatable": None if on_gpu else promised}


def _fit_and_score(
    task: Task, configuration: Configuration, context: TimedContext, conditions: Conditions, observer: Observer
) -> tuple[dict[str, object], TrialRanks]:
    train = task.train_set()
    model = configuration.create()
    warm_up_seconds = None
    if isinstance(model, WarmUp):
        observer.phase("warm-up")
        silent = TimedContext(context.seed, context.threads, device=context.device)
        silent.start()
        with handle_for(silent) as handle:
            model.warm_up(train, handle)
        warm_up_seconds = silent.seconds
    curve = None
    if conditions.curve is not None:
        curve = Curve(model, task.test, conditions.ks, conditions.curve, observer.point)

    def after_epoch(epoch: int, loss: float | None) -> None:
        observer.epoch(epoch, loss, context.seconds)
        if curve is not None:
            curve.epoch(epoch, context.seconds)

    context.on_epoch = after_epoch
    # The model never holds the context itself: its callback leads to the curve, and so to the test cases.
    with handle_for(context) as handle:
        observer.phase("fit")
        context.start()
        model.fit(train, handle)
        context.stop()
        observer.phase("score")
        began = time.perf_counter()
        ranks = rank_cases(model, task.test)
        score_seconds = time.perf_counter() - began
        measured = figures.of_candidates(task, train, ranks, conditions.ks)
        catalogue, catalogue_ranks, catalogue_error = None, None, None
        if conditions.catalogue:
            observer.phase("full")
            try:
                catalogue, catalogue_ranks = figures.of_catalogue(task, model, train, conditions.ks, observer.progress)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - what was trained and ranked before is kept
                traceback.print_exc()
                catalogue_error = _told_why(error)
    epochs = max(context.epochs, 1)
    if curve is not None:
        metrics = compute_metrics(ranks, conditions.ks)
        curve.add(epochs, context.seconds, {name: metric.mean for name, metric in metrics.items()})
    return {
        **measured,
        "catalogue": catalogue,
        "catalogue_error": catalogue_error,
        "curve": curve.points if curve is not None else [],
        "curve_error": curve.error if curve is not None else None,
        "epochs": epochs,
        "loss": context.loss,
        "fit_seconds": context.seconds,
        "warm_up_seconds": warm_up_seconds,
        "import_seconds": configuration.import_seconds,
        "score_seconds": score_seconds,
        "interactions_per_second": len(train) * epochs / context.seconds,
        "process_peak_rss_bytes": machine.process_peak_rss_bytes(),
    }, TrialRanks(ranks, catalogue_ranks)
