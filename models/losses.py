"""Losses of a positive against its negatives, with their gradients written out."""

from typing import Literal

import tensorflow as tf

LossName = Literal["bpr", "hinge", "bce"]


def loss_and_gradients(
    loss: LossName, positives: tf.Tensor, negatives: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Computes a loss for each positive, the mean over its negatives.

    ``bpr`` is -log sigmoid(positive - negative) (Rendle et al., UAI 2009), ``hinge`` max(0, 1 - positive + negative),
    ``bce`` the pointwise binary cross-entropy -log sigmoid(positive) - log sigmoid(-negative).

    Args:
        loss: Which.
        positives: float32[n], scores.
        negatives: float32[k, n], scores.
        weights: float32[k, n], 0 for a pair that does not count, else 1.

    Returns:
        The loss summed over n, its gradient by the positives float32[n] and by the negatives float32[k, n].
    """
    weights /= negatives.shape[0]
    if loss == "bce":
        values = tf.nn.softplus(-positives) + tf.nn.softplus(negatives)
        down, up = weights * _sigmoid(-positives), weights * _sigmoid(negatives)
    else:
        margins = positives - negatives
        if loss == "hinge":
            values, up = tf.nn.relu(1 - margins), weights * tf.cast(margins < 1, tf.float32)
        else:
            values, up = tf.nn.softplus(-margins), weights * _sigmoid(-margins)
        down = up
    return tf.reduce_sum(weights * values), -tf.reduce_sum(down, 0), up


def _sigmoid(x: tf.Tensor) -> tf.Tensor:
    """Compiles to fewer instructions than ``tf.sigmoid``."""
    return 0.5 + 0.5 * tf.tanh(0.5 * x)
