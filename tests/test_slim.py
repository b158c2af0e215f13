"""What is particular to the model slim."""

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet

from recbench.trials.clock import TimedContext
from recbench_models import slim
from recbench_models.ease import EASE
from recbench_models.slim import SLIM
from tests.dense_fits import dense_rows, fitted


@pytest.mark.parametrize("block", [7, 256])
@pytest.mark.parametrize("non_negative", [True, False])
def test_weights_fulfil_the_conditions_of_the_optimum(board, synthetic_task, block, non_negative, monkeypatch):
    """The loss is strictly convex: its subgradient holds 0 at the optimum, and nowhere else."""
    monkeypatch.setattr(slim, "BLOCK", block)
    l1, l2 = 1.5, 30.0
    model = fitted(SLIM(l1=l1, l2=l2, non_negative=non_negative, epochs=40), synthetic_task)
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
    own = fitted(SLIM(l1=0.0, l2=20.0, non_negative=False, epochs=3), synthetic_task)
    ease = fitted(EASE(l2=20.0), synthetic_task)
    np.testing.assert_allclose(own.score_all(users), ease.score_all(users), atol=1e-4)


def test_it_starts_near_the_optimum(synthetic_task):
    """Two passes give a lower loss than five from zero."""
    train = synthetic_task.train_set()
    after_two = SLIM(l1=1.0, l2=20.0)
    after_two.fit(train, TimedContext(0, 1))
    from_zero = SLIM(l1=1.0, l2=20.0, epochs=5)
    from_zero._start = lambda gram, n_rows: (np.zeros_like(gram), gram.copy())
    from_zero.fit(train, TimedContext(0, 1))
    rows = dense_rows(train)
    assert model_loss(after_two, rows, 1.0, 20.0) < model_loss(from_zero, rows, 1.0, 20.0)


def model_loss(model, rows, l1, l2):
    return loss(model._transposed.T.astype(np.float64), rows, rows, l1, l2)


def loss(weights, rows, targets, l1, l2):
    error = ((targets - rows @ weights) ** 2).sum() / 2
    return error + l2 / 2 * (weights**2).sum() + l1 * np.abs(weights).sum()


def test_the_loss_is_as_low_as_that_of_elastic_net(synthetic_task):
    """scikit-learn minimises the same loss, divided by the number of users, for one item at a time."""
    l1, l2 = 1.0, 20.0
    rows = dense_rows(synthetic_task.train_set())
    least = np.zeros((synthetic_task.n_items, synthetic_task.n_items))
    solver = ElasticNet(alpha=(l1 + l2) / len(rows), l1_ratio=l1 / (l1 + l2), fit_intercept=False, tol=1e-8)
    items = range(0, synthetic_task.n_items, 40)
    for item in items:
        others = np.delete(np.arange(synthetic_task.n_items), item)
        least[others, item] = solver.fit(rows[:, others], rows[:, item]).coef_

    def above(epochs):
        model = fitted(SLIM(l1=l1, l2=l2, epochs=epochs), synthetic_task)
        weights = model._transposed.T.astype(np.float64)
        return loss(weights[:, items], rows, rows[:, items], l1, l2) / best - 1

    best = loss(least[:, items], rows, rows[:, items], l1, l2)
    assert abs(above(epochs=40)) < 1e-7
    assert 1e-7 < above(epochs=2) < 2e-3


@pytest.mark.parametrize("parameters", [{"l1": 0.0, "l2": 1e-9}, {"l1": 300.0, "l2": 1.0}])
def test_extreme_regularisation_gives_finite_scores(synthetic_task, parameters):
    scores = fitted(SLIM(**parameters), synthetic_task).score_all(np.arange(synthetic_task.n_users, dtype=np.int32))
    assert np.isfinite(scores).all()


def test_each_pass_lowers_the_loss(synthetic_task):
    rows = dense_rows(synthetic_task.train_set())
    model = SLIM(l1=2.0, l2=5.0, epochs=5)
    losses = []

    def look(epoch, _):
        losses.append(model_loss(model, rows, 2.0, 5.0))

    model.fit(synthetic_task.train_set(), TimedContext(0, 1, look))
    assert len(losses) == 5
    assert (np.diff(losses) < 0).all()
