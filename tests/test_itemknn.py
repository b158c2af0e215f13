"""What is particular to the model itemknn: its scores by hand, with dense matrices."""

import numpy as np
import pytest
from implicit.nearest_neighbours import CosineRecommender

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models.item_gram import interactions
from recbench_models.itemknn import ItemKNN
from recbench_models.rp3beta import RP3Beta
from tests.dense_fits import dense_rows, fitted


def nearest(similarities, k):
    """Keeps the k largest of each row; the smallest that is kept must be alone, or the choice would be chance."""
    kept = np.zeros_like(similarities)
    for row, values in zip(kept, similarities, strict=True):
        columns = np.argsort(-values, kind="stable")[:k]
        row[columns] = values[columns]
    return kept


def weighted(rows, similarity, k1=1.2, b=0.75):
    idf = np.log(rows.shape[1]) - np.log1p(rows.sum(axis=1, keepdims=True))
    if similarity == "bm25":
        lengths = rows.sum(axis=0)
        return rows * (k1 + 1) / (k1 * (1 - b + b * lengths / lengths.mean()) + rows) * idf
    columns = rows * idf if similarity == "tfidf" else rows
    return columns / np.linalg.norm(columns, axis=0)


@pytest.fixture
def train():
    """Every item has users, and no two similarities of an item are alike."""
    rng = np.random.default_rng(1)
    rows = rng.random((200, 12)) < rng.uniform(0.2, 0.6, size=12)
    users, items = (index.astype(np.int32) for index in np.nonzero(rows))
    return TrainSet.from_rows(200, 12, users, items)


@pytest.mark.parametrize("similarity", ["cosine", "tfidf", "bm25"])
@pytest.mark.parametrize("neighbours", [3, 12])
def test_scores_by_hand(train, similarity, neighbours):
    rows = dense_rows(train)
    columns = weighted(rows, similarity)
    expected = rows @ nearest(columns.T @ columns, neighbours).T
    model = ItemKNN(overlap=neighbours * rows.mean(), similarity=similarity, k1=1.2, b=0.75)
    model.fit(train, TimedContext(0, 1))
    np.testing.assert_allclose(model.score_all(np.arange(200, dtype=np.int32)), expected, rtol=1e-9, atol=1e-12)


def test_users_who_lack_one_item_weigh_nothing_in_tfidf_and_harm_nobody():
    users = np.repeat(np.arange(3, dtype=np.int32), [3, 1, 1])
    items = np.array([0, 1, 2, 3, 3], dtype=np.int32)
    train = TrainSet.from_rows(3, 4, users, items)
    model = ItemKNN(similarity="tfidf")
    model.fit(train, TimedContext(0, 1))
    scores = model.score_all(np.arange(3, dtype=np.int32))
    assert scores[0].tolist() == [0, 0, 0, 0]
    assert scores[1] == pytest.approx([0, 0, 0, 1])


def test_more_neighbours_than_items(board):
    profile = len(board.train_set()) / board.n_users
    few = fitted(ItemKNN(overlap=profile), board)
    many = fitted(ItemKNN(overlap=10 * profile), board)
    users = np.arange(board.n_users, dtype=np.int32)
    assert np.array_equal(few.score_all(users), many.score_all(users))


@pytest.mark.parametrize("model", [ItemKNN, RP3Beta])
@pytest.mark.parametrize("overlap", [1e30, 1e308])
def test_an_overlap_beyond_the_catalogue_keeps_all_neighbours(board, model, overlap):
    many = model(overlap=overlap)
    profile = len(board.train_set()) / board.n_users
    assert many.memory_bytes(board.train_set()) == model(overlap=profile).memory_bytes(board.train_set())
    users = np.arange(board.n_users, dtype=np.int32)
    expected = fitted(model(overlap=profile), board).score_all(users)
    assert np.array_equal(fitted(many, board).score_all(users), expected)


def test_the_limit_of_a_large_k1_is_reached(train):
    """The formula's products overflow; the weights do not."""
    users = np.arange(200, dtype=np.int32)
    scores = []
    for k1 in (1e20, 1.7e308):
        model = ItemKNN(similarity="bm25", k1=k1)
        model.fit(train, TimedContext(0, 1))
        scores.append(model.score_all(users))
    assert np.ptp(scores[0]) > 0
    np.testing.assert_allclose(*scores, rtol=1e-9)


def test_the_overlap_says_how_many_of_a_users_items_are_among_the_nearest_of_an_item(board):
    train = board.train_set()
    model = fitted(ItemKNN(overlap=2.0, similarity="cosine"), board)
    kept = model._weights._weights.getnnz(axis=0)
    n_neighbours = round(2.0 * train.n_users * train.n_items / len(train))
    assert 1 < n_neighbours < train.n_items
    assert kept.max() == n_neighbours


def test_similarities_and_neighbours_are_those_of_implicit(board):
    train = board.train_set()
    model = fitted(ItemKNN(overlap=2.0, similarity="cosine"), board)
    kept = model._weights._weights
    oracle = CosineRecommender(K=kept.getnnz(axis=0).max(), num_threads=1)
    oracle.fit(interactions(train), show_progress=False)
    expected = oracle.similarity.toarray().T
    # Of equal similarities at the limit, implicit keeps any.
    np.testing.assert_allclose(np.sort(kept.toarray(), axis=0), np.sort(np.nan_to_num(expected), axis=0), rtol=1e-12)


def test_memory_does_not_grow_with_lists_that_stay_empty():
    """Users of one row each: no two items have a user in common."""
    ids = np.arange(5000, dtype=np.int32)
    train = TrainSet.from_rows(5000, 5000, ids, ids.copy())
    assert ItemKNN(overlap=1e9).memory_bytes(train) < 2**20
