"""Which points a picture draws: weak baselines must not squeeze all other models into a small part of the axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recbench.builtin_models import POPULARITY, RANDOM

BASELINES: Final = (POPULARITY, RANDOM)
"""Models that serve as a lower bound, and whose figures are far from those of all other models."""
LEAST_SHARE: Final = 2 / 3
"""The other models have at least this share of each axis; otherwise baselines are outside of the picture."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a point and its error bars cover.

    Attributes:
        model: The model's name.
        left: The lowest cost; above 0.
        right: The highest cost.
        low: The lowest quality.
        high: The highest quality.
    """

    model: str
    left: float
    right: float
    low: float
    high: float


def outside(points: Sequence[Extent]) -> frozenset[int]:
    """Returns the numbers of the points that a picture names instead of drawing them. At least two points stay.

    - Points below a gap that is larger than the range of all points above it would take more than half of the axis of
      quality. At least half of the points are above the gap.
    - Baselines are left out if the other models would have less than ``LEAST_SHARE`` of an axis. The axis of cost is
      logarithmic.

    >>> def point(model, seconds, hr):
    ...     return Extent(model, seconds, seconds, hr - 0.01, hr + 0.01)
    >>> outside([point("a", 1, 0.54), point("b", 9, 0.5), point("c", 2, 0.1)])
    frozenset({2})
    >>> outside([point("a", 1, 0.54), point("b", 9, 0.4), point("popularity", 0.01, 0.35)])
    frozenset({2})
    """
    far = _below_gap(points)
    others = [point for number, point in enumerate(points) if number not in far and point.model not in BASELINES]
    near = [point for number, point in enumerate(points) if number not in far]
    if len(others) < 2 or len(others) == len(near) or min(_shares(others, near)) >= LEAST_SHARE:
        return far
    return far | {number for number, point in enumerate(points) if point.model in BASELINES}


def _below_gap(points: Sequence[Extent]) -> frozenset[int]:
    ordered = sorted(range(len(points)), key=lambda number: points[number].high)
    for count in range(len(ordered) // 2, 0, -1):
        below, above = ordered[:count], [points[number] for number in ordered[count:]]
        low, high = min(point.low for point in above), max(point.high for point in above)
        if len(above) > 1 and low - points[below[-1]].high > high - low:
            return frozenset(below)
    return frozenset()


def _shares(some: Sequence[Extent], all_of_them: Sequence[Extent]) -> tuple[float, float]:
    """Returns the share of each axis that some of the points would have, if all of them were drawn."""
    (across, up), (all_across, all_up) = _ranges(some), _ranges(all_of_them)
    return across / all_across if all_across else 1.0, up / all_up if all_up else 1.0


def _ranges(points: Sequence[Extent]) -> tuple[float, float]:
    left, right = min(point.left for point in points), max(point.right for point in points)
    return math.log(right / left), max(point.high for point in points) - min(point.low for point in points)
