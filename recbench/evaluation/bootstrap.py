"""Confidence intervals of means over cases, from a bootstrap over users."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.evaluation.column_blocks import column_blocks
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_sums import UserSums

RESAMPLES = 10_000
LEVEL = 0.95

DRAWS_AT_ONCE = 2**21
WHOLE_IN_FLOAT32 = 2**24
"""Up to here float32 holds every whole number."""


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
    rng = np.random.Generator(np.random.PCG64(seed))
    means = [np.empty((user_sums.sums.shape[1], resamples)) for user_sums in of_users]
    at_once = max(DRAWS_AT_ONCE // n_users, 1)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = rng.integers(0, n_users, (rows, n_users), dtype=np.int32)
        drawn += (np.arange(rows, dtype=np.int32) * n_users)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * n_users).reshape(rows, n_users).astype(np.float64)
        in_short = times.astype(np.float32)
        for user_sums, mean_draws in zip(of_users, means, strict=True):
            n_drawn = times @ user_sums.counts
            for columns in column_blocks(user_sums.sums.shape[1]):
                sums = user_sums.sums[:, columns]
                exact = _exact_in_float32(sums)
                totals = np.empty((sums.shape[1], rows))
                totals[exact] = sums[:, exact].T.astype(np.float32) @ in_short.T
                totals[~exact] = sums[:, ~exact].T @ times.T
                np.divide(totals, n_drawn, out=mean_draws[columns, start : start + rows])
    return [mean_draws.T for mean_draws in means]


def _exact_in_float32(sums: Float64Array) -> npt.NDArray[np.bool_]:
    """Returns bool[columns], whether float32 adds up whatever is drawn of a column without rounding, in half the time.

    That holds for whole numbers, such as hits without ties, whose largest possible total is below 2^24.
    """
    largest = np.abs(sums).max(axis=0, initial=0) * len(sums)
    return np.asarray((largest < WHOLE_IN_FLOAT32) & np.all(sums == np.rint(sums), axis=0))


def intervals(resampled: Float64Array, level: float = LEVEL) -> list[Interval]:
    """Returns the percentile interval of each column of float64[resamples, columns] (Efron, 1979)."""
    tail = (1 - level) / 2
    limits = [
        np.quantile(np.ascontiguousarray(resampled.T[columns]), [tail, 1 - tail], axis=1)
        for columns in column_blocks(resampled.shape[1])
    ]
    return [Interval(float(a), float(b)) for low, high in limits for a, b in zip(low, high, strict=True)]
