"""Fits of a model for the checks of its contract; an error in a fit is data, so that the other checks still run."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.foreign.host import call
from recbench.protocol import FloatArray, Recommender, TrainSet, WarmUp
from recbench.selftest.check import BrokenError, NotApplicableError
from recbench.selftest.learned_state import learned_state
from recbench.selftest.score_requests import ScoreRequest, request_scores
from recbench.trials.clock import TimedContext
from recbench.trials.cpu_clock import CpuClock
from recbench.trials.model_context import context_for_model

Create = Callable[[], Recommender]
"""Makes a fresh, untrained model."""

Arrays = dict[str, npt.NDArray[Any]]

REPEATED = 5
"""Calls of ``score`` whose fastest is compared with the first: one alone may be slow for reasons of the machine."""


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
        first_seconds: Seconds of the first call of ``score``.
        repeated_seconds: Seconds of the same call again.
        extra_cpu_seconds: CPU seconds that the first call took and later ones did not.
        learned_in_score: Whether large attributes of the model were new or had changed after the first call.
    """

    model: Recommender | None
    context: TimedContext
    error: Exception | SystemExit | None = None
    answer: FloatArray | None = None
    score_error: Exception | SystemExit | None = None
    first_seconds: float = 0.0
    repeated_seconds: float = 0.0
    extra_cpu_seconds: float = 0.0
    learned_in_score: bool = False

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
    warm_up_rows: TrainSet | None = None,
    scored_in_training: bool = False,
) -> Fit:
    """Trains a fresh model, as a trial does, and requests scores.

    Args:
        create: Makes the model.
        train: The rows to learn from.
        context: Seed, threads, device.
        request: The scores to request.
        warm_up_rows: Rows to warm it up with before; None for no warm-up.
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
        if warm_up_rows is not None and isinstance(model, WarmUp):
            with context_for_model(TimedContext(context.seed, context.threads, device=context.device)) as limited:
                call("warm_up", model.warm_up, warm_up_rows, limited)
        context.on_epoch = score_others if scored_in_training else None
        with context_for_model(context) as limited:
            context.start()
            call("fit", model.fit, train, limited)
            context.finish()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, error=error)
    with context_for_model(context):
        if scored_in_training:
            score_others()
        return _scored(model, context, request, min(train.n_users, train.n_items))


def _scored(model: Recommender, context: TimedContext, request: ScoreRequest, large: int) -> Fit:
    """Requests the scores twice, and more often if the first call may have trained the model.

    Args:
        model: The trained model.
        context: The context of the fit.
        request: The scores to request.
        large: Elements of an attribute that a model may have learned.
    """
    before = learned_state(model, large)
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    cpu = CpuClock()
    calls, learned = 2, False
    try:
        while len(seconds) < calls:
            cpu_before = cpu.seconds
            cpu.start()
            began = time.perf_counter()
            scores = request_scores(model, request.users, request.items)
            seconds.append(time.perf_counter() - began)
            cpu.stop()
            cpu_seconds.append(cpu.seconds - cpu_before)
            if len(seconds) == 1:
                answer, learned = scores, bool(learned_state(model, large) - before)
                calls = 1 + REPEATED if learned else 2
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, score_error=error)
    return Fit(
        model,
        context,
        answer=answer,
        first_seconds=seconds[0],
        repeated_seconds=seconds[1],
        extra_cpu_seconds=cpu_seconds[0] - min(cpu_seconds[1:]),
        learned_in_score=learned,
    )


def of_other_items(train: TrainSet) -> TrainSet:
    """Returns as many rows of the same users and of other items: there is nothing in them to learn for a fit."""
    names = np.random.default_rng(5).permutation(train.n_items).astype(np.int32)
    return TrainSet.from_rows(
        train.n_users, train.n_items, train.users, names[train.items], train.ratings, train.timestamps,
        user_ids=train.encoded_user_ids, item_ids=train.encoded_item_ids,
    )  # fmt: skip


def copies(train: TrainSet) -> Arrays:
    """Returns a copy of each array of a train set, by name."""
    names = ("users", "items", "ratings", "timestamps", "indptr", "indices")
    return {name: getattr(train, name).copy() for name in names if getattr(train, name) is not None}


def not_repeatable(model_class: type, threads: int) -> None:
    """Raises ``NotApplicableError`` if the model does not promise that two fits with so many threads agree."""
    if threads > 1 and not getattr(model_class, "repeatable_on_threads", False):
        raise NotApplicableError(f"the model does not promise to repeat itself with {threads} threads")
