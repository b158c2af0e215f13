from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from recbench_models.losses import LossName, loss_and_gradients, shared_softmax


@pytest.mark.parametrize("loss", get_args(LossName))
def test_the_gradients_are_those_of_the_loss(loss):
    rng = np.random.default_rng(0)
    positives = tf.constant(rng.normal(size=7), tf.float32)
    negatives = tf.constant(rng.normal(size=(3, 7)), tf.float32)
    weights = tf.constant(rng.integers(0, 2, size=(3, 7)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([positives, negatives])
        value, down, up = loss_and_gradients(loss, positives, negatives, weights)
    expected_down, expected_up = tape.gradient(value, [positives, negatives])
    np.testing.assert_allclose(down, expected_down, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(up, expected_up, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        ("bpr", np.log1p(np.exp(-0.5))),
        ("softmax", np.log1p(np.exp(-0.5))),
        ("hinge", 0.5),
        ("bce", np.log1p(np.exp(-1.5)) + np.log1p(np.exp(1.0))),
    ],
)
def test_values_by_hand(loss, value):
    computed, *_ = loss_and_gradients(loss, tf.constant([1.5]), tf.constant([[1.0]]), tf.constant([[1.0]]))
    assert float(computed) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        ("bpr", np.log1p(np.exp([-0.5, -1.5])).mean()),
        ("softmax", np.log(np.exp([1.5, 1.0, 0.0]).sum()) - 1.5),
        ("hinge", 0.25),
        ("bce", np.log1p(np.exp([-1.5, 1.0, 0.0])).sum()),
    ],
)
def test_values_of_two_negatives_by_hand(loss, value):
    computed, *_ = loss_and_gradients(loss, tf.constant([1.5]), tf.constant([[1.0], [0.0]]), tf.ones([2, 1]))
    assert float(computed) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("loss", get_args(LossName))
def test_a_positive_without_a_pair_that_counts_learns_nothing(loss):
    value, down, up = loss_and_gradients(loss, tf.constant([1.5]), tf.constant([[1.0], [0.0]]), tf.zeros([2, 1]))
    assert (float(value), *down.numpy(), *up.numpy().ravel()) == (0, 0, 0, 0)


def test_softmax_of_scores_too_large_for_exp():
    value, *_ = loss_and_gradients("softmax", tf.constant([900.0]), tf.constant([[901.0]]), tf.ones([1, 1]))
    assert float(value) == pytest.approx(np.log1p(np.exp(1.0)), rel=1e-6)


def test_shared_negatives_cost_what_softmax_costs_with_the_same_negatives_for_each():
    """One that is drawn twice counts twice, and a seen one, whose score is too large for exp, does not count."""
    rng = np.random.default_rng(0)
    users = tf.constant([0, 0, 1, 2, 2, 2])
    positives = tf.constant(rng.normal(size=6), tf.float32)
    scores = tf.constant(rng.normal(size=(3, 4)), tf.float32)
    scores = tf.tensor_scatter_nd_update(scores, [[0, 3]], [900.0])
    draws = np.array([[1, 2, 1, 0], [1, 1, 3, 1], [0] * 4])
    counts = tf.constant([1.0, 2.0, 0.5, 1.0, 1.0, 1.0])
    value, down, slopes = shared_softmax(positives, scores, tf.constant(draws, tf.float32), users, counts)
    expected, expected_slopes = 0.0, np.zeros((3, 4))
    for row, user in enumerate([0, 0, 1]):
        drawn = np.repeat(np.arange(4), draws[user])
        of_user = tf.gather(scores[user], drawn)[:, None]
        loss, own, others = loss_and_gradients("softmax", positives[row : row + 1], of_user, tf.ones_like(of_user))
        expected += float(counts[row]) * float(loss)
        assert float(down[row]) == pytest.approx(float(counts[row] * own[0]), rel=1e-5)
        np.add.at(expected_slopes[user], drawn, float(counts[row]) * others.numpy()[:, 0])
    assert float(value) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(slopes, expected_slopes, rtol=1e-5)
    assert down.numpy()[3:] == pytest.approx([0, 0, 0]), "a user without an unseen negative learns nothing"
