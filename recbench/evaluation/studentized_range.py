"""The studentized range with infinite degrees of freedom, on which Nemenyi's test rests. It needs no scipy."""

import math
from typing import Final

import numpy as np

from recbench.evaluation.metric import Float64Array

_LIMIT: Final = 8.5
"""The normal density is below 1e-16 beyond it."""
_POINTS: Final = 2001
_STEPS: Final = 60


def survival(q: float, k: int) -> float:
    """Returns P(range of k independent standard normal values > q).

    1 - k * integral of phi(z) (Phi(z) - Phi(z - q))^(k - 1) dz, z the largest of the values (Tukey, 1953).

    Args:
        q: At least 0.
        k: At least 2.
    """
    z = np.linspace(-_LIMIT, _LIMIT, _POINTS)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    inside = density * (_normal(z) - _normal(z - q)) ** (k - 1)
    return float(min(max(1 - k * inside.sum() * (z[1] - z[0]), 0.0), 1.0))


def quantile(level: float, k: int) -> float:
    """Returns the q that the range exceeds with probability 1 - ``level``, by bisection."""
    low, high = 0.0, 4 * _LIMIT
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if survival(middle, k) > 1 - level else (low, middle)
    return (low + high) / 2


def _normal(z: Float64Array) -> Float64Array:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in z.tolist()])
