"""HR@k and NDCG@k from ranks, in closed form: the exact expectation under a random order of ties."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int32Array

Float64Array = npt.NDArray[np.float64]


def hit_rate(ranks: Ranks, k: int) -> Float64Array:
    """HR@k of each case: clip((k - better) / (tied + 1), 0, 1), float64[cases].

    The positive is equally likely at each of the 0-based ranks better .. better + tied; a hit is a rank below k.
    """
    return np.clip((k - ranks.better) / (ranks.tied + 1.0), 0.0, 1.0)


def ndcg(ranks: Ranks, k: int) -> Float64Array:
    """NDCG@k of each case: the mean over r = better .. better + tied of [r < k] / log2(r + 2), float64[cases].

    With one relevant item the ideal gain is 1 (Järvelin and Kekäläinen, TOIS 2002; logarithm to base 2).
    """
    sums = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    below = np.minimum(ranks.better, k)
    above = np.minimum(ranks.better + ranks.tied + 1, k)
    return np.asarray((sums[above] - sums[below]) / (ranks.tied + 1.0))


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric over all cases.

    Attributes:
        mean: Mean over cases, ties in expectation.
        user_mean: Mean over users of each user's mean over cases.
        optimistic: Mean over cases with every tie resolved for the positive.
        pessimistic: Mean over cases with every tie resolved against it.
    """

    mean: float
    user_mean: float
    optimistic: float
    pessimistic: float


def compute_metrics(ranks: Ranks, ks: tuple[int, ...]) -> dict[str, Metric]:
    """Returns ``hr@k`` and ``ndcg@k`` for each k.

    Args:
        ranks: The ranks of all cases.
        ks: Cut-offs, each at least 1.
    """
    untied = np.zeros_like(ranks.tied)
    best = replace(ranks, tied=untied)
    worst = replace(ranks, better=ranks.better + ranks.tied, tied=untied)
    metrics = {}
    for k in ks:
        for name, metric in (("hr", hit_rate), ("ndcg", ndcg)):
            values = metric(ranks, k)
            metrics[f"{name}@{k}"] = Metric(
                float(values.mean()),
                mean_of_user_means(values, ranks.users),
                float(metric(best, k).mean()),
                float(metric(worst, k).mean()),
            )
    return metrics


def mean_of_user_means(values: Float64Array, users: Int32Array) -> float:
    """Mean over users of the mean of ``values`` (float64[cases]) over each user's cases."""
    _, codes, counts = np.unique(users, return_inverse=True, return_counts=True)
    return float((np.bincount(codes, weights=values) / counts).mean())


def ties_across_cut(ranks: Ranks, k: int) -> float:
    """Share of cases whose hit at k depends on how ties are resolved: better < k <= better + tied."""
    return float(((ranks.better < k) & (ranks.better + ranks.tied >= k)).mean())
