"""Binomial coefficients, in logarithms. scipy has them too, but a gate would need nothing else of it."""

import math
from functools import cache

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.protocol import Int64Array


def log_choose(n: Int64Array, k: Int64Array) -> Float64Array:
    """Returns log(n over k), of the broadcast shape; where k > n, something.

    Args:
        n: int64, not negative.
        k: int64, not negative.
    """
    # A power of two, so that few tables are computed.
    logs = _log_factorials(1 << int(max(n.max(), k.max())).bit_length())
    return np.asarray(logs[n] - logs[k] - logs[np.maximum(n - k, 0)])


def binomial_probabilities(n: int, successes: Int64Array, chance: Float64Array) -> Float64Array:
    """Returns the probabilities of numbers of successes in n independent draws, of the broadcast shape.

    Args:
        n: Number of draws.
        successes: int64, from 0 to n.
        chance: float64, probability of success of a draw, from 0 to 1.
    """
    failures = n - successes
    with np.errstate(divide="ignore", invalid="ignore"):
        won = np.where(successes == 0, 0.0, successes * np.log(chance))
        lost = np.where(failures == 0, 0.0, failures * np.log1p(-chance))
    return np.exp(log_choose(np.array(n), successes) + won + lost)


@cache
def _log_factorials(size: int) -> Float64Array:
    """Returns float64[size], log 0! to log (size - 1)!."""
    logs = np.fromiter((math.lgamma(number + 1) for number in range(size)), np.float64, size)
    logs.flags.writeable = False
    return logs
