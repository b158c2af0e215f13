"""What is particular to the model ials."""

import numpy as np
import pytest

from recbench.trials.clock import TimedContext
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
    for one, row in enumerate(rows):
        strength = regularization * (row.sum() + unobserved * len(others)) ** exponent
        weights = np.diag(row + unobserved)
        left = others.T @ weights @ others + strength * np.eye(others.shape[1])
        solved[one] = np.linalg.solve(left, others.T @ row)
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


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0])
def test_a_pass_solves_for_each_user_and_then_for_each_item(synthetic_task, exponent):
    train = synthetic_task.train_set()
    rows = dense_rows(train)
    items = (0.1 / np.sqrt(FACTORS) * _second_draw(train)).astype(np.float32)
    users = naive(rows, items, exponent)
    items = naive(rows.T, users, exponent)
    trained = fitted(model(epochs=1, regularization_exponent=exponent), synthetic_task)
    np.testing.assert_allclose(trained._users, users, rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(trained._items, items, rtol=2e-3, atol=1e-4)


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
