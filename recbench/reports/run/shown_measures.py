"""Which measures a report shows: those that were asked for, in each ranking that its records have."""

from collections.abc import Iterable, Sequence

import numpy as np

from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import DEFAULT_METRICS, measures_at, parse_measure
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.records.finished_trial import FinishedTrial

USER_METRICS = ("recall@20", "user-ndcg@20")
"""Shown in the full ranking where users have several cases: what most papers report on such splits."""


def measures_of(
    trials: Sequence[FinishedTrial], ks: Sequence[int], asked: Sequence[Measure] | None = None
) -> tuple[Measure, ...]:
    """Returns what a report on these trials shows.

    Args:
        trials: The trials, all of one task.
        ks: Cut-offs of HR and NDCG.
        asked: What was asked for; None for the default metrics.
    """
    sampled, full = (some_ranks(trials, ranking) for ranking in Ranking)
    return default_measures(ks, sampled, full) if asked is None else shown_measures(asked, sampled, full)


def default_measures(ks: Iterable[int], sampled: Ranks | None, full: Ranks | None) -> tuple[Measure, ...]:
    """Returns what a table shows unless other metrics are asked for.

    HR and NDCG among the candidates; with a full ranking, also there; and where users have several cases, the metrics
    of users in the full ranking.

    Args:
        ks: Cut-offs of HR and NDCG.
        sampled: Ranks of some trial among the candidates; None if there are none.
        full: Ranks of some trial in the full ranking; None if there are none.
    """
    measures = shown_measures(measures_at(DEFAULT_METRICS, ks), sampled, full)
    if full is None or one_case_each(full):
        return measures
    of_users = [parse_measure(name).in_ranking(Ranking.FULL) for name in USER_METRICS]
    return tuple(dict.fromkeys([*measures, *of_users]))


def shown_measures(asked: Sequence[Measure], sampled: Ranks | None, full: Ranks | None) -> tuple[Measure, ...]:
    """Returns the measures that were asked for, those among the candidates first.

    If none of them names the full ranking, each is shown in both rankings; among the candidates, only if its cut-off is
    within these.

    Args:
        asked: What was asked for.
        sampled: See ``default_measures``.
        full: See ``default_measures``.
    """
    if full is None or any(measure.ranking is Ranking.FULL for measure in asked):
        return tuple(sorted(asked, key=lambda measure: measure.ranking is Ranking.FULL))
    most = int(sampled.n_others.max()) + 1 if sampled is not None and len(sampled) else 0
    near = [measure for measure in asked if measure.k is None or measure.k <= most]
    return (*near, *(measure.in_ranking(Ranking.FULL) for measure in asked))


def have_one_case_each(trials: Sequence[FinishedTrial]) -> bool:
    """Whether no user of the trials' task has several cases; False if no trial has ranks."""
    ranks = some_ranks(trials, Ranking.CANDIDATES)
    return ranks is not None and one_case_each(ranks)


def some_ranks(trials: Sequence[FinishedTrial], ranking: Ranking) -> Ranks | None:
    """Returns the ranks of the first trial that has any in this ranking; None if no trial has."""
    return next((ranks for trial in trials if (ranks := trial.ranks_in(ranking)) is not None), None)


def one_case_each(ranks: Ranks) -> bool:
    """Whether no user has several cases."""
    return len(np.unique(ranks.users)) == len(ranks)


def without_copies(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Returns the measures without metrics of users that equal another of them where each user has one case."""
    return tuple(measure for measure in measures if measure.with_one_case() not in measures)


def copy_notes(measures: Sequence[Measure]) -> list[str]:
    """Returns a line that says which metrics of users equal metrics of cases where each user has one case."""
    equal = [
        f"{measure.label} equals {other.label}"
        for measure in measures
        if (other := measure.with_one_case()) is not None
    ]
    return [f"Each user has one case: {', '.join(equal)}."] if equal else []
