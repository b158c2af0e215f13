"""NDCG@k of cases: a positive counts less, the later it stands among the first k."""

from functools import lru_cache

import numpy as np

from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int64Array

SMALL_TABLE = 2**12
"""Sums up to this cut-off are kept: reports compute many records at a few cut-offs."""


def ndcg(ranks: Ranks, k: int) -> Float64Array:
    """NDCG@k of each case: the mean over r = better .. better + tied of [r < k] / log2(r + 2), float64[cases].

    With one relevant item the ideal gain is 1 (Järvelin and Kekäläinen, TOIS 2002; logarithm to base 2).
    """
    k = ranks.within(k)
    sums = _small_sums(k) if k <= SMALL_TABLE else _sums(k)
    below = np.minimum(ranks.better, k)
    above = np.minimum(ranks.after_ties, k)
    return np.asarray((sums[above] - sums[below]) / (ranks.tied + 1.0))


@lru_cache(maxsize=16)
def _small_sums(k: int) -> Float64Array:
    return _sums(k)


def _sums(k: int) -> Float64Array:
    """Returns the sums of the gains of the first 0, 1, .. k places, float64[k + 1]."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])


def _gains(ranks: Int64Array, k: int) -> Float64Array:
    return np.asarray((ranks <= k).astype(np.float64) / np.log2(ranks + 1))


METRIC = Metric("ndcg", "NDCG", ndcg, gains=_gains)
