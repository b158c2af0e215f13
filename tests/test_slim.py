"""What is particular to the model slim."""

import numpy as np
import pytest

from recbench.trials.clock import TimedContext
from recbench_models import slim
from recbench_models.ease import EASE
from recbench_models.slim import SLIM
from tests.dense_fits import dense_rows, fitted


@pytest.mark.parametrize("block", [7, 128])
@pytest.mark.parametrize("non_negative", [True, False])
def test_weights_fulfil_the_conditions_of_the_optimum(board, synthetic_task, block, non_negative, monkeypatch):
    """The loss is strictly convex: its subgradient holds 0 at the optimum, and nowhere else."""
    monkeypatch.setattr(slim, "BLOCK", block)
    l1, l2 = 1.5, 10.0
    model = fitted(SLIM(l1=l1, l2=l2, non_negative=non_negative, epochs=200), synthetic_task)
    weights = model._transposed.T.astype(np.float64)
    rows = dense_rows(synthetic_task.train_set())
    downhill = rows.T @ (rows - rows @ weights) - l2 * weights
    off_diagonal = ~np.eye(len(weights), dtype=bool)
    positive, negative, zero = weights > 0, weights < 0, (weights == 0) & off_diagonal
    assert (np.diag(weights) == 0).all()
    assert positive.sum() > 100
    assert zero.sum() > 100
    assert negative.any() != non_negative
    assert np.abs(downhill[positive] - l1).max() < 1e-3
    assert (downhill[zero] < l1 + 1e-3).all()
    if not non_negative:
        assert np.abs(downhill[negative] + l1).max() < 1e-3
        assert (downhill[zero] > -l1 - 1e-3).all()


def test_without_l1_it_is_ease(synthetic_task):
    users = np.arange(synthetic_task.n_users, dtype=np.int32)
    own = fitted(SLIM(l1=0.0, l2=20.0, non_negative=False, epochs=200), synthetic_task)
    ease = fitted(EASE(l2=20.0), synthetic_task)
    np.testing.assert_allclose(own.score_all(users), ease.score_all(users), atol=1e-4)


def test_each_pass_lowers_the_loss(synthetic_task):
    rows = dense_rows(synthetic_task.train_set())
    model = SLIM(l1=2.0, l2=5.0, epochs=5)
    losses = []

    def look(epoch, _):
        weights = model._transposed.T.astype(np.float64)
        error = ((rows - rows @ weights) ** 2).sum() / 2
        losses.append(error + 2.5 * (weights**2).sum() + 2.0 * np.abs(weights).sum())

    model.fit(synthetic_task.train_set(), TimedContext(0, 1, look))
    assert len(losses) == 5
    assert (np.diff(losses) < 0).all()
