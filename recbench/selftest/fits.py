"""Fits of a model for the checks of its contract; an error in a fit is data, so that the other checks still run."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from recbench.protocol import FloatArray, Recommender, TrainSet, WarmUp
from recbench.selftest.check import BrokenError, NotApplicableError
from recbench.selftest.score_requests import ScoreRequest, request_scores
from recbench.trials.clock import TimedContext
from recbench.trials.model_context import context_for_model

Create = Callable[[], Recommender]
"""Makes a fresh, untrained model."""

Arrays = dict[str, npt.NDArray[Any]]


class StopsAtOnce(TimedContext):
    """Tells the model to stop after its first epoch."""

    def end_epoch(self, loss: float | None = None) -> bool:
        """Counts the epoch, and answers False."""
        super().end_epoch(loss)
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The result of one fit.

    Attributes:
        model: The model; trained, unless there is an error.
        context: The context of the fit, with the epochs that the model ended.
        error: What the constructor, ``warm_up`` or ``fit`` raised, if they did.
        answer: float[n, c], the trained model's first scores, those of the request.
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
    request: ScoreRequest,
    *,
    warm: bool = False,
    scored_in_training: bool = False,
) -> Fit:
    """Trains a fresh model, as a trial does, and requests scores.

    Args:
        create: Makes the model.
        train: The rows to learn from.
        context: Seed, threads, device.
        request: The scores to request.
        warm: Warm it up before, if it can be.
        scored_in_training: Request other scores after each epoch, as for a learning curve, and once at the end.
    """
    model = None
    others = request.different()

    def score_others(*_: object) -> None:
        if model is not None:
            # A model may be unable to score before its training is over.
            with contextlib.suppress(Exception):
                request_scores(model, others.users, others.items)

    try:
        model = create()
        if warm and isinstance(model, WarmUp):
            with context_for_model(TimedContext(context.seed, context.threads, device=context.device)) as limited:
                model.warm_up(train, limited)
        context.on_epoch = score_others if scored_in_training else None
        with context_for_model(context) as limited:
            context.start()
            model.fit(train, limited)
            context.stop()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, error=error)
    if scored_in_training:
        score_others()
    try:
        return Fit(model, context, answer=request_scores(model, request.users, request.items))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, score_error=error)


def copies(train: TrainSet) -> Arrays:
    """Returns a copy of each array of a train set, by name."""
    names = ("users", "items", "ratings", "timestamps", "indptr", "indices")
    return {name: getattr(train, name).copy() for name in names if getattr(train, name) is not None}


def not_repeatable(model_class: type, threads: int) -> None:
    """Raises ``NotApplicableError`` if the model does not promise that two fits with so many threads agree."""
    if threads > 1 and not getattr(model_class, "repeatable_on_threads", False):
        raise NotApplicableError(f"the model does not promise to repeat itself with {threads} threads")
