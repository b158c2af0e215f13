"""How many hits a random scorer can have: the exact distribution, and the interval that holds all but a millionth."""

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.protocol import Int64Array

MISSED = 1e-6
"""Probability that the interval misses, both sides together."""


def hits_interval(n_negatives: Int64Array, k: int) -> tuple[int, int]:
    """Returns the fewest and the most hits at k that independent cases have with probability 1 - MISSED.

    The positive of a case with n negatives is equally likely at each of its n + 1 ranks, so its hit is a coin of
    probability k / (n + 1). Hits of cases with the same n are binomial; those of different n add up by convolution.

    Args:
        n_negatives: int64[cases], at least k each.
        k: Cut-off.
    """
    distribution = np.ones(1)
    for n, cases in zip(*np.unique(n_negatives, return_counts=True), strict=True):
        distribution = np.convolve(distribution, binomial(int(cases), k / (int(n) + 1)))
    below, above = np.cumsum(distribution), np.cumsum(distribution[::-1])
    fewest = int((below > MISSED / 2).argmax())
    most = len(distribution) - 1 - int((above > MISSED / 2).argmax())
    return fewest, most


def binomial(n: int, p: float) -> Float64Array:
    """The probabilities of 0 .. n successes in n trials of probability 0 < p < 1, float64[n + 1]."""
    x = np.arange(n + 1)
    choose = np.concatenate([[0.0], np.cumsum(np.log(n - x[1:] + 1) - np.log(x[1:]))])
    probabilities: Float64Array = np.exp(choose + x * np.log(p) + (n - x) * np.log1p(-p))
    return probabilities
