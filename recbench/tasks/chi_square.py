"""The tail of the chi-square distribution. scipy has it too, but an import of candidates would need nothing else."""

import math


def chi_square_p_value(statistic: float, degrees: int) -> float:
    """Returns P(X >= statistic) of a chi-square variable with this many degrees of freedom.

    From Q(a + 1, x) = Q(a, x) + x**a exp(-x) / Gamma(a + 1), Q(1/2, x) = erfc(sqrt(x)), Q(1, x) = exp(-x), with
    a = degrees / 2 and x = statistic / 2 (Abramowitz and Stegun, 26.4).

    >>> round(chi_square_p_value(3.841, 1), 3), round(chi_square_p_value(18.307, 10), 3)
    (0.05, 0.05)
    """
    x, a = max(statistic, 0.0) / 2, 0.5 if degrees % 2 else 1.0
    if x == 0:
        return 1.0
    tail = math.erfc(math.sqrt(x)) if degrees % 2 else math.exp(-x)
    while a < degrees / 2:
        tail += math.exp(a * math.log(x) - x - math.lgamma(a + 1))
        a += 1
    return min(tail, 1.0)
