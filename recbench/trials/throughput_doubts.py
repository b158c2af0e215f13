"""Why the throughput of a trial is in doubt: throughput is passes over the train rows a second of ``fit``.

A model counts its own passes, and the clock covers ``fit`` alone. So a model that ends an epoch too often, or that
trains in ``score``, shows a throughput that it does not have. What the harness sees of that is compared here. A model
that does so on purpose can still hide it: it can work a little in each pass that it makes up.
"""

import re
from collections.abc import Mapping
from statistics import median

from recbench.protocol import Recommender
from recbench.trials.clock import TimedContext

LIMIT_NAME = re.compile(
    r"(?:(?:n|nb|num|number_of|max|maximum|total|train|training|pretrain|pretraining)_?)?"
    r"(?:epochs|iterations|iters|passes)|(?:n|nb|num|max|total)_?(?:epoch|iteration|iter|pass)"
)
"""Names of hyper-parameters, in lower case, that say how many passes a model makes at most."""
FASTEST_PASS_SECONDS = 2e-6
"""A pass needs a few operations of Python at least."""
FASTEST_ROW_SECONDS = 1e-10
"""No processor reads the user and the item of a row in less."""
FEW_PASSES = 5
"""The times of fewer passes say too little about each other."""
UNEVEN = 10
"""How many times more passes than their times are like, until the number is in doubt."""
LONG_SCORE_SECONDS = 0.1
LONG_SCORE = 2.0
"""How many times longer than ``fit`` a call of ``score`` takes, until it is in doubt which of the two trains."""


def throughput_doubts(
    context: TimedContext,
    model: Recommender,
    parameters: Mapping[str, object],
    n_train: int,
    longest_score_seconds: float = 0.0,
) -> list[str]:
    """Returns a sentence for each reason; none if the throughput can be believed.

    Args:
        context: The context of the fit, finished.
        model: The trained model.
        parameters: Its hyper-parameters.
        n_train: Train rows.
        longest_score_seconds: Seconds of the longest call of ``score`` in which the CPU worked.
    """
    doubts = []
    if context.refused:
        doubts.append(
            f"end_epoch() was called {context.refused:,} times outside of training, such as from score(); these calls "
            "are not counted"
        )
    doubts += _of_passes(context, model, parameters, n_train)
    if longest_score_seconds > max(LONG_SCORE_SECONDS, LONG_SCORE * context.seconds):
        doubts.append(
            f"a call of score() took {longest_score_seconds:.2f} s and fit() {context.seconds:.4f} s: training in "
            "score() is not timed"
        )
    return doubts


def _of_passes(context: TimedContext, model: Recommender, parameters: Mapping[str, object], n_train: int) -> list[str]:
    """Compares the number of passes with the model's own limit, and the times of passes with each other."""
    passes, seconds = context.epochs, context.pass_seconds
    if passes < 2:
        return []
    limits = _positive(parameters) or _positive(_attributes(model))
    # A model may train several networks one after the other, each for as many epochs as one of its limits says.
    if limits and passes > sum(limits.values()) * len(limits):
        stated_limits = ", ".join(f"{name}={value}" for name, value in limits.items())
        return [f"{passes:,} passes were counted, more than {stated_limits}"]
    bound = max(FASTEST_PASS_SECONDS, FASTEST_ROW_SECONDS * n_train / context.threads)
    if too_fast := sum(duration < bound for duration in seconds):
        return [
            f"{too_fast:,} of {passes:,} passes over {n_train:,} train rows took less than {bound * 1e6:.2g} µs each"
        ]
    if limits or passes < FEW_PASSES:
        return []
    alike = sum(seconds) ** 2 / sum(duration**2 for duration in seconds)
    if alike * UNEVEN < len(seconds):
        return [
            f"the longest of {passes:,} passes took {max(seconds):.3g} s, half of them less than {median(seconds):.3g} "
            "s: set-up in fit(), or calls of end_epoch() that end no pass"
        ]
    return []


def _attributes(model: Recommender) -> dict[str, object]:
    """Returns the attributes of a model and of its class; none if the model hides them."""
    try:
        return {**vars(type(model)), **vars(model)}
    except Exception:  # noqa: BLE001 - a model may define __dict__ in any way, and its trial is good all the same
        return {}


def _positive(values: Mapping[str, object]) -> dict[str, int]:
    """Returns the limits of passes among named values; names and values are whatever a model has put there."""
    return {
        name: value
        for name, value in values.items()
        if type(name) is str and type(value) is int and value > 0
        if LIMIT_NAME.fullmatch(name.strip("_").lower())
    }
