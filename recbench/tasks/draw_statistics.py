"""A chi-square test of candidates: are they a uniform sample, or a sample by popularity?

The negatives of a case are distinct items that its user has not interacted with. So the items that can be drawn differ
from user to user, and the counts of two items are not independent. The test computes the mean and the covariance of the
counts of groups of items, case by case, and compares them with the counts that were observed:
T = (O - E)' V^-1 (O - E) has a chi-square distribution with (groups - 1) degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.chi_square import chi_square_p_value
from recbench.tasks.task import NO_ITEM, Cases

Float64Array = npt.NDArray[np.float64]

MOST_CASES = 5_000
"""Cases that are looked at: this many negatives show any difference that matters, and bound time and memory."""
LEVELS_PER_E_FOLD = 50
"""Items whose popularity differs by less than 1 / 50 count as equally popular when drawn by popularity."""
LEAST_EXPECTED = 10.0
"""Expected count of a group, under either hypothesis."""
LEAST_SHARE = 0.02
"""Expected share of all negatives in a group, under either hypothesis."""
STEPS = 100
"""Of Newton's method; about 10 are usual."""


@dataclass(frozen=True, slots=True)
class DrawStatistics:
    """What the test says.

    Attributes:
        n_negatives: Negatives that it looked at.
        p_uniform: Probability of counts at least so far from those of uniform draws, if draws are uniform.
        p_popularity: The same for draws in proportion to the number of rows of an item, in train and test.
    """

    n_negatives: int
    p_uniform: float
    p_popularity: float


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """The negatives of some cases, by levels of popularity.

    Attributes:
        weights: float64[levels], mean number of rows of the items of a level, ascending.
        unseen: float64[cases, levels], items of a level that the case's user has not interacted with.
        counts: float64[cases], negatives of the case.
        drawn: float64[levels], negatives of all cases.
    """

    weights: Float64Array
    unseen: Float64Array
    counts: Float64Array
    drawn: Float64Array


def examine_draws(
    users: Int32Array, items: Int32Array, cases: Cases, n_users: int, n_items: int
) -> DrawStatistics | None:
    """Tests how the negatives of cases were drawn.

    One case of each user counts: a user's cases may share their negatives.

    Args:
        users: int32[rows], the users of the rows, train and test.
        items: int32[rows], their items.
        cases: Cases with distinct negatives.
        n_users: Number of users.
        n_items: Number of items.

    Returns:
        None if there are too few negatives, or items are too equal in popularity, for groups of enough negatives.
    """
    draws = _draws(users, items, cases, n_users, n_items)
    if draws is None:
        return None
    uniform, popular = (_inclusion(draws, weights) for weights in (np.ones(len(draws.weights)), draws.weights))
    groups = _groups((draws.unseen * uniform).sum(axis=0), (draws.unseen * popular).sum(axis=0))
    if groups[-1] < 1:
        return None
    p_values = (_p_value(draws, chances, groups) for chances in (uniform, popular))
    return DrawStatistics(int(draws.drawn.sum()), *p_values)


def _draws(users: Int32Array, items: Int32Array, cases: Cases, n_users: int, n_items: int) -> _Draws | None:
    popularity = np.bincount(items, minlength=n_items)
    levels = _levels(popularity, cases.negatives)
    chosen = _one_case_a_user(cases)
    place = np.full(n_users, -1)
    place[cases.users[chosen]] = np.arange(len(chosen))
    n_levels = int(levels.max()) + 1
    if n_levels < 2:
        return None
    counted = levels >= 0
    sizes = np.bincount(levels[counted], minlength=n_levels)
    weights = np.bincount(levels[counted], popularity[counted], n_levels) / sizes
    rows = (place[users] >= 0) & counted[items]
    cells = place[users[rows]] * n_levels + levels[items[rows]]
    unseen = sizes - np.bincount(cells, minlength=len(chosen) * n_levels).reshape(len(chosen), n_levels)
    negatives = cases.negatives[chosen]
    # The last entry stands for NO_ITEM, which is -1.
    of_negatives = np.append(levels, -1)[negatives]
    counts = (of_negatives >= 0).sum(axis=1)
    # A case whose negatives are all that its user could be given says nothing.
    telling = (counts > 0) & (counts < unseen.sum(axis=1))
    if not telling.any():
        return None
    kept = of_negatives[telling]
    drawn = np.bincount(kept[kept >= 0], minlength=n_levels)
    return _Draws(
        weights, unseen[telling].astype(np.float64), counts[telling].astype(np.float64), drawn.astype(np.float64)
    )


