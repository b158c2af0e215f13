"""What HR and NDCG do not tell: what is recommended at all, and for whom a model is right.

Two kinds of input: the ranks of all cases, and the lists of best items, int32[users, k], filled up with ``NO_ITEM``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.task import NO_ITEM

Float64Array = npt.NDArray[np.float64]


def exposure(top: Int32Array, n_items: int) -> Int64Array:
    """Returns in how many of the lists each item occurs, int64[n_items].

    Args:
        top: int32[users, k], each item at most once in a list.
        n_items: Number of items.
    """
    return np.bincount(top[top != NO_ITEM], minlength=n_items)


def coverage(top: Int32Array, n_items: int) -> float:
    """Share of the catalogue that occurs in some list (Ge, Delgado-Battenfeld and Jannach, RecSys 2010).

    Args:
        top: int32[users, k].
        n_items: Number of items.
    """
    return float((exposure(top, n_items) > 0).mean())


def exposure_gini(top: Int32Array, n_items: int) -> float:
    """Gini index of the exposure of all items: 0 if all occur equally often, 1 if all lists hold one and the same.

    It is not the index of ``recbench.data.statistics``, which leaves out items without rows and divides by n.

    sum_j (2 j - n - 1) p_j / (n - 1), with p_1 <= .. <= p_n the items' shares of all places in lists (Shani and
    Gunawardana, "Evaluating Recommendation Systems", 2011). Lists of k items cannot get beyond (n - k) / (n - 1). Lists
    without any item read 0.

    Args:
        top: int32[users, k].
        n_items: Number of items, n.
    """
    counts = np.sort(exposure(top, n_items))
    total = int(counts.sum())
    if total == 0 or n_items == 1:
        return 0.0
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((weights * counts).sum() / (total * (n_items - 1)))


def mean_popularity(top: Int32Array, train_counts: Int64Array) -> float:
    """Mean popularity percentile of the recommended items, over all places in lists: 0 unpopular, 1 popular.

    An item's percentile is (items with fewer train rows + half of those with as many, itself included) / n_items: the
    mid-rank for ties, with which lists drawn at random read 1/2. After Abdollahpouri et al., "Managing Popularity Bias
    in Recommender Systems with Personalized Re-ranking", FLAIRS 2019, who average counts (ARP); a percentile can be
    compared between datasets. Lists without any item read NaN.

    Args:
        top: int32[users, k].
        train_counts: int64[n_items], train rows of each item.
    """
    _, codes, sizes = np.unique(train_counts, return_inverse=True, return_counts=True)
    percentiles = (np.cumsum(sizes) - sizes / 2)[codes] / len(train_counts)
    items = top[top != NO_ITEM]
    return float(percentiles[items].mean()) if len(items) else float("nan")


@dataclass(frozen=True, slots=True)
class Cohort:
    """Cases that are alike in some value.

    Attributes:
        n_cases: How many.
        lowest: The lowest value among them.
        highest: The highest.
        hr: Their mean HR@k, ties in expectation.
    """

    n_cases: int
    lowest: float
    highest: float
    hr: float


def hit_rate_by_cohort(ranks: Ranks, values: npt.NDArray[np.number], k: int, n_cohorts: int = 3) -> tuple[Cohort, ...]:
    """HR@k of cases with low, middle and high values: users of short and long histories, rare and popular items.

    The cases are sorted by value, equal ones in their own order, and split into cohorts whose sizes differ by one case
    at most; equal values may thus fall into two cohorts. With fewer cases than cohorts, each case is one.

    Args:
        ranks: The ranks of all cases.
        values: number[cases], say ``np.diff(train.indptr)[ranks.users]``, the train rows of each case's user, or
            ``np.bincount(train.items, minlength=train.n_items)[cases.items]``, those of its item.
        k: Cut-off.
        n_cohorts: How many cohorts.
    """
    hits = hit_rate(ranks, k)
    cohorts = np.array_split(np.argsort(values, kind="stable"), n_cohorts)
    return tuple(
        Cohort(len(cohort), float(values[cohort[0]]), float(values[cohort[-1]]), float(hits[cohort].mean()))
        for cohort in cohorts
        if len(cohort)
    )
