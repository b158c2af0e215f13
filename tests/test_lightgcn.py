"""What is particular to the model lightgcn."""

import numpy as np
import pytest
import tensorflow as tf

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models.block_training import Settings as SharedSettings
from recbench_models.graph_propagation import Graph
from recbench_models.hashing import below, random_bits
from recbench_models.lightgcn import LightGCN
from recbench_models.lightgcn_shared import SharedLightGCNTraining
from recbench_models.lightgcn_training import LightGCNTraining, Settings, pair_gradients
from tests.dense_fits import dense_rows
from tests.test_bpr import with_a_user_who_has_seen_everything

FACTORS = 4


@pytest.fixture(scope="module")
def train():
    """A user and an item have no row."""
    rows = np.random.default_rng(0).random((9, 7)) < 0.4
    rows[3] = rows[:, 5] = False
    users, items = (index.astype(np.int32) for index in np.nonzero(rows))
    order = np.random.default_rng(1).permutation(len(users))
    return TrainSet.from_rows(9, 7, users[order], items[order])


def adjacency(train):
    """D^-1/2 A D^-1/2 of users above items, as a dense matrix."""
    rows = dense_rows(train)
    matrix = np.block([[np.zeros((9, 9)), rows], [rows.T, np.zeros((7, 7))]])
    degrees = matrix.sum(1)
    scale = np.divide(1, np.sqrt(degrees), out=np.zeros(16), where=degrees > 0)
    return scale[:, None] * matrix * scale


def vectors(seed):
    drawn = np.random.default_rng(seed).normal(size=(16, FACTORS))
    return drawn, tf.constant(drawn[:9], tf.float32), tf.constant(drawn[9:], tf.float32)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_propagation_is_the_mean_of_powers_of_the_adjacency_matrix(train, layers):
    both, users, items = vectors(2)
    powers = [np.linalg.matrix_power(adjacency(train), layer) @ both for layer in range(layers + 1)]
    propagated = np.concatenate(Graph.of(train).propagate(users, items, layers))
    np.testing.assert_allclose(propagated, np.mean(powers, axis=0), rtol=1e-5, atol=1e-6)


