"""Quantiles of Student's t distribution, in place of those of the normal distribution."""

import math
from functools import lru_cache

import numpy as np

_LIKE_NORMAL = 10_000.0
"""Degrees of freedom from which the normal distribution takes its place; its quantiles differ by less than 1e-4."""
_STEPS = 20_000


@lru_cache(maxsize=1_000)
def student_quantile(z: float, degrees: float) -> float:
    """Returns the quantile of Student's t distribution that ``z`` is of the normal distribution.

    With t = sqrt(n) tan(a), the density of the angle a is proportional to cos(a)**(n - 1); it is integrated
    numerically.

    Args:
        z: Quantile of the normal distribution, 0 or more.
        degrees: Degrees of freedom, at least 1; not always a whole number (Welch, Biometrika, 1947).

    >>> [round(student_quantile(1.959964, degrees), 3) for degrees in (1, 2, 4, 4.5, math.inf)]
    [12.706, 4.303, 2.776, 2.659, 1.96]
    """
    if degrees >= _LIKE_NORMAL:
        return z
    angles = np.linspace(0.0, math.pi / 2, _STEPS + 1)
    density = np.cos(angles) ** (degrees - 1)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    angle = float(np.interp(math.erf(z / math.sqrt(2)) * below[-1], below, angles))
    return math.sqrt(degrees) * math.tan(angle)
