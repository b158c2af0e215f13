"""HR@k, NDCG@k, MRR and AUC from ranks, in closed form: the exact expectation under a random order of ties."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int32Array, Int64Array

Float64Array = npt.NDArray[np.float64]

HARMONIC_TABLE = 2**24
"""Up to here harmonic numbers are summed up: 128 MiB."""


def hit_rate(ranks: Ranks, k: int) -> Float64Array:
    """HR@k of each case: clip((k - better) / (tied + 1), 0, 1), float64[cases].

    The positive is equally likely at each of the 0-based ranks better .. better + tied; a hit is a rank below k.
    """
    return np.clip((_reached(ranks, k) - ranks.better) / (ranks.tied + 1.0), 0.0, 1.0)


def ndcg(ranks: Ranks, k: int) -> Float64Array:
    """NDCG@k of each case: the mean over r = better .. better + tied of [r < k] / log2(r + 2), float64[cases].

    With one relevant item the ideal gain is 1 (Järvelin and Kekäläinen, TOIS 2002; logarithm to base 2).
    """
    k = _reached(ranks, k)
    sums = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    below = np.minimum(ranks.better, k)
    above = np.minimum(_after_ties(ranks), k)
    return np.asarray((sums[above] - sums[below]) / (ranks.tied + 1.0))


def reciprocal_rank(ranks: Ranks) -> Float64Array:
    """Reciprocal rank of each case: the mean of 1 / (r + 1) over r = better .. better + tied, float64[cases].

    The mean over cases is the mean reciprocal rank (Voorhees, TREC-8 1999), with the exact expectation under a random
    order of ties, and without a cut-off.
    """
    return np.asarray((_harmonic(_after_ties(ranks)) - _harmonic(ranks.better)) / (ranks.tied + 1.0))


def _reached(ranks: Ranks, k: int) -> int:
    """Returns the cut-off, or the last place of all cases where that comes before; a record may name any k."""
    return min(k, int(_after_ties(ranks).max(initial=0)))


def _after_ties(ranks: Ranks) -> Int64Array:
    """Returns the place, from 0, after all that are tied with each case's positive; a file may hold any int32."""
    return ranks.better.astype(np.int64) + ranks.tied + 1


def _harmonic(numbers: Int32Array | Int64Array) -> Float64Array:
    """Returns the sum of 1 / r over r = 1 .. n for each n, float64[cases].

    Numbers beyond any catalogue by Euler's expansion, whose error there is far below the last digit: a table of them
    would take all memory.
    """
    most = min(int(numbers.max(initial=0)), HARMONIC_TABLE)
    table = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, most + 1))])
    large = np.maximum(numbers, HARMONIC_TABLE).astype(np.float64)
    expansion = np.log(large) + np.euler_gamma + 0.5 / large
    return np.asarray(np.where(numbers <= most, table[np.minimum(numbers, most)], expansion))


def auc(ranks: Ranks) -> Float64Array:
    """AUC of each case: (others below + tied / 2) / n_others, float64[cases].

    The chance that the positive stands above a random other item, half of a tie counted (Hanley and McNeil, Radiology
    1982); as in Rendle et al., UAI 2009, except that a tie counts nothing there. A case without others is neither right
    nor wrong: 1/2.
    """
    below = ranks.n_others - ranks.better - ranks.tied
    return np.asarray(np.where(ranks.n_others > 0, (below + ranks.tied / 2) / np.maximum(ranks.n_others, 1), 0.5))


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
    """Returns ``hr@k`` and ``ndcg@k`` for each k, ``mrr`` and ``auc``.

    Args:
        ranks: The ranks of all cases.
        ks: Cut-offs, each at least 1.
    """
    untied = np.zeros_like(ranks.tied)
    best = replace(ranks, tied=untied)
    worst = replace(ranks, better=ranks.better + ranks.tied, tied=untied)
    of: dict[str, Callable[[Ranks], Float64Array]] = {}
    for k in ks:
        of[f"hr@{k}"] = partial(hit_rate, k=k)
        of[f"ndcg@{k}"] = partial(ndcg, k=k)
    of |= {"mrr": reciprocal_rank, "auc": auc}
    return {
        name: Metric(
            float(metric(ranks).mean()),
            mean_of_user_means(metric(ranks), ranks.users),
            float(metric(best).mean()),
            float(metric(worst).mean()),
        )
        for name, metric in of.items()
    }


def mean_of_user_means(values: Float64Array, users: Int32Array) -> float:
    """Mean over users of the mean of ``values`` (float64[cases]) over each user's cases."""
    _, codes, counts = np.unique(users, return_inverse=True, return_counts=True)
    return float((np.bincount(codes, weights=values) / counts).mean())


def ties_across_cut(ranks: Ranks, k: int) -> float:
    """Share of cases whose hit at k depends on how ties are resolved: better < k <= better + tied."""
    return float(((ranks.better < k) & (ranks.better + ranks.tied >= k)).mean())
