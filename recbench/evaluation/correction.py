"""What ranks among sampled negatives say about the whole catalogue, after Krichene and Rendle (KDD 2020).

Words: of ``n`` items (the positive among them) the positive has the true rank r, from 1; it is ranked with ``m``
negatives drawn uniformly from the n - 1 others, which gives the sampled rank s, from 1. Distinct negatives make s - 1
hypergeometric; negatives drawn with replacement, which the paper looks at, make it binomial.
"""

from functools import lru_cache

import numpy as np

from recbench.evaluation.combinatorics import binomial_probabilities, log_choose
from recbench.evaluation.metric import Float64Array, Measure
from recbench.evaluation.metric_names import measure_of
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int32Array, Int64Array

VARIANCE_WEIGHT = 0.1
"""The paper's gamma: how much variance counts against bias; its experiments use 0.1."""

LEAST_OF_PERFECT = 0.9
MOST_OF_PERFECT = 1.1
"""A metric is corrected where a perfect model has at least the one and at most the other after the correction.

The estimator trades bias for variance. In a large catalogue it reads far too little. In a small one it reads too much
for a good model: up to 1.16 for HR@k with a perfect model.
"""

RANKS_AT_ONCE = 2**15
CELLS_AT_ONCE = 2**22
"""Bounds the memory where cases have thousands of negatives."""


def gains(measure: Measure, n: int) -> Float64Array:
    """Returns float64[n], the measure's value at the ranks 1 .. n.

    Args:
        measure: Its metric has ``gains``; with a cut-off.
        n: The last rank.
    """
    assert measure.metric.gains is not None
    assert measure.k is not None
    return measure.metric.gains(np.arange(1, n + 1), measure.k)


def rank_probabilities(true_ranks: Int64Array, n: int, m: int, *, distinct: bool = True) -> Float64Array:
    """Returns P(s | r), float64[ranks, m + 1].

    Args:
        true_ranks: int64[ranks], from 1.
        n: Items, the positive among them.
        m: Negatives; at most n - 1 if they are distinct.
        distinct: Whether the negatives of a case are distinct.
    """
    better, drawn = (true_ranks - 1)[:, None], np.arange(m + 1)[None, :]
    if not distinct:
        return binomial_probabilities(m, drawn, better / (n - 1))
    # The hypergeometric distribution.
    possible = (drawn <= better) & (m - drawn <= n - 1 - better)
    ways = log_choose(better, drawn) + log_choose(n - 1 - better, m - drawn) - log_choose(np.array(n - 1), np.array(m))
    return np.where(possible, np.exp(np.where(possible, ways, 0.0)), 0.0)


def expected(measure: Measure, true_ranks: Int64Array, n: int, m: int, *, distinct: bool = True) -> Float64Array:
    """Returns the expectation of a measure on sampled negatives for known true ranks, float64[ranks].

    The sum over s of P(s | r) gains(s); for HR@k the distribution function of s - 1 at k - 1.
    """
    return rank_probabilities(true_ranks, n, m, distinct=distinct) @ gains(measure, m + 1)


@lru_cache(maxsize=1024)
def corrected_gains(measure: Measure, n: int, m: int, *, distinct: bool = True) -> Float64Array:
    """Returns float64[m + 1], the values of the sampled ranks 1 .. m + 1 as estimates of the measure at the true rank.

    The bias-variance estimator: ((1 - g) A'A + g diag(c))^-1 A'b with A[r, s] = sqrt(p(r)) P(s | r),
    b[r] = sqrt(p(r)) gains(r), c[s] = sum over r of p(r) P(s | r), p uniform over r = 1 .. n, g = ``VARIANCE_WEIGHT``.
    """
    worth = gains(measure, n)
    counted = np.flatnonzero(worth)
    products = worth[counted] @ rank_probabilities(counted + 1, n, m, distinct=distinct) / n
    solved: Float64Array = np.asarray(np.linalg.solve(_system(n, m, distinct), products), dtype=np.float64)
    solved.flags.writeable = False
    return solved


