"""What is particular to the model mf: its loss, and users' biases."""

import numpy as np
import pytest
import tensorflow as tf

from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models import bpr
from recbench_models.block_training import Settings
from recbench_models.dense_blocks import DenseTraining
from recbench_models.mf import MF
from recbench_models.user_blocks import UserBlocks

FACTORS, N_ITEMS, NEGATIVES = 3, 6, 2


@pytest.fixture
def train():
    users = np.repeat(np.arange(4, dtype=np.int32), [3, 2, 3, 1])
    items = np.array([0, 1, 2, 0, 5, 2, 3, 4, 0], dtype=np.int32)
    return TrainSet.from_rows(4, N_ITEMS, users, items)


def test_an_update_follows_the_gradient_of_the_logistic_loss_with_both_biases(train):
    """One step of SGD on one block of all users, against TensorFlow's own gradient."""
    rate, decay = 0.1, 0.05
    blocks = UserBlocks.deal(train, 10**6, 0)
    training = DenseTraining(
        Settings(FACTORS, rate, decay, NEGATIVES, 0.0, "bce", "sgd", 0.5, 0.0, user_biases=True), blocks, N_ITEMS
    )
    training.initialise(7)
    rows = training.rows(train, blocks)
    p, q = tf.Variable(training.users.numpy()[:, :FACTORS]), tf.Variable(training.items.numpy()[:, :FACTORS])
    of_users, of_items = tf.Variable(tf.zeros(4)), tf.Variable(tf.zeros(N_ITEMS))
    seed, used = tf.constant([7, 1]), len(train)
    user_positions, items = rows.users[0][:used], rows.items[0][:used]
    drawn = training.draw(rows, tf.constant(0), seed)[:, :used]
    with tf.GradientTape() as tape:
        scores = tf.matmul(p, q, transpose_b=True) + of_users[:, None] + of_items
        own = tf.gather_nd(scores, tf.stack([user_positions, items], -1))
        others = tf.gather_nd(scores, tf.stack([tf.broadcast_to(user_positions, drawn.shape), drawn], -1))
        loss = tf.reduce_sum(tf.nn.softplus(-own)) + tf.reduce_sum(tf.nn.softplus(others))
        squares = tf.reduce_sum(rows.user_decay[0][:, None] * p**2) + tf.reduce_sum(rows.item_decay[:, None] * q**2)
        gradients = tape.gradient(loss + squares / 2, [p, q, of_users, of_items])
    p, q, of_users, of_items = (
        value - rate * gradient for value, gradient in zip([p, q, of_users, of_items], gradients, strict=True)
    )
    training.epoch(rows, seed)
    expected_users = tf.concat([p, tf.ones([4, 1]), of_users[:, None]], 1)
    expected_items = tf.concat([q, of_items[:, None], tf.ones([N_ITEMS, 1])], 1)
    np.testing.assert_allclose(training.users, expected_users, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(training.items, expected_items, rtol=1e-5, atol=1e-6)
    assert np.abs(of_users).min() > 0


@pytest.mark.parametrize("sparse", [0.0, 2.0], ids=["dense", "pooled"])
def test_untrained_ones_stay_and_biases_learn(synthetic_task, monkeypatch, sparse):
    monkeypatch.setattr(bpr, "SPARSE", sparse)
    settings = {"learning_rate": 0.2, "regularization": 0.02, "negatives": 8, "negative_exponent": 0.0}
    model = MF(epochs=10, factors=FACTORS, batch_size=2048, **settings)
    train = synthetic_task.train_set()
    model.fit(train, TimedContext(0, 1))
    active = np.diff(train.indptr) > 0
    assert (model._users[:, FACTORS] == 1).all()
    assert (model._items[:, FACTORS + 1] == 1).all()
    assert (model._users[active, FACTORS + 1] < 0).all(), "most examples are negatives"
    popularity = np.bincount(train.items, minlength=train.n_items)
    assert np.corrcoef(model._items[:, FACTORS], np.log1p(popularity))[0, 1] > 0.5
    assert ndcg(rank_cases(model, synthetic_task.test), 10).mean() > 0.1
