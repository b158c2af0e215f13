"""What ranks among sampled negatives say about the whole catalogue, after Krichene and Rendle (KDD 2020).

Words: of ``n`` items (the positive among them) the positive has the true rank r, from 1; it is ranked with ``m``
negatives drawn uniformly from the n - 1 others, which gives the sampled rank s, from 1. Distinct negatives make s - 1
hypergeometric; negatives drawn with replacement, which the paper looks at, make it binomial.
"""

from functools import cache

import numpy as np

from recbench.evaluation.combinatorics import binomial_probabilities, log_choose
from recbench.evaluation.metric import Float64Array, Measure
from recbench.evaluation.metric_names import measure_of
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int64Array

VARIANCE_WEIGHT = 0.1
"""The paper's gamma: how much variance counts against bias; its experiments use 0.1."""

RANKS_AT_ONCE = 2**15


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


@cache
def corrected_gains(measure: Measure, n: int, m: int, *, distinct: bool = True) -> Float64Array:
    """Returns float64[m + 1], the values of the sampled ranks 1 .. m + 1 as estimates of the measure at the true rank.

    The bias-variance estimator: ((1 - g) A'A + g diag(c))^-1 A'b with A[r, s] = sqrt(p(r)) P(s | r),
    b[r] = sqrt(p(r)) gains(r), c[s] = sum over r of p(r) P(s | r), p uniform over r = 1 .. n, g = ``VARIANCE_WEIGHT``.
    """
    squares, products, masses = np.zeros((m + 1, m + 1)), np.zeros(m + 1), np.zeros(m + 1)
    worth = gains(measure, n)
    for start in range(0, n, RANKS_AT_ONCE):
        ranks = np.arange(start + 1, min(start + RANKS_AT_ONCE, n) + 1)
        probabilities = rank_probabilities(ranks, n, m, distinct=distinct)
        squares += probabilities.T @ probabilities / n
        products += probabilities.T @ worth[ranks - 1] / n
        masses += probabilities.sum(axis=0) / n
    system = (1 - VARIANCE_WEIGHT) * squares + VARIANCE_WEIGHT * np.diag(masses)
    solved: Float64Array = np.asarray(np.linalg.solve(system, products), dtype=np.float64)
    solved.flags.writeable = False
    return solved


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
