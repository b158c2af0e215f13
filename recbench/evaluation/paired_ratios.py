"""What pairs of timings say about a ratio, given pairs of the same code as a control.

Everything is about logarithms of ratios: twice as fast and half as fast then differ from 0 by the same amount. Nothing
assumes a distribution. Two runs of the same code are as likely to differ by x as by -x, whatever the noise of the
machine is; this is all that the tests use.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count, product

import numpy as np

from recbench.evaluation.bootstrap import LEVEL, Interval
from recbench.evaluation.combinatorics import binomial_probabilities
from recbench.evaluation.metric import Float64Array

DRAWS = 10_000
_ALL_SIGNS = 12
"""Up to so many pairs, all patterns of signs are tried; beyond, ``DRAWS`` random ones."""


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """What pairs say about a ratio, as a logarithm.

    Attributes:
        n: Number of pairs.
        shift: Median over the pairs.
        interval: At least 95 % confidence interval of the median, from the order of the pairs alone.
        noise: What the median of so many pairs of the same code does not exceed in 95 of 100 cases.
        p: Two-sided p-value of the test against the control; see ``signed_rank_p``.
    """

    n: int
    shift: float
    interval: Interval
    noise: float
    p: float


@cache
def fewest_pairs(outliers: int = 0) -> int:
    """Returns how many pairs an interval needs that does not reach to the outliers on either side.

    2 P(B <= outliers) <= 5 %, B from Binomial(n, 1/2): with fewer pairs, the interval would be too sure.

    Args:
        outliers: Pairs on each side that the interval leaves out.
    """
    return next(n for n in count(2 * outliers + 2) if 2 * _tail(n)[outliers] <= 1 - LEVEL)


def alternation(n: int) -> Iterator[tuple[int, bool]]:
    """Yields the trials of n pairs in the order A B B A: the pair, and whether it is the trial of B.

    A machine that gets slower or faster at a steady rate then favours neither.

    >>> "".join(f"{'B' if is_b else 'A'}{pair}" for pair, is_b in alternation(3))
    'A0B0B1A1A2B2'
    """
    for pair in range(n):
        yield from ((pair, (pair + turn) % 2 == 1) for turn in range(2))


def paired_ratio(pairs: Float64Array, control: Float64Array) -> PairedRatio:
    """Measures a ratio.

    Args:
        pairs: float64[n], the logarithms of the ratios; ``fewest_pairs`` at least.
        control: float64[m], those of pairs of the same code.
    """
    return PairedRatio(
        len(pairs),
        float(np.median(pairs)),
        median_interval(pairs),
        median_noise(control, len(pairs)),
        signed_rank_p(pairs, control),
    )


def median_interval(values: Float64Array) -> Interval:
    """Returns the confidence interval of the median from order statistics, at least 95 % (David and Nagaraja, 2003).

    The k-th lowest and the k-th highest value, for the highest k with 2 P(B < k) <= 5 %, B from Binomial(n, 1/2).

    Args:
        values: float64[n]; ``fewest_pairs`` at least.
    """
    ordered, n = np.sort(values), len(values)
    k = int(np.count_nonzero(2 * _tail(n) <= 1 - LEVEL))
    return Interval(float(ordered[k - 1]), float(ordered[n - k]))


def _tail(n: int) -> Float64Array:
    """Returns P(B <= 0), P(B <= 1), ... of B from Binomial(n, 1/2), up to half of n."""
    return np.asarray(np.cumsum(binomial_probabilities(n, np.arange(n // 2 + 1), np.array(0.5))))


def median_noise(control: Float64Array, n: int) -> float:
    """Returns the 95 % quantile of the size of the median of n pairs that have the control's sizes and random signs.

    A few outliers of the control, such as trials beside which another program ran, hardly change it.

    Args:
        control: float64[m], logarithms of ratios of the same code.
        n: Number of pairs whose median is judged.
    """
    m = len(control)
    if n == m <= _ALL_SIGNS:
        drawn = np.array(list(product((-1.0, 1.0), repeat=m))) * control
    else:
        rng = np.random.Generator(np.random.PCG64(0))
        signs = rng.integers(0, 2, (DRAWS, n)) * 2.0 - 1
        drawn = signs * control[rng.integers(0, m, (DRAWS, n))]
    return float(np.quantile(np.abs(np.median(drawn, axis=1)), LEVEL))


def signed_rank_p(pairs: Float64Array, control: Float64Array) -> float:
    """Returns the two-sided p-value of the pairs' signed ranks among all pairs, theirs and the control's.

    If both revisions are equally fast, the pairs and the control come from the same distribution, which is symmetric.
    Then it is chance which sizes and which signs the pairs have. Sizes are ranked over all pairs, so that a single
    outlier counts as any other large pair (as in Wilcoxon, 1945). p = (1 + draws at least as extreme) / (1 + draws).

    Args:
        pairs: float64[n], logarithms of ratios.
        control: float64[m], those of the same code.
    """
    n, together = len(pairs), np.concatenate([pairs, control])
    # Ranks of 2, 4, ...; twice, so that the mean rank of equal sizes is a whole number.
    sizes, inverse, counts = np.unique(np.abs(together), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (2 * last - counts + 1)[inverse.reshape(-1)].astype(np.float64)
    ranks[sizes[inverse.reshape(-1)] == 0] = 0
    observed = abs(float(np.sign(pairs) @ ranks[:n]))
    rng = np.random.Generator(np.random.PCG64(0))
    extreme, left = 0, DRAWS
    at_once = max(2**22 // len(together), 1)
    while left > 0:
        rows = min(at_once, left)
        chosen = rng.permuted(np.broadcast_to(ranks, (rows, len(ranks))), axis=1)[:, :n]
        signs = rng.integers(0, 2, (rows, n)) * 2.0 - 1
        extreme += int(np.count_nonzero(np.abs((signs * chosen).sum(axis=1)) >= observed - 1e-9))
        left -= rows
    return (1 + extreme) / (1 + DRAWS)


def as_change(log_ratio: float) -> float:
    """Returns the relative change that a logarithm of a ratio stands for.

    >>> as_change(0.0), round(as_change(math.log(0.8)), 9)
    (0.0, -0.2)
    """
    return math.expm1(log_ratio)
