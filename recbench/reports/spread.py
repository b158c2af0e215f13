"""A figure over the seeds of a configuration."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over seeds.

    Attributes:
        values: One value a seed that has one.
        mean: Their mean.
        sd: Their standard deviation (n - 1 in the denominator); None for fewer than two.
    """

    values: tuple[float, ...]
    mean: float
    sd: float | None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Self | None:
        """Returns the spread of the values that are not None; None if there are none."""
        known = tuple(value for value in values if value is not None)
        if not known:
            return None
        return cls(known, fmean(known), stdev(known) if len(known) > 1 else None)

    @classmethod
    def of_all(cls, values: Iterable[float | None]) -> Self | None:
        """Returns the spread of the values; None if there are none, or one of them is None."""
        given = list(values)
        return None if None in given else cls.of(given)
