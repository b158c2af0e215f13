"""From figures to pixels, and the round figures that an axis names."""

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1, 2, 2.5, 5, 10)
SMALLEST: Final = 1e-9
"""No shorter time or range is drawn."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis.

    Attributes:
        low: The figure at ``start``.
        high: The figure at ``end``.
        start: Pixels.
        end: Pixels.
        logarithmic: Whether equal ratios have equal lengths.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Returns the place of a figure, in pixels."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = (math.log(max(figure, SMALLEST)) for figure in (low, high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Returns at most ``most`` round figures on the axis."""
        return _log_ticks(self.low, self.high, most) if self.logarithmic else _ticks(self.low, self.high, most)


def scale(
    low: float, high: float, start: float, end: float, *, logarithmic: bool = False, margin: float = 0.06
) -> Scale:
    """Returns an axis that holds a range, with room at both ends.

    Args:
        low: The lowest figure.
        high: The highest figure.
        start: Pixels of the low end.
        end: Pixels of the high end.
        logarithmic: Whether equal ratios have equal lengths.
        margin: Room at each end, as a share of the range.
    """
    if logarithmic:
        low = max(low, SMALLEST)
        ratio = max(high / low, 1.5)
        return Scale(low / ratio**margin, low * ratio ** (1 + margin), start, end, logarithmic=True)
    size = max(high - low, SMALLEST, abs(high) * 1e-3)
    middle, length = (low + high) / 2, (0.5 + margin) * size
    return Scale(middle - length, middle + length, start, end)


def _ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in STEPS if power * factor >= rough * (1 - SMALLEST))
    first = math.ceil(low / step)
    return [round(number * step, 12) for number in range(first, math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= most:
            break
    # A range within one decade may hold none of these figures.
    return ticks[:: -(-len(ticks) // most)] if len(ticks) > 1 else _ticks(low, high, most)
