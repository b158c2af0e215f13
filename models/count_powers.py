"""Powers of numbers of train rows, within the range of float64."""

import math

import numpy as np

LARGEST_LOGARITHM = 650.0
"""Of a power that is computed as it is. The sum over a catalogue of such powers is far below the largest float64."""


def power_base(counts: np.ndarray, exponent: float) -> float:
    """Returns the number by which to divide ``counts`` before raising them to ``exponent``.

    It is 1 for ordinary exponents. For an exponent with which powers would overflow, or all of them underflow, it is
    the count with the largest power: that power is then 1, and the ratios of all powers stay what they are.

    Args:
        counts: int[n] or float[n]; those that are 0 do not matter.
        exponent: The exponent.
    """
    known = counts[counts > 0]
    if not len(known):
        return 1.0
    largest = float(known.max() if exponent > 0 else known.min())
    return largest if abs(exponent) * math.log(largest) > LARGEST_LOGARITHM else 1.0


def count_powers(counts: np.ndarray, exponent: float) -> np.ndarray:
    """Returns counts ** exponent, float64[n]; 0 where the count is 0; see ``power_base`` for extreme exponents."""
    base = power_base(counts, exponent)
    known = counts > 0
    return np.where(known, (np.where(known, counts, base) / base) ** exponent, 0.0)
