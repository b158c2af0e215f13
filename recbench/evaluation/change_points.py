"""Change points: where the mean of a series with known uncertainty changes.

Optimal partitioning (Jackson et al., IEEE Signal Processing Letters, 2005) minimises the weighted squared distance to
the means of segments plus a penalty for each change. It is exact, and a history has at most some thousands of points,
so that the pruning of PELT (Killick, Fearnhead and Eckley, JASA, 2012) is not needed. ``ruptures`` has no weights for
single points; the tests compare with it for equal weights.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.metric import Float64Array

Z: Final = 1.959963984540054
LEAST_SD: Final = 1e-9
"""Stands for the standard error of points that do not vary at all."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the mean.

    Attributes:
        start: The first point after it.
        size: The mean of the segment after it, minus that of the segment before it.
        interval: 95 % confidence interval of the size, given where the changes are.
    """

    start: int
    size: float
    interval: Interval


def find_changes(values: Float64Array, errors: Float64Array) -> list[Change]:
    """Returns the changes of the mean of a series, in its order.

    Args:
        values: float64[n].
        errors: float64[n], the standard error of each value.
    """
    if len(values) < 2:
        return []
    weights = 1 / np.maximum(errors, LEAST_SD) ** 2
    bounds = [0, *segment_starts(values, weights, penalty(len(values))), len(values)]
    segments = [slice(*pair) for pair in pairwise(bounds)]
    means = [float(np.average(values[segment], weights=weights[segment])) for segment in segments]
    variances = [1 / float(weights[segment].sum()) for segment in segments]
    changes = []
    for number in range(1, len(segments)):
        size = means[number] - means[number - 1]
        reach = Z * math.sqrt(variances[number] + variances[number - 1])
        changes.append(Change(bounds[number], size, Interval(size - reach, size + reach)))
    return changes


def penalty(n: int) -> float:
    """Returns the penalty of a change in a series of n points, in squared standard errors: 4 + 2 log n.

    2 log n alone, the Schwarz criterion, is for long series: of 2,000 simulated series of 10 points without a change,
    400 showed one. With the 4, it was at most 3 in 100, for 2 to 1,000 points.
    """
    return 4 + 2 * math.log(n)


def segment_starts(values: Float64Array, weights: Float64Array, of_change: float) -> list[int]:
    """Returns the first points of all segments but the first, for the partition of least cost.

    The cost of a segment is the weighted sum of squares around its weighted mean.

    Args:
        values: float64[n].
        weights: float64[n], each above 0.
        of_change: What each change adds to the cost.
    """
    n = len(values)
    # Around their mean, so that the differences of sums keep their digits.
    centred = values - np.average(values, weights=weights)
    sums = [np.concatenate([[0.0], np.cumsum(terms)]) for terms in (weights, weights * centred, weights * centred**2)]
    least = np.full(n + 1, np.inf)
    least[0] = -of_change
    last = np.zeros(n + 1, dtype=np.int64)
    for end in range(1, n + 1):
        total, first, second = (cumulative[end] - cumulative[:end] for cumulative in sums)
        costs = least[:end] + second - first**2 / total + of_change
        last[end] = np.argmin(costs)
        least[end] = costs[last[end]]
    starts = []
    end = n
    while (end := int(last[end])) > 0:
        starts.append(end)
    return starts[::-1]
