"""What is particular to the model ease, and to what it shares with other models from item to item."""

from types import SimpleNamespace

import numpy as np
import pytest

from recbench_models import item_gram, item_weights
from recbench_models.ease import EASE, _inverse
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
    weights = item_weights.ItemWeights(item_gram.interactions(train), gram)
    users = np.arange(synthetic_task.n_users, dtype=np.int32)
    items = np.random.default_rng(0).integers(0, synthetic_task.n_items, size=(len(users), 9), dtype=np.int32)
    assert np.array_equal(weights.score(users, items), np.take_along_axis(rows @ gram, items, axis=1))


def test_memory_is_checked_before_anything_is_computed(board, monkeypatch):
    needed = 2 * 8 * board.n_items**2
    memory = SimpleNamespace(available=needed)
    monkeypatch.setattr(item_gram.psutil, "virtual_memory", lambda: memory)
    fitted(EASE(), board)
    memory.available = needed - 1
    monkeypatch.setattr("recbench_models.ease.item_gram", lambda train: pytest.fail("computed"))
    with pytest.raises(MemoryError, match=r"24 x 24 numbers.*fewer items"):
        fitted(EASE(), board)


@pytest.mark.parametrize("n", [1, 3, 4, 9])
def test_the_inverse_is_mirrored_block_by_block(monkeypatch, n):
    monkeypatch.setattr("recbench_models.ease.BLOCK", 3)
    rows = np.random.default_rng(n).normal(size=(2 * n, n))
    matrix = rows.T @ rows + np.eye(n)
    expected = np.linalg.inv(matrix)
    found = _inverse(matrix)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert np.array_equal(found, found.T)
