"""What is particular to the model ials."""

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models import ridge_batches
from recbench_models.ials import IALS
from tests.dense_fits import dense_rows, fitted

FACTORS, REGULARIZATION, RATIO = 5, 3.0, 7.0


def papers(rows, exponent=1.0):
    """Returns the paper's weight of an unobserved pair, and its regularisation."""
    n_users, n_items = rows.shape
    weight = RATIO * rows.sum() / (n_users * n_items)
    of_users = ((rows.sum(1) + weight * n_items) ** exponent).mean()
    of_items = ((rows.sum(0) + weight * n_users) ** exponent).mean()
    return weight, REGULARIZATION / np.sqrt(of_users * of_items)


def naive(rows, others, exponent):
    """Each row's vector by its normal equations, in float64, written as in the paper."""
    unobserved, regularization = papers(rows, exponent)
    solved = np.zeros((len(rows), others.shape[1]))
    for index, row in enumerate(rows):
        strength = regularization * (row.sum() + unobserved * len(others)) ** exponent
        weights = np.diag(row + unobserved)
        left = others.T @ weights @ others + strength * np.eye(others.shape[1])
        solved[index] = np.linalg.solve(left, others.T @ row)
    return solved


def loss(rows, users, items):
    scores = users @ items.T
    unobserved, regularization = papers(rows)
    n_users, n_items = rows.shape
    of_users = rows.sum(1) + unobserved * n_items
    of_items = rows.sum(0) + unobserved * n_users
    return (
        (rows * (1 - scores) ** 2).sum()
        + unobserved * (scores**2).sum()
        + regularization * (of_users @ (users**2).sum(1) + of_items @ (items**2).sum(1))
    )


def model(**more):
    settings = {"factors": FACTORS, "regularization": REGULARIZATION, "unobserved_ratio": RATIO, **more}
    return IALS(**settings)


@pytest.mark.parametrize("cells", [1, 40, 6144], ids=["exact", "both", "steps"])
@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0])
def test_a_pass_of_many_steps_solves_for_each_user_and_then_for_each_item(synthetic_task, exponent, cells, monkeypatch):
    monkeypatch.setattr(ridge_batches, "CELLS", cells)
    monkeypatch.setattr(ridge_batches, "STEPS", 4 * FACTORS)
    train = synthetic_task.train_set()
    rows = dense_rows(train)
    items = (0.1 / np.sqrt(FACTORS) * _second_draw(train)).astype(np.float32)
    users = naive(rows, items, exponent)
    items = naive(rows.T, users, exponent)
    trained = fitted(model(epochs=1, regularization_exponent=exponent), synthetic_task)
    np.testing.assert_allclose(trained._users, users, rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(trained._items, items, rtol=2e-3, atol=1e-4)


def test_batches_hold_every_row_once_and_no_more_cells_than_they_may(synthetic_task, monkeypatch):
    monkeypatch.setattr(ridge_batches, "CELLS", 40)
    train = synthetic_task.train_set()
    degrees = np.diff(train.indptr)
    assert (degrees > 40).any()
    assert (degrees <= 40).any()
    batches = ridge_batches.RidgeBatches(train)
    items_by_user = {int(user): row[row < train.n_items].tolist() for batch in batches._batches
                     for user, row in zip(batch.users, batch.items, strict=True)}  # fmt: skip
    assert items_by_user.keys() | set(batches._large.tolist()) == set(np.flatnonzero(degrees).tolist())
    assert not items_by_user.keys() & set(batches._large.tolist())
    assert all(
        items == train.indices[slice(*train.indptr[user : user + 2])].tolist() for user, items in items_by_user.items()
    )
    assert max(batch.items.size for batch in batches._batches) <= 40


def test_users_without_rows_have_no_vector_and_stop_nobody():
    users, items = np.array([0, 2, 2, 5], dtype=np.int32), np.array([0, 0, 1, 1], dtype=np.int32)
    train = TrainSet.from_rows(7, 3, users, items)
    trained = model(epochs=2)
    trained.fit(train, TimedContext(0, threads=3))
    assert [bool(vector.any()) for vector in trained._users] == [True, False, True, False, False, True, False]
    assert [bool(vector.any()) for vector in trained._items] == [True, True, False]


def test_one_user_and_one_item():
    trained = model(epochs=2)
    trained.fit(TrainSet.from_rows(1, 1, np.zeros(1, np.int32), np.zeros(1, np.int32)), TimedContext(0, threads=4))
    assert np.isfinite(trained.score_all(np.zeros(1, np.int32))).all()


def _second_draw(train):
    rng = np.random.default_rng(0)
    rng.standard_normal((train.n_users, FACTORS))
    return rng.standard_normal((train.n_items, FACTORS))


def test_the_loss_never_grows(synthetic_task):
    rows = dense_rows(synthetic_task.train_set())
    losses = []
    watched = model(epochs=6)

    def look(epoch, _):
        losses.append(loss(rows, watched._users.astype(np.float64), watched._items.astype(np.float64)))

    watched.fit(synthetic_task.train_set(), TimedContext(0, 1, look))
    assert len(losses) == 6
    assert (np.diff(losses) < 1e-6 * losses[0]).all()
    assert losses[-1] < losses[0]


def test_a_few_steps_reach_the_loss_of_exact_solutions(synthetic_task, monkeypatch):
    rows = dense_rows(synthetic_task.train_set())
    trained = fitted(model(epochs=12), synthetic_task)
    monkeypatch.setattr(ridge_batches, "CELLS", 1)
    exact = fitted(model(epochs=12), synthetic_task)
    trained_loss, best = (
        loss(rows, recommender._users.astype(float), recommender._items.astype(float))
        for recommender in (trained, exact)
    )
    assert trained_loss == pytest.approx(best, rel=1e-3)


def test_as_many_steps_as_factors_solve_equations_of_very_different_directions(monkeypatch):
    """Only with conjugate directions: three steps leave errors of 0.24, four of 0.00006."""
    monkeypatch.setattr(ridge_batches, "STEPS", 4)
    rng = np.random.default_rng(0)
    own = (rng.normal(size=(3, 9, 4)) * [1, 2, 4, 8]).astype(np.float32)
    every, strengths = np.eye(4, dtype=np.float32), np.full((3, 1), 0.1, dtype=np.float32)
    improved = ridge_batches._improved(own, np.zeros((3, 4), dtype=np.float32), every, strengths)
    left = own.transpose(0, 2, 1) @ own + 1.1 * np.eye(4)
    np.testing.assert_allclose(improved, np.linalg.solve(left, own.sum(1)[:, :, None])[:, :, 0], atol=1e-3)