def _levels(popularity: Int64Array, negatives: Int32Array) -> Int64Array:
    """Returns int64[n_items], the level of each item; -1 for items that the test leaves out.

    An item without a row is left out if it may be in the catalogue only because it was drawn: to count it would make
    such items look preferred. If some of them were never drawn, the catalogue is known from elsewhere.
    """
    drawn = np.zeros(len(popularity), dtype=np.bool_)
    drawn[negatives[negatives != NO_ITEM]] = True
    rowless = popularity == 0
    left_out = rowless if drawn[rowless].all() else np.zeros_like(rowless)
    rounded = np.round(LEVELS_PER_E_FOLD * np.log1p(popularity))
    levels = np.full(len(popularity), -1)
    levels[~left_out] = np.unique(rounded[~left_out], return_inverse=True)[1]
    return levels


def _one_case_a_user(cases: Cases) -> Int64Array:
    """Returns a case of each user, that of the lowest item, of at most ``MOST_CASES`` users.

    Users and items are numbered by a hash of their ids, so the choice depends on no order of lines.
    """
    by_item = np.lexsort((cases.items, cases.users))
    first = by_item[np.unique(cases.users[by_item], return_index=True)[1]]
    if len(first) <= MOST_CASES:
        return first
    return first[np.arange(MOST_CASES) * len(first) // MOST_CASES]


def _inclusion(draws: _Draws, weights: Float64Array) -> Float64Array:
    """Returns float64[cases, levels], the probability of an item of a level to be among the negatives.

    Draws one after the other without replacement, in proportion to weights w, take the items of the shortest waiting
    times, where those of item j are exponential with the rate w_j. So the probability is about 1 - exp(-w_j t) with
    the t at which these sum up to the number of negatives (Rosén, 1972). Exact for equal weights.
    """
    # Popularity cannot draw items of weight 0; without this bound there would be no t.
    counts = np.minimum(draws.counts, 0.999 * draws.unseen[:, weights > 0].sum(axis=1))
    times = np.zeros(len(counts))
    for _ in range(STEPS):
        left = np.exp(-times[:, None] * weights)
        short = counts - (draws.unseen * (1 - left)).sum(axis=1)
        if (short <= 1e-9 * counts).all():
            break
        # The sum is concave in t, so the steps from 0 never pass the root.
        slopes = (draws.unseen * weights * left).sum(axis=1)
        times += np.divide(np.maximum(short, 0.0), slopes, out=np.zeros_like(times), where=slopes > 0)
    return 1 - np.exp(-times[:, None] * weights)


def _groups(uniform: Float64Array, popular: Float64Array) -> Int64Array:
    """Returns int64[levels], the group of each level: neighbouring levels, until enough negatives are expected."""
    least = [max(LEAST_EXPECTED, LEAST_SHARE * float(expected.sum())) for expected in (uniform, popular)]
    groups, group, sums = np.zeros(len(uniform), dtype=np.int64), 0, [0.0, 0.0]
    for level, of_level in enumerate(zip(uniform, popular, strict=True)):
        groups[level] = group
        sums = [total + float(count) for total, count in zip(sums, of_level, strict=True)]
        if sums[0] >= least[0] and sums[1] >= least[1]:
            group, sums = group + 1, [0.0, 0.0]
    # What is left after the last whole group goes to it.
    return np.minimum(groups, max(group - 1, 0))


def _p_value(draws: _Draws, chances: Float64Array, groups: Int64Array) -> float:
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    excess = np.add.reduceat(draws.drawn - (draws.unseen * chances).sum(axis=0), starts)
    # Of independent draws that are known to be so many: conditional Poisson sampling (Hájek, 1964).
    variances = np.add.reduceat(draws.unseen * chances * (1 - chances), starts, axis=1)
    sums, pools = variances.sum(axis=1), draws.unseen.sum(axis=1)
    telling = sums > 0
    # Exact for uniform draws.
    scale = np.sqrt(pools / (pools - 1))[telling, None]
    shares = scale * variances[telling] / np.sqrt(sums[telling])[:, None]
    covariance = np.diag((scale**2 * variances[telling]).sum(axis=0)) - shares.T @ shares
    # The groups sum up to the number of negatives, so the last one follows from the others.
    excess, covariance = excess[:-1], covariance[:-1, :-1]
    statistic = float(excess @ np.linalg.lstsq(covariance, excess, rcond=None)[0])
    return chi_square_p_value(statistic, len(excess))
