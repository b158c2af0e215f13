"""Tests of whether two models differ on the same cases, and how small a difference the cases can show."""

from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from recbench.evaluation.column_blocks import column_blocks
from recbench.evaluation.combinatorics import binomial_probabilities
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_sums import UserSums

Int8Array = npt.NDArray[np.int8]

FLIPS = 10_000
POWER = 0.8
ALPHA = 0.05

DRAWN_AT_ONCE = 2**22
"""Signs drawn with one call. Another number gives other signs, and so other p-values."""
SIGNS_AT_ONCE = 2**18
"""So many signs stay in the cache of the processor."""
SIGNS_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2.0 - 1.0
"""float64[256, 8], the sign of each bit of a byte."""


def sign_flip_p_values(by_user: UserSums, flips: int = FLIPS, seed: int = 0) -> Float64Array:
    """Returns two-sided p-values float64[columns] of the mean difference, from a randomisation test over users.

    Where two models are alike, the sign of each user's summed difference is a coin flip (Fisher's randomisation test;
    for retrieval: Smucker, Allan and Carterette, CIKM 2007). p = (1 + flips at least as extreme) / (1 + flips), which
    is never 0.

    Args:
        by_user: Differences, one comparison a column.
        flips: How often all signs are drawn.
        seed: What the signs follow from.
    """
    observed = np.abs(by_user.sums.sum(axis=0))
    # Sums that are equal on paper differ in their last digits by the order of summation.
    limit = observed - 1e-12 * np.abs(by_user.sums).sum(axis=0)
    rng = np.random.Generator(np.random.PCG64(seed))
    n_users, n_columns = by_user.sums.shape
    n_bytes = -(-n_users // 8)
    # The bits behind the last user's have no effect.
    sums = np.zeros((8 * n_bytes, n_columns))
    sums[:n_users] = by_user.sums
    blocks = [(columns, np.ascontiguousarray(sums[:, columns])) for columns in column_blocks(n_columns)]
    extreme = np.zeros(n_columns, dtype=np.int64)
    at_once, rows_at_once = (max(most // n_users, 1) for most in (DRAWN_AT_ONCE, SIGNS_AT_ONCE))
    buffer = np.empty((min(rows_at_once, flips), n_bytes, 8))
    for start in range(0, flips, at_once):
        rows = min(at_once, flips - start)
        drawn = np.frombuffer(rng.bytes(rows * n_bytes), dtype=np.uint8).reshape(rows, n_bytes)
        for first in range(0, rows, rows_at_once):
            some = drawn[first : first + rows_at_once]
            # A byte is never out of range; "clip" writes to the buffer without a copy between.
            signs = SIGNS_OF_BYTE.take(some, axis=0, out=buffer[: len(some)], mode="clip").reshape(-1, len(sums))
            for columns, block in blocks:
                extreme[columns] += (np.abs(signs @ block) >= limit[columns]).sum(axis=0)
    return np.asarray((1 + extreme) / (1 + flips))


def mcnemar_p_value(first: Float64Array, second: Float64Array) -> float:
    """Returns the exact two-sided p-value of McNemar's test on hits float64[cases] of two models.

    Only cases that one model hits and the other misses count; if the models are equally good, both are equally likely
    (McNemar, 1947; binomial form). A case whose hit depends on a tie is left out. Cases must be independent: one for
    each user.
    """
    return mcnemar_of_hits(whole_hits(first), whole_hits(second))


def whole_hits(values: Float64Array) -> Int8Array:
    """Returns int8[cases]: 1 for a hit, 0 for a miss, and -1 for a case in which a tie decides."""
    return np.where(values == 1, 1, np.where(values == 0, 0, -1)).astype(np.int8)


def mcnemar_of_hits(first: Int8Array, second: Int8Array) -> float:
    """Returns the p-value of ``mcnemar_p_value`` from what ``whole_hits`` returns for both models."""
    only_first = int(np.count_nonzero((first == 1) & (second == 0)))
    only_second = int(np.count_nonzero((first == 0) & (second == 1)))
    return _mcnemar(min(only_first, only_second), only_first + only_second)


@lru_cache(maxsize=2**14)
def _mcnemar(fewer: int, n: int) -> float:
    one_sided = binomial_probabilities(n, np.arange(fewer + 1), np.array(0.5)).sum()
    return min(1.0, 2 * float(one_sided))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values adjusted for their number, in the same order (Holm, 1979): step-down, never decreasing."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def detectable_difference(standard_error: float) -> float:
    """Returns the smallest true difference that a two-sided 5 % test finds with 80 % power.

    (z(1 - alpha / 2) + z(power)) standard errors of the paired difference, by the normal approximation.
    """
    return (NormalDist().inv_cdf(1 - ALPHA / 2) + NormalDist().inv_cdf(POWER)) * standard_error
