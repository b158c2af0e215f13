"""What is particular to the model gf-cf: its scores by hand, with dense matrices."""

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models import gf_cf
from recbench_models.gf_cf import GFCF
from tests.dense_fits import dense_rows, fitted


@pytest.mark.parametrize("largest_dense", [10**6, 10])
def test_scores_by_hand(synthetic_task, largest_dense, monkeypatch):
    """By the whole singular value decomposition, and by the iteration of large matrices."""
    monkeypatch.setattr(gf_cf, "LARGEST_DENSE", largest_dense)
    rows = dense_rows(synthetic_task.train_set())
    of_users, of_items = np.maximum(rows.sum(axis=1), 1), np.maximum(rows.sum(axis=0), 1)
    normalised = rows / np.sqrt(of_users)[:, None] / np.sqrt(of_items)
    vectors = np.linalg.svd(normalised)[2][:20].T
    ideal = (vectors / np.sqrt(of_items)[:, None]) @ (vectors.T * np.sqrt(of_items))
    expected = rows @ (normalised.T @ normalised + 0.7 * ideal)
    known = rows.any(axis=0)
    scores = fitted(GFCF(factors=20, alpha=0.7), synthetic_task).score_all(np.arange(len(rows), dtype=np.int32))
    np.testing.assert_allclose(scores[:, known], expected[:, known], atol=2e-3 * np.abs(expected).max())


def test_items_without_rows_rank_below_all_others():
    users, items = (index.astype(np.int32) for index in np.nonzero(np.random.default_rng(0).random((40, 20)) < 0.3))
    train = TrainSet.from_rows(40, 22, users, items)
    model = GFCF(factors=5, alpha=10.0)
    model.fit(train, TimedContext(0, 1))
    scores = model.score_all(np.arange(40, dtype=np.int32))
    assert (scores[:, :20] < 0).any()
    assert (scores[:, 20:].max(axis=1) <= scores[:, :20].min(axis=1)).all()


def test_memory_is_estimated_from_the_rows(board):
    train = board.train_set()
    vectors = 8 * 3 * (train.n_users + train.n_items)
    weights = np.count_nonzero(dense_rows(train).T @ dense_rows(train))
    assert GFCF(factors=3).memory_bytes(train) == 8 * weights + 4 * train.n_items**2 + vectors
