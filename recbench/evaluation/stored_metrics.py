"""The figures that a record stores beside its ranks, so that people can read them in the file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from recbench.evaluation.metric import Float64Array, Measure
from recbench.evaluation.metric_names import measures_at
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_groups import UserGroups

STORED = ("hr", "ndcg", "mrr", "auc")
"""Reports derive every metric from the ranks, so a metric that is not stored can be reported all the same."""


@dataclass(frozen=True, slots=True)
class MetricMeans:
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


def compute_metrics(ranks: Ranks, ks: Sequence[int]) -> dict[str, MetricMeans]:
    """Returns ``hr@k`` and ``ndcg@k`` for each k, ``mrr`` and ``auc``, by name; see ``stored_means``."""
    return {measure.name: means for measure, means in stored_means(ranks, ks, UserGroups.of(ranks.users)).items()}


def stored_means(ranks: Ranks, ks: Sequence[int], groups: UserGroups) -> dict[Measure, MetricMeans]:
    """Returns HR and NDCG at each k, MRR and AUC.

    Args:
        ranks: The ranks of all cases.
        ks: Cut-offs, each at least 1.
        groups: The cases by their users.
    """
    best = worst = ranks
    if ranks.tied.any():
        untied = np.zeros_like(ranks.tied)
        best = replace(ranks, tied=untied)
        worst = replace(ranks, better=ranks.better + ranks.tied, tied=untied)
    means = {}
    for measure in _measures(tuple(ks)):
        values = measure.values(ranks)
        mean = _mean(values)
        optimistic, pessimistic = (mean if other is ranks else _mean(measure.values(other)) for other in (best, worst))
        means[measure] = MetricMeans(mean, groups.mean_of_means(values), optimistic, pessimistic)
    return means


def _mean(values: Float64Array) -> float:
    # The same sum and quotient as ``values.mean()``, in a third of its time: most arrays of a folder are short.
    return float(np.add.reduce(values)) / len(values)


@lru_cache(maxsize=16)
def _measures(ks: tuple[int, ...]) -> tuple[Measure, ...]:
    return measures_at(STORED, ks)


def ties_across_cut(ranks: Ranks, k: int) -> float:
    """Share of cases whose hit at k depends on how ties are resolved: better < k <= better + tied."""
    return float(((ranks.better < k) & (ranks.better + ranks.tied >= k)).mean())


def near_ties_across_cut(ranks: Ranks, k: int) -> float | None:
    """Share of cases whose hit at k depends on near ties: it is certain, and would not be if these were ties.

    None where near ties were not counted; see ``recbench.evaluation.ranking.NearTies``.
    """
    if ranks.near is None:
        return None
    first, last = ranks.better, ranks.better + ranks.tied
    exact = (first < k) & (last >= k)
    nearly = (first - ranks.near.above < k) & (last + ranks.near.below >= k)
    return float((nearly & ~exact).mean())