def test_gradients_are_those_of_the_loss_through_the_propagation(train):
    _, users, items = vectors(3)
    rng = np.random.default_rng(4)
    pairs = [tf.constant(rng.integers(0, most, size=size), tf.int32) for most, size in ((9, 6), (7, 6), (7, (2, 6)))]
    graph = Graph.of(train)
    with tf.GradientTape() as tape:
        tape.watch([users, items])
        p, q = graph.propagate(users, items, 2)
        own = tf.reduce_sum(tf.gather(p, pairs[0]) * tf.gather(q, pairs[1]), -1)
        others = tf.reduce_sum(tf.gather(p, pairs[0]) * tf.gather(q, pairs[2]), -1)
        loss = tf.reduce_sum(tf.reduce_mean(tf.nn.softplus(others - own), 0))
    expected = tape.gradient(loss, [users, items])
    found_loss, *gradients = pair_gradients(p, q, *pairs)
    assert float(found_loss) == pytest.approx(float(loss), rel=1e-6)
    for gradient, right in zip(graph.propagate(*gradients, 2), expected, strict=True):
        np.testing.assert_allclose(gradient, tf.convert_to_tensor(right), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("similarity", ["inner", "cosine"])
def test_an_update_of_pairs_follows_the_gradient(train, similarity):
    """The first step of Adam has the length of the learning rate, against the sign of the gradient."""
    rate, temperature = 1e-3, 0.5
    settings = Settings(FACTORS, 1, rate, 0.0, 1, 0.0, 10**6, 0.5, similarity, temperature)
    training = LightGCNTraining(train, settings)
    training.initialise(3)
    rows, seed = training.lay_out(train), tf.constant([3, 1])
    of_users, positives, negatives = rows.pairs.epoch(seed, 1)
    users, items = (tf.constant(variable.numpy()) for variable in training._vectors)
    with tf.GradientTape() as tape:
        tape.watch([users, items])
        p, q = rows.graph.propagate(users, items, 1)
        if similarity == "cosine":
            p, q = (tf.math.l2_normalize(matrix, 1, epsilon=1e-12) * temperature**-0.5 for matrix in (p, q))
        p = tf.gather(p, of_users)
        margins = tf.reduce_sum(p * (tf.gather(q, positives) - tf.gather(q, negatives[:, 0])), 1)
        loss = tf.reduce_mean(tf.nn.softplus(-margins))
    gradients = tape.gradient(loss, [users, items])
    epoch_loss, _ = training.epoch(rows, seed)
    assert float(epoch_loss) == pytest.approx(float(loss), rel=1e-5)
    for after, before, gradient in zip(training._vectors, [users, items], gradients, strict=True):
        clear = np.abs(gradient) > 1e-3
        assert clear.mean() > 0.5
        np.testing.assert_allclose((after - before)[clear], -rate * np.sign(gradient)[clear], rtol=1e-2)


def test_decay_is_what_pairs_are_expected_to_cost(train):
    training = LightGCNTraining(train, Settings(FACTORS, 1, 0.01, 0.5, 1, 0.0, 8, 0.1))
    rows = training.lay_out(train)
    users, items = rows.user_decay, rows.item_decay
    assert users[:, 0].numpy() == pytest.approx(0.5 * np.diff(train.indptr) / len(train))
    assert items[:, 0].numpy() == pytest.approx(0.5 * (np.bincount(train.items, minlength=7) / len(train) + 1 / 7))


def test_an_update_with_shared_negatives_follows_the_gradient_through_the_propagation(train):
    """One step of SGD on one block of all users, against TensorFlow's own gradient."""
    rate, decay, temperature, n_negatives = 0.5, 0.05, 0.5, 40
    settings = SharedSettings(
        FACTORS,
        rate,
        decay,
        1,
        0.0,
        "softmax",
        "sgd",
        0.5,
        0.0,
        similarity="cosine",
        temperature=temperature,
        shared_negatives=n_negatives,
        item_biases=False,
    )
    training = SharedLightGCNTraining(settings, 2, train, 10**6, 3)
    training.initialise(3)
    rows = training.lay_out(train)
    pool = below(random_bits(tf.constant([n_negatives]), tf.constant([3, 1, 0, 0])), tf.constant(7)).numpy()
    assert len(set(pool.tolist())) == 7, "every item is drawn"
    place = training._blocks.place
    users, items = (tf.constant(variable.numpy()) for variable in (training.users, training.items))
    at = place[train.users]
    seen = np.zeros((9, 7), dtype=bool)
    seen[at, train.items] = True
    with tf.GradientTape() as tape:
        tape.watch([users, items])
        p, q = (tf.math.l2_normalize(matrix, 1, epsilon=1e-12) for matrix in rows.graph.propagate(users, items, 2))
        scores = tf.matmul(p, q, transpose_b=True) / temperature
        others = tf.where(seen[:, pool], 0.0, tf.exp(tf.gather(scores, pool, axis=1)))
        own = tf.gather_nd(scores, np.stack([at, train.items], 1))
        loss = tf.reduce_mean(tf.math.log(tf.exp(own) + tf.gather(tf.reduce_sum(others, 1), at)) - own)
        squares = tf.reduce_sum(rows.user_decay * users**2) + tf.reduce_sum(rows.item_decay * items**2)
        gradients = tape.gradient(loss + squares / 2, [users, items])
    epoch_loss, skipped = training.epoch(rows, tf.constant([3, 1]))
    assert float(epoch_loss) == pytest.approx(float(loss), rel=1e-5)
    assert int(skipped) == 0
    for after, before, gradient in zip([training.users, training.items], [users, items], gradients, strict=True):
        np.testing.assert_allclose(after, before - rate * gradient, rtol=1e-4, atol=1e-5)
    of_users, of_items = training.vectors(rows.graph)
    after = [matrix.numpy() for matrix in rows.graph.propagate(training.users, training.items, 2)]
    expected = [matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-6) for matrix in after]
    met = np.diff(train.indptr) > 0
    np.testing.assert_allclose(
        (of_users @ of_items.T)[met], (expected[0][place] @ expected[1].T)[met] / temperature, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(("loss", "skipped"), [("bpr", 3 * 2 * 6), ("sampled_softmax", 3 * 6)])
def test_rows_without_a_negative_are_skipped_and_counted(loss, skipped):
    context = TimedContext(0, 1)
    LightGCN(epochs=3, negatives=2, factors=2, loss=loss).fit(with_a_user_who_has_seen_everything(), context)
    assert context.facts["skipped_pairs"] == skipped
    assert np.isfinite(context.loss)


def test_batches_take_every_row_once(train):
    """With a learning rate of next to nothing all batches see the same vectors, so the loss does not depend on them."""
    losses = []
    for size in (1, 5, 1000):
        context = TimedContext(0, 1)
        LightGCN(epochs=1, factors=FACTORS, learning_rate=1e-12, batch_size=size, init_std=1.0).fit(train, context)
        losses.append(context.loss)
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