@lru_cache(maxsize=8)
def _system(n: int, m: int, distinct: bool) -> Float64Array:
    """Returns float64[m + 1, m + 1], the matrix of the estimator, which is the same for every measure."""
    squares, masses = np.zeros((m + 1, m + 1)), np.zeros(m + 1)
    at_once = min(RANKS_AT_ONCE, max(CELLS_AT_ONCE // (m + 1), 1))
    for start in range(0, n, at_once):
        ranks = np.arange(start + 1, min(start + at_once, n) + 1)
        probabilities = rank_probabilities(ranks, n, m, distinct=distinct)
        squares += probabilities.T @ probabilities / n
        masses += probabilities.sum(axis=0) / n
    return np.asarray((1 - VARIANCE_WEIGHT) * squares + VARIANCE_WEIGHT * np.diag(masses))


def corrected(measure: Measure, ranks: Ranks, n: int, *, distinct: bool = True) -> Float64Array:
    """Estimates each case's value in the full ranking from its sampled rank, float64[cases].

    Single estimates can lie outside of 0 .. 1; it is their mean that means something. Ties count by expectation.

    Args:
        measure: Its metric has ``gains``; with a cut-off.
        ranks: Ranks among uniformly drawn negatives.
        n: Items that a positive is ranked with in the whole catalogue, itself included; one number for all cases, such
            as their mean.
        distinct: Whether the negatives of a case are distinct.
    """
    values = np.empty(len(ranks))
    for m in np.unique(ranks.n_others):
        rows = ranks.n_others == m
        sums = np.concatenate([[0.0], np.cumsum(corrected_gains(measure, n, int(m), distinct=distinct))])
        better, tied = ranks.better[rows], ranks.tied[rows]
        values[rows] = (sums[better + tied + 1] - sums[better]) / (tied + 1)
    return values


def of_perfect_model(measure: Measure, n_others: Int32Array, n: int, *, distinct: bool = True) -> float | None:
    """Returns the corrected mean of a model whose true rank is 1 in every case; its distance from 1 is the bias.

    Args:
        measure: The metric and its cut-off.
        n_others: int32[cases], negatives of each case.
        n: As in ``corrected``.
        distinct: Whether the negatives of a case are distinct.

    Returns:
        None where nothing can be corrected: the metric has no ``gains``, or a case has the whole catalogue as its
        candidates.
    """
    if measure.metric.gains is None or not len(n_others) or n <= int(n_others.max()) + 1:
        return None
    counts = np.bincount(n_others)
    first = [
        count * corrected_gains(measure, n, int(m), distinct=distinct)[0] for m, count in enumerate(counts) if count
    ]
    return float(np.sum(first) / len(n_others))


def has_little_bias(perfect: float) -> bool:
    """Whether a metric is corrected, given what ``of_perfect_model`` returns for it.

    >>> has_little_bias(0.954), has_little_bias(0.568), has_little_bias(1.137)
    (True, False, False)
    """
    return LEAST_OF_PERFECT <= perfect <= MOST_OF_PERFECT


def even_chance_rank(k: int, n: int, m: int, *, distinct: bool = True) -> int:
    """Returns the true rank nearest to where a hit in the sampled top k is as likely as not, from 1.

    E[HR@k] falls with the true rank, so HR@k on m negatives is roughly HR at this rank in the whole catalogue.
    """
    hits = measure_of("hr", k)
    low, high = 1, n
    while high - low > 1:
        middle = (low + high) // 2
        likely = float(expected(hits, np.array([middle]), n, m, distinct=distinct)[0]) >= 0.5
        low, high = (middle, high) if likely else (low, middle)
    chances = expected(hits, np.array([low, high]), n, m, distinct=distinct)
    return (low, high)[int(np.abs(chances - 0.5).argmin())]
