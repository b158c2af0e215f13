"""What is particular to the model ease, and to what it shares with other models from item to item."""

import numpy as np
import pytest

from recbench_models import ease, item_gram, item_weights
from recbench_models.ease import EASE
from tests.dense_fits import dense_rows, fitted


def test_scores_are_those_of_the_closed_form(synthetic_task):
    rows = dense_rows(synthetic_task.train_set())
    inverse = np.linalg.inv(rows.T @ rows + 7.0 * np.eye(synthetic_task.n_items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    scores = fitted(EASE(l2=7.0), synthetic_task).score_all(np.arange(synthetic_task.n_users))
    np.testing.assert_allclose(scores, rows @ weights, rtol=1e-8, atol=1e-10)


def test_the_weights_are_the_least_squares_without_the_item_itself(board):
    """Column by column, by numpy's least squares on the rows of regularisation and data together."""
    rows = dense_rows(board.train_set())
    weights = np.zeros((board.n_items, board.n_items))
    for item in range(board.n_items):
        others = np.delete(np.arange(board.n_items), item)
        stacked = np.vstack([rows[:, others], np.sqrt(3.0) * np.eye(len(others))])
        target = np.concatenate([rows[:, item], np.zeros(len(others))])
        weights[others, item] = np.linalg.lstsq(stacked, target, rcond=None)[0]
    scores = fitted(EASE(l2=3.0), board).score_all(np.arange(board.n_users))
    np.testing.assert_allclose(scores, rows @ weights, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("at_once", [1, 7, 10**6])
def test_the_gram_matrix_may_be_made_and_scored_in_parts(synthetic_task, monkeypatch, at_once):
    train = synthetic_task.train_set()
    rows = dense_rows(train)
    monkeypatch.setattr(item_gram, "ITEMS_AT_ONCE", at_once)
    monkeypatch.setattr(item_weights, "CELLS_AT_ONCE", at_once)
    gram = item_gram.item_gram(train)
    assert np.array_equal(gram, rows.T @ rows)
    assert np.array_equal(item_gram.item_gram(train, np.float32, threads=3), gram)
    weights = item_weights.ItemWeights(item_gram.interactions(train), gram)
    users = np.arange(synthetic_task.n_users, dtype=np.int32)
    items = np.random.default_rng(0).integers(0, synthetic_task.n_items, size=(len(users), 9), dtype=np.int32)
    assert np.array_equal(weights.score(users, items), np.take_along_axis(rows @ gram, items, axis=1))


def test_large_catalogues_are_solved_in_single_precision(synthetic_task, monkeypatch):
    users = np.arange(synthetic_task.n_users)
    double = fitted(EASE(l2=50.0), synthetic_task)
    needed = double.memory_bytes(synthetic_task.train_set())
    monkeypatch.setattr(ease, "DOUBLE_PRECISION_ITEMS", synthetic_task.n_items - 1)
    single = fitted(EASE(l2=50.0), synthetic_task)
    assert single.memory_bytes(synthetic_task.train_set()) == needed / 2
    assert single.score_all(users).dtype == np.float32
    np.testing.assert_allclose(single.score_all(users), double.score_all(users), atol=1e-5)
