"""Whether the figures in a record follow from the ranks beside it."""

import re

import numpy as np

from recbench.errors import RecbenchError
from recbench.evaluation.metrics import hit_rate, ndcg
from recbench.evaluation.ranking import Ranks
from recbench.records.store import StoredRecord

STORED_METRIC = re.compile(r"(hr|ndcg)@([1-9][0-9]*)")
TOLERANCE = 1e-9
"""Sums of the same values may differ in their last digits from one version of numpy to another; no more than that."""


def check_consistency(stored: StoredRecord, ranks: Ranks) -> None:
    """Checks that the number of cases, and each hr@k and ndcg@k, are those of the ranks.

    Args:
        stored: A record that is done.
        ranks: Its ranks among the candidates.

    Raises:
        RecbenchError: They are not; the message names the field and both values.
    """
    record = stored.record
    arrays = (ranks.users, ranks.n_others, ranks.better, ranks.tied)
    if len({array.shape for array in arrays}) > 1 or any(array.ndim != 1 for array in arrays) or not len(ranks):
        raise _broken(stored, "its ranks are not arrays of one length, with an entry for each case")
    if any(array.dtype != np.int32 for array in arrays):
        raise _broken(stored, "its ranks are not whole numbers of 32 bits")
    if ranks.better.min() < 0 or ranks.tied.min() < 0 or np.any(ranks.better + ranks.tied > ranks.n_others):
        raise _broken(stored, "its ranks count more items above and level than a case has")
    if record.n_cases != len(ranks):
        raise _broken(stored, f"n_cases is {record.n_cases}, but its ranks have {len(ranks)} cases")
    names = [found for name in record.metrics if (found := STORED_METRIC.fullmatch(name))]
    if not names:
        raise _broken(stored, "metrics: it is done, but stores no hr@k or ndcg@k")
    for name in names:
        kind, k = name.groups()
        own = float((hit_rate if kind == "hr" else ndcg)(ranks, int(k)).mean())
        told = record.metrics[name.group()].mean
        if abs(own - told) > TOLERANCE:
            raise _broken(stored, f"metrics.{name.group()}.mean is {told!r}, but its ranks give {own!r}")


def _broken(stored: StoredRecord, what: str) -> RecbenchError:
    return RecbenchError(
        f"The record {stored.path} is inconsistent: {what}.",
        "One of its two files was changed or mixed up with another's; run the trial again.",
    )
