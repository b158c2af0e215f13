"""Positives in random order, each with freshly drawn negatives: what pointwise losses learn from."""

from typing import NamedTuple, Self

import numpy as np
import tensorflow as tf

from models.unseen import Unseen, unseen_items, unseen_signature
from recbench.protocol import TrainSet


class Pairs(NamedTuple):
    """The train rows of users who have a negative, and what it takes to draw them.

    Attributes:
        users: int32[rows].
        items: int32[rows].
        unseen: For drawing negatives.
    """

    users: tf.Tensor
    items: tf.Tensor
    unseen: Unseen

    @classmethod
    def of(cls, train: TrainSet) -> Self:
        """Takes the rows of ``train``."""
        seen = np.diff(train.indptr)
        users = np.repeat(np.arange(train.n_users, dtype=np.int32), seen)
        usable = np.flatnonzero(seen[users] < train.n_items)
        unseen = unseen_items(train.indptr, train.indices, train.n_items).rows(tf.constant(usable))
        return cls(tf.constant(users[usable]), tf.constant(train.indices[usable]), unseen)

    @classmethod
    def of_nobody(cls, train: TrainSet) -> Self:
        """Takes no row, but has the types of ``of(train)``."""
        return cls.of(TrainSet.from_rows(train.n_users, train.n_items, train.users[:0].copy(), train.items[:0].copy()))

    @classmethod
    def signature(cls, train: TrainSet) -> Self:
        """Returns the types of ``of(train)``, for compiling."""
        vector = tf.TensorSpec([None], tf.int32)
        return cls(vector, vector, unseen_signature(train.n_users, train.n_items))

    def epoch(self, seed: tf.Tensor, negatives: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Draws one pass.

        Args:
            seed: int32[2]; the same seed gives the same pass.
            negatives: Negatives for each positive.

        Returns:
            users int32[rows], positives int32[rows], negatives int32[rows, negatives].
        """
        bits = tf.random.stateless_uniform(tf.shape(self.users), seed, minval=None, maxval=None, dtype=tf.uint32)
        order = tf.argsort(bits, stable=True)
        drawn = self.unseen.rows(order).draw(seed + tf.constant([0, 1 << 30]), negatives)
        return tf.gather(self.users, order), tf.gather(self.items, order), tf.reshape(drawn, [-1, negatives])
