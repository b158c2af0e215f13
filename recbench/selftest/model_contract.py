"""The contract of a model, on any task: its fits here, its scores in ``leaks``."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from recbench.device import Device
from recbench.protocol import TrainSet, WarmUp
from recbench.records.schema import ParameterValue
from recbench.registry.hyperparameters import configure
from recbench.registry.requested import RequestedModel
from recbench.selftest import leaks
from recbench.selftest.check import BrokenError, Check, NotApplicableError, check, expect
from recbench.selftest.fits import Arrays, Create, Fit, StopsAtOnce, copies, fit, not_repeatable, of_other_items
from recbench.selftest.new_items import new_items_below_known
from recbench.selftest.score_requests import ScoreRequest, same_bits
from recbench.tasks.task import Task
from recbench.trials.clock import TimedContext
from recbench.trials.facts import NOT_KEPT, kept_facts
from recbench.trials.throughput_doubts import LONG_SCORE, LONG_SCORE_SECONDS, throughput_doubts

DEVICE: Device = "cpu"
"""On a GPU two fits need not agree."""


@dataclass(frozen=True, slots=True)
class ModelUnderTest:
    """A model that is to be tested.

    Attributes:
        name: What it is called.
        model_class: Its class.
        create: Makes a fresh one; None if a hyper-parameter has neither a default nor a value.
        parameters: Its hyper-parameters, as records hold them.
    """

    name: str
    model_class: type
    create: Create | None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)

    @classmethod
    def load(cls, requested: RequestedModel) -> Self:
        """Imports the model, reads its hyper-parameters, and lets its constructor check them.

        Raises:
            RecbenchError: It cannot be imported, or rejects its parameters.
        """
        model_class = requested.reference.load()
        if set(without_default(model_class)) - set(requested.given):
            return cls(requested.title, model_class, None)
        configuration = configure(requested.reference, model_class, requested.texts, requested.values)
        configuration.create()
        return cls(requested.title, model_class, configuration.create, configuration.parameters)


def model_contract(tested: ModelUnderTest, task: Task, threads: int, say: Callable[[str], None]) -> Iterator[Check]:
    """Yields every check of a model, each as soon as it is done.

    Args:
        tested: The model.
        task: The task to train and score it on.
        threads: Threads it may use.
        say: Receives the name of each step before it begins, because training takes a while.
    """
    model_class, create = tested.model_class, tested.create
    yield every_default(model_class)
    if create is None:
        reason = "the model has hyper-parameters without a default: --param MODEL.NAME=VALUE"
        yield learns.skip(reason)
        yield train_rows_untouched.skip(reason)
        yield facts_can_be_recorded.skip(reason)
        yield from _left_out(reason)
        return
    train, request = task.train_set(), ScoreRequest.from_cases(task.test, task.n_items)
    before = copies(train)

    def context(seed: int = 0) -> TimedContext:
        return TimedContext(seed, threads, device=DEVICE)

    say("fit")
    first = fit(create, train, context(), request)
    yield learns(first)
    yield train_rows_untouched(train, before, first)
    yield facts_can_be_recorded(first)
    if first.error is not None:
        yield from _left_out("there is no trained model")
        return
    yield passes_are_counted(first, tested.parameters, len(train))
    yield trains_in_fit(first)
    yield from leaks.leaks(first.trained(), request)
    yield new_items_below_known(train, first)
    say("the same fit again")
    again = repeats(model_class, threads, first, fit(create, task.train_set(), context(), request))
    yield again
    if again.passed:
        if isinstance(first.model, WarmUp):
            say("the same fit, warmed up")
            rows = of_other_items(train)
            yield warming_up(first, fit(create, task.train_set(), context(), request, warm_up_rows=rows))
        else:
            yield warming_up.skip("the model has no warm_up()")
        say("the same fit, with scoring during training")
        scored = fit(create, task.train_set(), context(), request, scored_in_training=True)
        yield scoring_leaves_no_trace(first, scored)
    else:
        for skipped in (warming_up, scoring_leaves_no_trace):
            yield skipped.skip("two plain fits do not agree" if again.passed is False else again.detail)
    say("a fit with another seed")
    yield another_seed(first, fit(create, task.train_set(), context(seed=1), request))
    say("a fit that is stopped")
    yield stops_when_told(first, fit(create, task.train_set(), StopsAtOnce(0, threads, device=DEVICE), request))


@check("every hyper-parameter has a default")
def every_default(model_class: type) -> str:
    """So that the model can be made by its name alone."""
    missing = without_default(model_class)
    expect(not missing, f"no default: {', '.join(missing)}")
    return ", ".join(inspect.signature(model_class).parameters) or "there are none"


@check("it learns from the train rows")
def learns(first: Fit) -> str:
    """``fit`` comes to its end."""
    first.trained()
    return f"{first.context.seconds:.2f} s, calls of end_epoch(): {first.context.epochs}"


@check("what it reports can be recorded")
def facts_can_be_recorded(first: Fit) -> str:
    """``run`` leaves out what a record cannot keep, and says so in its place."""
    facts = first.context.facts
    for name, value in kept_facts(facts).items():
        expect(not str(value).startswith(NOT_KEPT), f"report({name}=...): {value}")
    return ", ".join(facts) or "it reports nothing"


@check("calls of end_epoch() end passes over the train rows")
def passes_are_counted(first: Fit, parameters: Mapping[str, ParameterValue], n_train: int) -> str:
    """As in a record: more calls than passes would multiply the throughput."""
    first.answered()
    doubts = throughput_doubts(first.context, first.trained(), parameters, n_train)
    expect(not doubts, "; ".join(doubts))
    passes = max(first.context.epochs, 1)
    return f"{passes:,} pass{'es' * (passes > 1)} over {n_train:,} train rows"


@check("it trains in fit(), not in score()")
def trains_in_fit(first: Fit) -> str:
    """What only the first call of ``score`` needs is small beside ``fit``, for it is not timed."""
    first.answered()
    # CPU seconds: on a busy machine, a short fit may wait for longer than the first call of score() needs to learn, and
    # a short call may wait for longer than the limit.
    once, context = first.extra_cpu_seconds, first.context
    timings = f"fit() took {context.seconds:.4f} s, the first call of score() {first.first_seconds:.4f} s, "
    timings += f"the same call again {first.repeated_seconds:.4f} s"
    learned_in_score = first.learned_in_score and once > context.cpu_seconds
    expect(not learned_in_score, f"score() sets what the model has learned: {timings}")
    expect(
        once <= max(LONG_SCORE_SECONDS, LONG_SCORE * context.seconds),
        f"the first call of score() does more than fit(): {timings}",
    )
    return timings


@check("two fits of one seed agree bit for bit")
def repeats(model_class: type, threads: int, first: Fit, again: Fit) -> str:
    """With one thread always; with more, if the model promises it."""
    not_repeatable(model_class, threads)
    return _same_scores(first, again, "two fits of one seed differ")


@check("warming up changes nothing")
def warming_up(first: Fit, warmed: Fit) -> str:
    """A fit after ``warm_up`` is the fit without, though it was warmed up with rows of other items."""
    return _same_scores(first, warmed, "a fit after warm_up() differs from one without")


@check("scoring during training changes nothing")
def scoring_leaves_no_trace(first: Fit, scored: Fit) -> str:
    """Calls of ``score`` during training, as for a learning curve, and a first call with other arguments."""
    what = "a model that scored other pairs during training, and before the others, differs from one that did not"
    return _same_scores(first, scored, what)


@check("another seed makes another model")
def another_seed(first: Fit, other: Fit) -> str:
    """Unless the model draws no random numbers, which only its author knows."""
    scores, other_scores = first.answered(), other.answered()
    if same_bits(scores, other_scores):
        raise NotApplicableError("seeds 0 and 1 give the same scores: right if the model draws no random numbers")
    return "seeds 0 and 1"


@check("it stops when end_epoch() says so")
def stops_when_told(first: Fit, stopped: Fit) -> str:
    """After the first epoch, if it has more."""
    stopped.trained()
    if first.context.epochs < 2:
        raise NotApplicableError("the fit has no second epoch")
    epochs = stopped.context.epochs
    expect(
        epochs == 1,
        f"end_epoch() returned False after epoch 1, and training continued to epoch {epochs} of {first.context.epochs}",
    )
    return f"after 1 of {first.context.epochs} epochs"


@check("fit() leaves the train rows alone")
def train_rows_untouched(train: TrainSet, before: Arrays, first: Fit) -> str:
    """The arrays are read-only: a plain write fails, and a model that makes them writeable fails this check."""
    if isinstance(first.error, ValueError) and "read-only" in str(first.error):
        raise BrokenError(f"fit() writes into the train rows: {first.error}")
    for name, array in before.items():
        after = getattr(train, name)
        expect(np.array_equal(array, after, equal_nan=array.dtype.kind == "f"), f"fit() writes into train.{name}")
        expect(not after.flags.writeable, f"fit() makes train.{name} writeable")
    return ", ".join(before)


def without_default(model_class: type) -> list[str]:
    """Returns the constructor's parameters that have no default."""
    return [
        name
        for name, parameter in inspect.signature(model_class).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _left_out(reason: str) -> Iterator[Check]:
    for skipped in (
        passes_are_counted,
        trains_in_fit,
        *leaks.CHECKS,
        new_items_below_known,
        repeats,
        warming_up,
        scoring_leaves_no_trace,
        another_seed,
        stops_when_told,
    ):
        yield skipped.skip(reason)


def _same_scores(first: Fit, other: Fit, otherwise: str) -> str:
    scores, other_scores = first.answered(), other.answered()
    if not same_bits(scores, other_scores):
        with np.errstate(all="ignore"):
            largest = float(np.nanmax(np.abs(scores.astype(np.float64) - other_scores)))
        raise BrokenError(
            f"{otherwise}: {int((scores != other_scores).sum()):,} of {scores.size:,} scores, by up to {largest:.3g}"
        )
    return f"{scores.size:,} scores"
