"""Confidence intervals of means over cases, from a bootstrap over users."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recbench.evaluation.column_blocks import column_blocks
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_sums import UserSums

UInt32Array = npt.NDArray[np.uint32]

RESAMPLES = 10_000
LEVEL = 0.95

DRAWS_AT_ONCE = 2**21
COUNTED_AT_ONCE = 2**17
KEPT_DRAWS = 2**24
"""Up to so many draws are kept, in 64 MB, for the next table with as many users."""
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
    means = [np.empty((user_sums.sums.shape[1], resamples)) for user_sums in of_users]
    start = 0
    for drawn in _times_drawn(len(of_users[0]), resamples, seed):
        times, in_short = drawn.astype(np.float64), drawn.astype(np.float32)
        stop = start + len(times)
        for user_sums, mean_draws in zip(of_users, means, strict=True):
            n_drawn = times @ user_sums.counts
            for columns in column_blocks(user_sums.sums.shape[1]):
                sums = user_sums.sums[:, columns]
                exact = _exact_in_float32(sums)
                totals = np.empty((sums.shape[1], len(times)))
                totals[exact] = sums[:, exact].T.astype(np.float32) @ in_short.T
                totals[~exact] = sums[:, ~exact].T @ times.T
                np.divide(totals, n_drawn, out=mean_draws[columns, start:stop])
        start = stop
    return [mean_draws.T for mean_draws in means]


def _times_drawn(n_users: int, resamples: int, seed: int) -> Iterable[UInt32Array]:
    """Returns how often each resample draws each user, uint32[rows, n_users] for some resamples after the other."""
    if n_users * resamples <= KEPT_DRAWS:
        return _kept_times_drawn(n_users, resamples, seed)
    return _draw(n_users, resamples, seed)


@lru_cache(maxsize=1)
def _kept_times_drawn(n_users: int, resamples: int, seed: int) -> list[UInt32Array]:
    """Draws once for all tables of a task, such as those of a page: drawing takes most of the time of an interval."""
    return list(_draw(n_users, resamples, seed))


def _draw(n_users: int, resamples: int, seed: int) -> Iterator[UInt32Array]:
    rng = np.random.Generator(np.random.PCG64(seed))
    at_once = max(DRAWS_AT_ONCE // n_users, 1)
    # So few that their counts stay in the processor's cache.
    few = max(COUNTED_AT_ONCE // n_users, 1)
    starts = np.arange(few)[:, None] * n_users
    for start in range(0, resamples, at_once):
        times = np.empty((min(at_once, resamples - start), n_users), dtype=np.uint32)
        for first in range(0, len(times), few):
            part = times[first : first + few]
            drawn = rng.integers(0, n_users, part.shape, dtype=np.int32) + starts[: len(part)]
            part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
        yield times


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
