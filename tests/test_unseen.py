import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from models import unseen as module
from models.bpr import BPR
from models.pairs import Pairs
from models.unseen import unseen_items
from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext


def train_set(n_users, n_items, share, seed=0):
    mask = np.random.default_rng(seed).random((n_users, n_items)) < share
    mask[:, 0] = True
    users, items = np.nonzero(mask)
    return TrainSet.from_rows(n_users, n_items, users.astype(np.int32), items.astype(np.int32)), mask


@pytest.fixture(params=["table", "search"])
def lookup(request, monkeypatch):
    if request.param == "search":
        monkeypatch.setattr(module, "TABLE_LIMIT", 0)
    return request.param


@pytest.mark.parametrize("each", [1, 3])
def test_draws_are_unseen(lookup, each):
    train, mask = train_set(30, 50, 0.6)
    users = np.repeat(np.arange(30), np.diff(train.indptr))
    drawn = unseen_items(train.indptr, train.indices, 50).draw(tf.constant([1, 2]), each).numpy()
    assert not mask[np.repeat(users, each), drawn].any()


def test_draws_are_uniform(lookup):
    train, mask = train_set(1, 12, 0.4)
    row = unseen_items(train.indptr, train.indices, 12).rows(tf.zeros([1], tf.int32))
    drawn = row.draw(tf.constant([3, 4]), 20_000).numpy()
    counts = np.bincount(drawn, minlength=12)
    assert counts[mask[0]].sum() == 0
    assert stats.chisquare(counts[~mask[0]]).pvalue > 1e-4


def test_looking_up_and_searching_find_the_same_items(monkeypatch):
    train, _ = train_set(40, 30, 0.5)
    table = unseen_items(train.indptr, train.indices, 30).draw(tf.constant([5, 6]), 2).numpy()
    monkeypatch.setattr(module, "TABLE_LIMIT", 0)
    searched = unseen_items(train.indptr, train.indices, 30).draw(tf.constant([5, 6]), 2).numpy()
    assert np.array_equal(table, searched)


def test_a_pass_holds_every_row_once_and_leaves_out_users_without_a_negative(lookup):
    train, mask = train_set(20, 15, 0.5)
    full = TrainSet.from_rows(
        21,
        15,
        np.concatenate([train.users, np.full(15, 20, dtype=np.int32)]),
        np.concatenate([train.items, np.arange(15, dtype=np.int32)]),
    )
    users, items, negatives = Pairs.of(full).epoch(tf.constant([0, 1]), 2)
    found = sorted(zip(users.numpy().tolist(), items.numpy().tolist(), strict=True))
    assert found == sorted(zip(train.users.tolist(), train.items.tolist(), strict=True))
    assert not mask[users.numpy()[:, None], negatives.numpy()].any()
    other_order, *_ = Pairs.of(full).epoch(tf.constant([0, 2]), 2)
    assert not np.array_equal(users, other_order)


def test_bpr_multiplies_all_items_or_those_of_the_block_with_the_same_result(synthetic_task, monkeypatch):
    """The two layouts of a block are the same arithmetic, but for the order of sums."""
    from models import bpr

    train = synthetic_task.train_set()
    questions = synthetic_task.test.users, synthetic_task.test.negatives
    scores = []
    for all_items in (True, False):
        model = BPR(epochs=3, factors=8)
        training = model._build(train)
        training._all_items = all_items
        monkeypatch.setattr(bpr.BPR, "_build", lambda self, train, training=training: training)
        model.fit(train, TimedContext(0, threads=1))
        scores.append(model.score(*questions))
        monkeypatch.undo()
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-3, atol=1e-4)
