"""Positives in random order, each with freshly drawn negatives: what pointwise losses learn from."""

from typing import NamedTuple, Self

import numpy as np

from .hashing import random_bits
from .tensorflow_alone import tf
from .unseen import Unseen, popularity_weights, unseen_items, unseen_signature
from recbench.protocol import TrainSet


class Pairs(NamedTuple):
    """The train rows of users who have a negative, and what it takes to draw them.

    Attributes:
        users: int32[rows].
        items: int32[rows].
        unseen: For drawing negatives.
        left_out: int32 scalar, rows of users who have none.
    """

    users: tf.Tensor
    items: tf.Tensor
    unseen: Unseen
    left_out: tf.Tensor

    @classmethod
    def of(cls, train: TrainSet, exponent: float) -> Self:
        """Takes the rows of ``train``; an item's number of rows to the power ``exponent`` weighs it as a negative."""
        seen = np.diff(train.indptr)
        users = np.repeat(np.arange(train.n_users, dtype=np.int32), seen)
        weights = popularity_weights(train.items, train.n_items, exponent)
        unseen = unseen_items(train.indptr, train.indices, weights, train.n_items)
        usable = np.flatnonzero(unseen.total.numpy()[users] > 0)
        return cls(
            tf.constant(users[usable]),
            tf.constant(train.indices[usable]),
            unseen,
            tf.constant(len(train) - len(usable)),
        )

    def one_of_each_size(self, batch_size: int) -> Self:
        """Takes the first rows: one batch, and one of the size of the last batch if it is smaller."""
        n_rows = int(tf.shape(self.users)[0])
        few = n_rows if n_rows <= batch_size else batch_size + n_rows % batch_size
        return self._replace(users=self.users[:few], items=self.items[:few])

    @classmethod
    def signature(cls, train: TrainSet, exponent: float) -> Self:
        """Returns the types of ``of``, for compiling."""
        vector = tf.TensorSpec([None], tf.int32)
        unseen = unseen_signature(exponent != 0, train.n_users, train.n_items)
        return cls(vector, vector, unseen, tf.TensorSpec([], tf.int32))

    def epoch(self, seed: tf.Tensor, negatives: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Draws one pass.

        Args:
            seed: int32[2]; the same seed gives the same pass.
            negatives: Negatives for each positive.

        Returns:
            users int32[rows], positives int32[rows], negatives int32[rows, negatives].
        """
        rows = tf.shape(self.users)[0]
        order = tf.argsort(tf.bitcast(random_bits(rows[None], seed), tf.int32), stable=True)
        users = tf.gather(self.users, order)
        bits = random_bits(tf.stack([negatives, rows]), tf.concat([seed, [1]], 0))
        return users, tf.gather(self.items, order), tf.transpose(self.unseen.draw(users, bits))
