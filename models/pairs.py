"""Positives in random order, each with freshly drawn negatives: what ranking losses learn from."""

import numpy as np
import tensorflow as tf

from recbench.protocol import TrainSet


class PairSampler(tf.Module):
    """Draws a pass over the train rows inside TensorFlow, without a loop over rows and without rejection.

    The r-th item that a user has not interacted with in train is r plus the number of the user's items before it. For
    the j-th of the user's ascending items i_j, i_j - j items before it are unseen, so that number is the count of j
    with i_j - j <= r: one binary search in a sorted list that holds ``user * n_items + i_j - j`` for all rows. Memory
    is linear in the rows, and each negative is exactly uniform on the unseen items (up to 2**-32 * n_items).

    Rows of users who have interacted with every item have no negative and are left out.

    Args:
        train: The train rows.

    Attributes:
        n_rows: Rows that take part.
    """

    def __init__(self, train: TrainSet) -> None:
        super().__init__()
        seen = np.diff(train.indptr)
        users = np.repeat(np.arange(train.n_users, dtype=np.int32), seen)
        nth = np.arange(len(train)) - train.indptr[users]
        usable = seen[users] < train.n_items
        self.n_rows = int(usable.sum())
        self._n_items = train.n_items
        self._users = tf.constant(users[usable])
        self._items = tf.constant(train.indices[usable])
        self._first_row = tf.constant(train.indptr[:-1])
        self._n_unseen = tf.constant(train.n_items - seen)
        self._unseen_before = tf.constant(users.astype(np.int64) * train.n_items + train.indices - nth)

    def epoch(self, seed: tf.Tensor, negatives: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Draws one pass.

        Args:
            seed: int32[2]; the same seed gives the same pass.
            negatives: Negatives for each positive.

        Returns:
            users int32[n_rows], positives int32[n_rows], negatives int32[n_rows, negatives].
        """
        order = tf.argsort(self._random_bits([self.n_rows], seed), stable=True)
        users = tf.gather(self._users, order)
        drawn = self._unseen(tf.repeat(users, negatives), seed + tf.constant([0, 1 << 30]))
        return users, tf.gather(self._items, order), tf.reshape(drawn, [-1, negatives])

    def _unseen(self, users: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        bits = tf.cast(self._random_bits(tf.shape(users), seed), tf.int64)
        nth = tf.bitwise.right_shift(bits * tf.gather(self._n_unseen, users), 32)
        keys = tf.cast(users, tf.int64) * self._n_items + nth
        row = tf.searchsorted(self._unseen_before, keys, side="right", out_type=tf.int64)
        return tf.cast(nth + row - tf.gather(self._first_row, users), tf.int32)

    @staticmethod
    def _random_bits(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32)
