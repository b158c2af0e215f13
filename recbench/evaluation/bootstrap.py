"""Confidence intervals of means over cases, from a bootstrap over users."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_sums import UserSums

RESAMPLES = 10_000
LEVEL = 0.95

DRAWS_AT_ONCE = 2**21


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


def resampled_means(by_user: UserSums, resamples: int = RESAMPLES, seed: int = 0) -> Float64Array:
    """Returns float64[resamples, columns], the means over the cases of as many users drawn with replacement.

    All columns share the draws, so the difference of two columns is that of a paired bootstrap.

    Args:
        by_user: The values.
        resamples: How often.
        seed: What the draws follow from.
    """
    (means,) = resampled_together([by_user], resamples, seed)
    return means


def resampled_together(of_users: Sequence[UserSums], resamples: int = RESAMPLES, seed: int = 0) -> list[Float64Array]:
    """Returns the same for several sums over the same users, such as over cases and over users, with the same draws.

    Args:
        of_users: The values; all of the same number of users.
        resamples: How often.
        seed: What the draws follow from.
    """
    n_users = len(of_users[0])
    columns = np.column_stack([array for one in of_users for array in (one.sums, one.counts)])
    rng = np.random.Generator(np.random.PCG64(seed))
    means = [np.empty((resamples, one.sums.shape[1])) for one in of_users]
    at_once = max(DRAWS_AT_ONCE // n_users, 1)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = rng.integers(0, n_users, (rows, n_users), dtype=np.int32)
        drawn += (np.arange(rows, dtype=np.int32) * n_users)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * n_users).reshape(rows, n_users)
        totals = times.astype(np.float64) @ columns
        for found in means:
            own, totals = np.split(totals, [found.shape[1] + 1], axis=1)
            found[start : start + rows] = own[:, :-1] / own[:, -1:]
    return means


def intervals(resampled: Float64Array, level: float = LEVEL) -> list[Interval]:
    """Returns the percentile interval of each column of float64[resamples, columns] (Efron, 1979)."""
    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    return [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]
