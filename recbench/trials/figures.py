"""The figures that a record keeps of a trained model, beside the times of the clock."""

import time
from collections.abc import Callable

import numpy as np

from recbench.evaluation.beyond_accuracy import coverage, exposure_gini, hit_rate_by_cohort, mean_popularity
from recbench.evaluation.correction import corrected, has_little_bias, of_perfect_model
from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.metric_names import measures_at
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.stored_metrics import STORED, compute_metrics, near_ties_across_cut, ties_across_cut
from recbench.protocol import Recommender, TrainSet
from recbench.records.schema import CatalogueValue, CohortValue, MetricValue
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.task import Task

LIST_LENGTH = 10
"""Items in the lists that a user would be shown."""


def of_candidates(task: Task, train: TrainSet, ranks: Ranks, ks: tuple[int, ...]) -> dict[str, object]:
    """Returns the record's fields that follow from the ranks among the candidates."""
    return {
        "metrics": values(ranks, ks),
        "ties_across_cut": {k: ties_across_cut(ranks, k) for k in ks},
        "near_ties_across_cut": {k: share for k in ks if (share := near_ties_across_cut(ranks, k)) is not None},
        **_correction(task, ranks, ks),
        "cohorts": _cohorts(task, train, ranks, 10 if 10 in ks else ks[0]),
    }


def of_catalogue(
    task: Task, model: Recommender, train: TrainSet, ks: tuple[int, ...], progress: Callable[[int, int], None]
) -> tuple[CatalogueValue, Ranks]:
    """Ranks all cases in the whole catalogue.

    Raises:
        ScoreError: Scores cannot be ranked.
    """
    began = time.perf_counter()
    ranking = rank_catalogue(model, train, task.test, LIST_LENGTH, progress)
    lists = ranking.top if ranking.top is not None else np.empty((0, LIST_LENGTH), dtype=np.int32)
    counts = np.bincount(train.items, minlength=train.n_items)
    value = CatalogueValue(
        metrics=values(ranking.ranks, ks),
        list_length=LIST_LENGTH,
        coverage=coverage(lists, train.n_items),
        gini=exposure_gini(lists, train.n_items),
        popularity=mean_popularity(lists, counts),
        seconds=time.perf_counter() - began,
    )
    return value, ranking.ranks


def values(ranks: Ranks, ks: tuple[int, ...]) -> dict[str, MetricValue]:
    """Returns the metrics of the ranks, as a record keeps them."""
    return {
        name: MetricValue(
            mean=metric.mean,
            user_mean=metric.user_mean,
            optimistic=metric.optimistic,
            pessimistic=metric.pessimistic,
        )
        for name, metric in compute_metrics(ranks, ks).items()
    }


def _correction(task: Task, ranks: Ranks, ks: tuple[int, ...]) -> dict[str, object]:
    uniform = task.uniformity.uniform
    n = round(float(task.catalogue_sizes.mean()))
    perfect = {
        measure: value
        for measure in measures_at(STORED, ks)
        if uniform is UniformNegatives.YES and (value := of_perfect_model(measure, ranks.n_others, n)) is not None
    }
    shown = [measure for measure, value in perfect.items() if has_little_bias(value)]
    return {
        "uniform_negatives": uniform,
        "corrected": {measure.name: float(corrected(measure, ranks, n).mean()) for measure in shown},
        "correction_bias": {measure.name: value - 1 for measure, value in perfect.items()},
    }


def _cohorts(task: Task, train: TrainSet, ranks: Ranks, k: int) -> dict[str, tuple[CohortValue, ...]]:
    values = {
        "history": np.diff(train.indptr)[task.test.users],
        "popularity": np.bincount(train.items, minlength=train.n_items)[task.test.items],
    }
    return {
        name: tuple(
            CohortValue(lowest=cohort.lowest, highest=cohort.highest, n_cases=cohort.n_cases, hr=cohort.hr)
            for cohort in hit_rate_by_cohort(ranks, of_cases, k)
        )
        for name, of_cases in values.items()
    }
