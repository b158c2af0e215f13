"""Training a model as often as its contract needs, without letting it end the others' checks."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from recbench.protocol import FloatArray, Recommender, TrainSet, WarmUp
from recbench.selftest.check import BrokenError, NotApplicableError
from recbench.selftest.questions import Questions, ask
from recbench.trials.clock import TimedContext
from recbench.trials.model_context import context_for_model

Create = Callable[[], Recommender]
"""Makes a fresh, untrained model."""

Arrays = dict[str, npt.NDArray[Any]]


class StopsAtOnce(TimedContext):
    """Tells the model after its first epoch that it is enough."""

    def end_epoch(self, loss: float | None = None) -> bool:
        """Counts the epoch, and answers False."""
        super().end_epoch(loss)
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What came of one fit.

    Attributes:
        model: The model; trained, unless there is an error.
        context: What it was told, and what it told.
        error: What the constructor, ``warm_up`` or ``fit`` raised, if they did.
        answer: float[n, c], the trained model's answer to the questions, before it was asked anything else.
        score_error: What ``score`` raised instead.
    """

    model: Recommender | None
    context: TimedContext
    error: Exception | SystemExit | None = None
    answer: FloatArray | None = None
    score_error: Exception | SystemExit | None = None

    def trained(self) -> Recommender:
        """Returns the trained model.

        Raises:
            BrokenError: There is none; the message says what it raised.
        """
        if self.model is None or self.error is not None:
            raise BrokenError(f"fit() raised {type(self.error).__name__}: {self.error}")
        return self.model

    def answered(self) -> FloatArray:
        """Returns the answer.

        Raises:
            BrokenError: There is none; the message says what was raised.
        """
        self.trained()
        if self.answer is None:
            raise BrokenError(f"score() raised {type(self.score_error).__name__}: {self.score_error}")
        return self.answer


def fit(
    create: Create,
    train: TrainSet,
    context: TimedContext,
    questions: Questions,
    *,
    warm: bool = False,
    asked_before: bool = False,
) -> Fit:
    """Trains a fresh model, as a trial does, and asks it.

    Args:
        create: Makes the model.
        train: The rows to learn from.
        context: Seed, threads, device.
        questions: What it is asked.
        warm: Warm it up before, if it can be.
        asked_before: Ask it other questions after each epoch, as for a learning curve, and once more at the end.
    """
    model = None
    others = questions.others()

    def asks(*_: object) -> None:
        if model is not None:
            # A model may be unable to answer before its training is over.
            with contextlib.suppress(Exception):
                ask(model, others.users, others.items)

    try:
        model = create()
        if warm and isinstance(model, WarmUp):
            with context_for_model(TimedContext(context.seed, context.threads, device=context.device)) as for_model:
                model.warm_up(train, for_model)
        context.on_epoch = asks if asked_before else None
        with context_for_model(context) as for_model:
            context.start()
            model.fit(train, for_model)
            context.stop()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, error=error)
    if asked_before:
        asks()
    try:
        return Fit(model, context, answer=ask(model, questions.users, questions.items))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, score_error=error)


def copies(train: TrainSet) -> Arrays:
    """Returns a copy of each array of a train set, by name."""
    names = ("users", "items", "ratings", "timestamps", "indptr", "indices")
    return {name: getattr(train, name).copy() for name in names if getattr(train, name) is not None}


def not_repeatable(model_class: type, threads: int) -> None:
    """Raises ``NotApplicableError`` if nobody promised that two fits with so many threads agree."""
    if threads > 1 and not getattr(model_class, "repeatable_on_threads", False):
        raise NotApplicableError(f"the model does not promise to repeat itself with {threads} threads")
