"""Training a model as often as its contract needs, without letting it end the others' checks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from recbench.protocol import Recommender, TrainSet, WarmUp
from recbench.trials.clock import TimedContext
from recbench.trials.handle import handle_for
from recbench.trials.selftest.check import BrokenError, NotApplicableError
from recbench.trials.selftest.questions import Questions, ask

Create = Callable[[], Recommender]
"""Makes a fresh, untrained model."""

Arrays = dict[str, npt.NDArray[Any]]


class StopsAtOnce(TimedContext):
    """Tells the model after its first epoch that it is enough."""

    def end_epoch(self, loss: float | None = None) -> bool:
        """Counts the epoch, and answers False."""
        super().end_epoch(loss)
        return False


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of one fit.

    Attributes:
        model: The model; trained, unless there is an error.
        context: What it was told, and what it told.
        error: What it raised, if it did.
    """

    model: Recommender | None
    context: TimedContext
    error: Exception | SystemExit | None = None

    def trained(self) -> Recommender:
        """Returns the trained model.

        Raises:
            BrokenError: There is none; the message says what it raised.
        """
        if self.model is None or self.error is not None:
            raise BrokenError(f"fit() raised {type(self.error).__name__}: {self.error}")
        return self.model


def fit(
    create: Create,
    train: TrainSet,
    context: TimedContext,
    *,
    warm: bool = False,
    asked_in_training: Questions | None = None,
) -> Fit:
    """Trains a fresh model, as a trial does.

    Args:
        create: Makes the model.
        train: The rows to learn from.
        context: Seed, threads, device.
        warm: Warm it up before, if it can be.
        asked_in_training: What it is asked after each epoch, and once more at the end; a model may be unable to answer
            before its training is over.
    """
    model = None

    def asks(*_: object) -> None:
        try:
            if model is not None and asked_in_training is not None:
                ask(model, asked_in_training.users, asked_in_training.items)
        except Exception:  # noqa: BLE001 - as for a learning curve, which is then lost
            context.on_epoch = None

    try:
        model = create()
        if warm and isinstance(model, WarmUp):
            with handle_for(TimedContext(context.seed, context.threads, device=context.device)) as handle:
                model.warm_up(train, handle)
        if asked_in_training is not None:
            context.on_epoch = asks
        with handle_for(context) as handle:
            context.start()
            model.fit(train, handle)
            context.stop()
        if asked_in_training is not None:
            ask(model, asked_in_training.users, asked_in_training.items)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failed check
        return Fit(model, context, error)
    return Fit(model, context)


def copies(train: TrainSet) -> Arrays:
    """Returns a copy of each array of a train set, by name."""
    names = ("users", "items", "ratings", "timestamps", "indptr", "indices")
    return {name: getattr(train, name).copy() for name in names if getattr(train, name) is not None}


def not_repeatable(model_class: type, threads: int) -> None:
    """Raises ``NotApplicableError`` if nobody promised that two fits with so many threads agree."""
    if threads > 1 and not getattr(model_class, "repeatable_on_threads", False):
        raise NotApplicableError(f"the model does not promise to repeat itself with {threads} threads")
