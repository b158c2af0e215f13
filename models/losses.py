"""Losses of a positive against its negatives, with their gradients written out."""

from typing import Literal

from .tensorflow_alone import tf

LossName = Literal["bpr", "softmax", "hinge", "bce"]

LOWEST = -1e30
"""Below any score."""

TINY = 1e-30
"""Below any sum of exponentials that is not 0."""


def loss_and_gradients(
    loss: LossName, positives: tf.Tensor, negatives: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Computes a loss for each positive against its k negatives.

    ``bpr`` is the mean over the negatives of -log sigmoid(positive - negative) (Rendle et al., UAI 2009), ``hinge``
    that of max(0, 1 - positive + negative). ``softmax`` is the cross-entropy of picking the positive out of itself and
    its negatives, log(exp(positive) + sum exp(negative)) - positive; with one negative it is ``bpr``. ``bce`` takes
    each for an example of its own: -log sigmoid(positive) - sum log sigmoid(-negative) (He et al., WWW 2017).

    Args:
        loss: Which.
        positives: float32[n], scores.
        negatives: float32[k, n], scores.
        weights: float32[k, n], 0 for a pair that does not count, else 1.

    Returns:
        The loss summed over n, its gradient by the positives float32[n] and by the negatives float32[k, n].
    """
    if loss == "softmax":
        return _softmax(positives, negatives, weights)
    if loss == "bce":
        there = tf.reduce_max(weights, 0)
        values = tf.reduce_sum(there * tf.nn.softplus(-positives)) + tf.reduce_sum(weights * tf.nn.softplus(negatives))
        return values, -there * _sigmoid(-positives), weights * _sigmoid(negatives)
    weights /= negatives.shape[0]
    margins = positives - negatives
    if loss == "hinge":
        values, up = tf.nn.relu(1 - margins), weights * tf.cast(margins < 1, tf.float32)
    else:
        values, up = tf.nn.softplus(-margins), weights * _sigmoid(-margins)
    return tf.reduce_sum(weights * values), -tf.reduce_sum(up, 0), up


def shared_softmax(
    positives: tf.Tensor, scores: tf.Tensor, draws: tf.Tensor, users: tf.Tensor, counts: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Computes the softmax loss of each positive against all negatives that its block shares.

    The loss of a positive is the cross-entropy of picking it out of itself and those shared negatives that its user
    has not interacted with (Wu et al., "On the Effectiveness of Sampled Softmax Loss for Item Recommendation", ACM
    TOIS 2024). The negatives' part of the denominator is the same for all positives of a user, so that a block needs no
    more than one exponential for each user and negative.

    Args:
        positives: float32[n], scores.
        scores: float32[users, k], those of the shared negatives.
        draws: float32[users, k], how often each is a negative of the user; 0 if the user has interacted with it.
        users: int32[n], whose each positive is.
        counts: float32[n], what each positive counts.

    Returns:
        The loss summed over n, its gradient by the positives float32[n] and by ``scores`` float32[users, k]. A positive
        of a user without an unseen negative has neither.
    """
    largest = tf.reduce_max(tf.where(draws > 0, scores, LOWEST), 1, keepdims=True)
    others = tf.where(draws > 0, draws * tf.exp(scores - largest), 0.0)
    total = tf.reduce_sum(others, 1)
    log_total = tf.gather(tf.math.log(tf.maximum(total, TINY)) + largest[:, 0], users)
    counts = tf.where(tf.gather(total, users) > 0, counts, 0.0)
    wrong = counts * _sigmoid(log_total - positives)
    of_users = tf.math.unsorted_segment_sum(wrong, users, scores.shape[0])
    slopes = (of_users / tf.maximum(total, TINY))[:, None] * others
    return tf.reduce_sum(counts * tf.nn.softplus(log_total - positives)), -wrong, slopes


def _softmax(positives: tf.Tensor, negatives: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    largest = tf.maximum(positives, tf.reduce_max(negatives, 0))
    others = weights * tf.exp(negatives - largest)
    total = tf.exp(positives - largest) + tf.reduce_sum(others, 0)
    up = others / total
    # Without a pair that counts, a positive has nothing to be picked from, and nothing to learn.
    values = tf.reduce_max(weights, 0) * (tf.math.log(total) + (largest - positives))
    return tf.reduce_sum(values), -tf.reduce_sum(up, 0), up


def _sigmoid(x: tf.Tensor) -> tf.Tensor:
    """Compiles to fewer instructions than ``tf.sigmoid``."""
    return 0.5 + 0.5 * tf.tanh(0.5 * x)
