"""RecTools as an oracle; its figures were made by tests/rectools_oracle.py, which says why not here."""

import json
from pathlib import Path

import numpy as np
import pytest

from recbench.evaluation.beyond_accuracy import coverage
from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.mrr import reciprocal_rank
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.protocol import TrainSet
from recbench.tasks.task import Cases
from tests.rectools_oracle import CUT_OFFS, N_ITEMS, N_USERS, rankings

THEIRS = json.loads((Path(__file__).parent / "golden" / "rectools.json").read_text(encoding="utf-8"))


class Ordered:
    """Scores items by their place in a ranking."""

    def __init__(self, items):
        self.table = np.empty(items.shape)
        np.put_along_axis(self.table, items, np.arange(N_ITEMS, 0, -1.0)[None, :], axis=1)

    def fit(self, train, context):
        pass

    def score(self, users, items):
        return self.table[users[:, None], items]


@pytest.mark.parametrize("k", CUT_OFFS)
def test_rectools_agrees(k):
    items, relevant = rankings()
    nothing = np.empty(0, dtype=np.int32)
    train = TrainSet.from_rows(N_USERS, N_ITEMS, nothing, nothing.copy())
    users = np.arange(N_USERS, dtype=np.int32)
    cases = Cases(users, relevant.astype(np.int32), np.empty((N_USERS, 0), dtype=np.int32))
    ours = rank_catalogue(Ordered(items), train, cases, top=k)
    hits = hit_rate(ours.ranks, k)
    assert hits.mean() == pytest.approx(THEIRS[f"hr@{k}"], abs=1e-12)
    assert ndcg(ours.ranks, k).mean() == pytest.approx(THEIRS[f"ndcg@{k}"], abs=1e-12)
    # Theirs has a cut-off: without ties it is ours where there is a hit.
    assert (reciprocal_rank(ours.ranks) * hits).mean() == pytest.approx(THEIRS[f"mrr@{k}"], abs=1e-12)
    assert coverage(ours.top, N_ITEMS) == pytest.approx(THEIRS[f"coverage@{k}"], abs=1e-12)
