"""Whether the figures in a record follow from the ranks beside it."""

import re
from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from recbench.errors import RecbenchError
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.evaluation.stored_metrics import MetricMeans, stored_means, ties_across_cut
from recbench.evaluation.user_groups import LatestGroups
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import MetricValue

STORED_METRIC = re.compile(r"(?:hr|ndcg)@([1-9][0-9]{0,18})")
"""No catalogue has places beyond; and from 4,300 digits on, Python takes none for a number."""
PARTS = tuple(field.name for field in fields(MetricMeans))
TOLERANCE = 1e-9
"""Sums of the same values may differ in their last digits from one version of numpy to another; no more than that."""


def check_consistency(trial: FinishedTrial, groups: LatestGroups | None = None) -> None:
    """Checks that the numbers of cases and users, all metrics and shares of ties are those of the ranks.

    A trial that did not end well has no ranks, and nothing to check. The trial keeps the means that are computed here.

    Args:
        trial: The trial.
        groups: Groups the cases of several trials; None for a single one.

    Raises:
        RecbenchError: They are not, and the message names the field and both values; or the ranks cannot be read.
    """
    groups = groups or LatestGroups()
    record, ranks = trial.record, trial.ranks
    if ranks is None:
        return
    candidates = ranks.candidates
    _check_ranks(trial, candidates)
    if record.n_cases != len(candidates):
        raise _broken(trial, f"n_cases is {record.n_cases}, but its ranks have {len(candidates)} cases")
    if record.n_users != (n_users := len(groups.of(candidates.users))):
        raise _broken(trial, f"n_users is {record.n_users}, but its ranks have {n_users} users")
    if not any(STORED_METRIC.fullmatch(name) for name in record.metrics):
        raise _broken(trial, "metrics: it is done, but stores no hr@k or ndcg@k")
    _check_metrics(trial, Ranking.CANDIDATES, record.metrics, groups)
    for k, stored in record.ties_across_cut.items():
        _check(trial, f"ties_across_cut.{k}", stored, ties_across_cut(candidates, k))
    if (record.catalogue is None) != (ranks.catalogue is None):
        raise _broken(trial, "it has only one of figures and ranks of the full ranking")
    if record.catalogue is not None and ranks.catalogue is not None:
        _check_ranks(trial, ranks.catalogue)
        _check_metrics(trial, Ranking.FULL, record.catalogue.metrics, groups)


def _check_ranks(trial: FinishedTrial, ranks: Ranks) -> None:
    arrays = (ranks.users, ranks.n_others, ranks.better, ranks.tied)
    if len({array.shape for array in arrays}) > 1 or any(array.ndim != 1 for array in arrays) or not len(ranks):
        raise _broken(trial, "its ranks are not arrays of one length, with an entry for each case")
    if any(array.dtype != np.int32 for array in arrays):
        raise _broken(trial, "its ranks are not whole numbers of 32 bits")
    level_or_above = ranks.better.astype(np.int64) + ranks.tied
    if ranks.better.min() < 0 or ranks.tied.min() < 0 or np.any(level_or_above > ranks.n_others):
        raise _broken(trial, "its ranks count more items above and tied than a case has")


def _check_metrics(
    trial: FinishedTrial, ranking: Ranking, metrics: Mapping[str, MetricValue], groups: LatestGroups
) -> None:
    ranks = trial.ranks_in(ranking)
    assert ranks is not None
    field = "metrics" if ranking is Ranking.CANDIDATES else "catalogue.metrics"
    ks = sorted({int(match[1]) for name in metrics if (match := STORED_METRIC.fullmatch(name))})
    for measure, own in stored_means(ranks, ks, groups.of(ranks.users)).items():
        trial.known_means[measure.in_ranking(ranking)] = own.mean
        name = measure.name
        if name in metrics:
            for part in PARTS:
                _check(trial, f"{field}.{name}.{part}", getattr(metrics[name], part), getattr(own, part))


def _check(trial: FinishedTrial, field: str, stored: float, own: float) -> None:
    if abs(own - stored) > TOLERANCE:
        raise _broken(trial, f"{field} is {stored!r}, but its ranks give {own!r}")


def _broken(trial: FinishedTrial, what: str) -> RecbenchError:
    return RecbenchError(
        f"The record {trial.place} is inconsistent: {what}.",
        "One of its two files was changed or mixed up with another's; run the trial again.",
    )
