"""Training on blocks of users against all items: for catalogues in which a block meets a fair share of the items."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .block_training import BlockTraining, Settings
from .hashing import random_bits
from .losses import LossName, loss_and_gradients
from .tensorflow_alone import tf
from .tracing import compiled
from .unseen import (
    Unseen,
    popularity_weights,
    shares,
    unseen_items,
    unseen_signature,
)
from .user_blocks import UserBlocks
from recbench.protocol import TrainSet


class DenseRows(NamedTuple):
    """What an epoch reads. Places without a row hold zeros.

    Attributes:
        users: int32[blocks, capacity], place of each row's user in its block.
        items: int32[blocks, capacity].
        weights: float32[blocks, capacity], what each row counts; 0 for one that takes no part.
        user_decay: float32[blocks, size], regularisation of each user's vector in one update.
        item_decay: float32[n_items], likewise.
        skipped: int32[blocks], pairs left out because the user has no unseen item.
        unseen: For drawing negatives, by place.
    """

    users: tf.Tensor
    items: tf.Tensor
    weights: tf.Tensor
    user_decay: tf.Tensor
    item_decay: tf.Tensor
    skipped: tf.Tensor
    unseen: Unseen


class DenseTraining(BlockTraining):
    """One matrix product scores a block's users for all items.

    The scores of the pairs are read from it by flat index, their gradients are summed into a matrix of the same shape,
    and two more products give the gradients of both factor matrices. This replaces all gathering and scattering of
    vectors, at the price of scores that no pair needs. What happens to a pair in between is compiled into few loops.
    """

    @classmethod
    def deal(cls, train: TrainSet, batch_size: int, seed: int, threads: int) -> UserBlocks:  # noqa: D102
        # The gradients of the blocks are summed up into one update.
        return UserBlocks.deal(train, batch_size, seed, threads)

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int) -> None:
        super().__init__(settings, blocks, n_items)
        weighted = settings.negative_exponent != 0
        block = [None, self.capacity]
        rows = DenseRows(
            tf.TensorSpec(block, tf.int32),
            tf.TensorSpec(block, tf.int32),
            tf.TensorSpec(block, tf.float32),
            tf.TensorSpec([None, self.size], tf.float32),
            tf.TensorSpec([n_items], tf.float32),
            tf.TensorSpec([None], tf.int32),
            unseen_signature(weighted, self.n_blocks * self.size, n_items),
        )
        self._compile(rows)

    def rows(self, train: TrainSet, blocks: UserBlocks) -> DenseRows:
        """Lays the train rows out."""
        weights = popularity_weights(train.items, train.n_items, self.settings.negative_exponent)
        unseen = unseen_items(blocks.indptr, blocks.indices, weights, train.n_items)
        takes_part = (unseen.total.numpy()[blocks.users] > 0).astype(np.float32)
        regularization = self.settings.regularization
        counts = takes_part * blocks.weights(self.settings.balance)[blocks.users]
        as_positive = np.bincount(blocks.indices, weights=counts, minlength=train.n_items)
        pairs = as_positive + counts.sum(dtype=np.float64) * shares(weights, train.n_items)
        degrees = np.bincount(blocks.users, weights=counts, minlength=self.n_blocks * self.size)
        return DenseRows(
            tf.constant(blocks.padded(blocks.users % self.size)),
            tf.constant(blocks.padded(blocks.indices)),
            tf.constant(blocks.padded(counts)),
            tf.constant((regularization * degrees).reshape(self.n_blocks, self.size).astype(np.float32)),
            tf.constant((regularization * self.parts / self.n_blocks * pairs).astype(np.float32)),
            tf.constant((blocks.rows - blocks.padded(takes_part).sum(1)).astype(np.int32) * self.settings.negatives),
            unseen,
        )

    def no_rows(self, train: TrainSet, blocks: UserBlocks) -> DenseRows:
        """Returns padding for one step, for compiling."""
        weights = popularity_weights(train.items, train.n_items, self.settings.negative_exponent)
        places = tf.zeros([self.parts, self.capacity], tf.int32)
        return DenseRows(
            users=places,
            items=places,
            weights=tf.zeros([self.parts, self.capacity]),
            user_decay=tf.zeros([self.parts, self.size]),
            item_decay=tf.zeros([self.n_items]),
            skipped=tf.zeros([self.parts], tf.int32),
            unseen=unseen_items(blocks.indptr, blocks.indices, weights, self.n_items),
        )

    def _train_blocks(  # type: ignore[override]
        self,
        rows: DenseRows,
        blocks: list[tf.Tensor],
        seed: tf.Tensor,
        step: tf.Tensor,
        ahead: Sequence[NamedTuple],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        q = self.items.read_value()
        vectors = [self.users_of(self.users, block) for block in blocks]
        # Blocks have nothing to do with each other until their gradients are summed: TensorFlow runs them side by side.
        gradients = [self._gradients(rows, block, p, q, seed) for block, p in zip(blocks, vectors, strict=True)]
        losses, pairs, of_users, of_items = zip(*gradients, strict=True)
        self.take_user_step(blocks, list(of_users), [rows.user_decay[block] for block in blocks], seed[1])
        self._take_item_step(tf.add_n(of_items), rows.item_decay, step)
        skipped = tf.add_n([rows.skipped[block] for block in blocks])
        return tf.add_n(losses) / tf.maximum(tf.add_n(pairs), 1.0), skipped

    def _gradients(
        self, rows: DenseRows, block: tf.Tensor, p: tf.Tensor, q: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns a block's summed loss, its number of rows that take part, and its gradients by p and by q.

        Args:
            rows: All rows.
            block: int32 scalar.
            p: float32[size, width], the block's users.
            q: float32[n_items, width].
            seed: int32[2].
        """
        users, items, weights = rows.users[block], rows.items[block], rows.weights[block]
        trained_p, trained_q = p, q
        p, q = self.similarity.apply(p), self.similarity.apply(q)
        drawn = self.draw(rows, block, seed)
        loss, slopes = _slopes(self.settings.loss, tf.matmul(p, q, transpose_b=True), users, items, weights, drawn)
        of_users, of_items = tf.matmul(slopes, q), tf.matmul(slopes, p, transpose_a=True)
        of_users, of_items = (
            self.similarity.gradient(trained_p, of_users),
            self.similarity.gradient(trained_q, of_items),
        )
        return loss, tf.reduce_sum(tf.sign(weights)), of_users, of_items

    def draw(self, rows: DenseRows, block: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns the negatives of a block's rows, int32[negatives, capacity]."""
        places = block * self.size + rows.users[block]
        return _draw(self.settings.negatives, rows.unseen, places, tf.concat([seed, [block]], 0))

    def _take_item_step(self, gradient: tf.Tensor, decay: tf.Tensor, step: tf.Tensor) -> None:
        slots = [slot.read_value() for slot in self.item_slots]
        value, slots = self.item_update(self.items.read_value(), slots, gradient, decay, step)
        self.items.assign(value)
        for variable, slot in zip(self.item_slots, slots, strict=True):
            variable.assign(slot)


@compiled
def _draw(negatives: int, unseen: Unseen, places: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    return unseen.draw(places, random_bits(tf.constant([negatives, *places.shape]), key))


@compiled
def _slopes(
    loss_name: LossName, scores: tf.Tensor, users: tf.Tensor, items: tf.Tensor, weights: tf.Tensor, drawn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the summed loss, and its gradient by ``scores``, float32[size, n_items].

    Args:
        loss_name: The loss.
        scores: float32[size, n_items].
        users: int32[capacity].
        items: int32[capacity].
        weights: float32[capacity].
        drawn: int32[negatives, capacity].
    """
    size, n_items = scores.shape
    first = users * n_items
    flat, positives, negatives = tf.reshape(scores, [-1]), first + items, first + drawn
    own, others = tf.gather(flat, positives), tf.gather(flat, negatives)
    takes_part = tf.broadcast_to(tf.sign(weights), drawn.shape)
    loss, down, up = loss_and_gradients(loss_name, own, others, takes_part)
    slopes = tf.math.unsorted_segment_sum(
        tf.concat([weights * down, tf.reshape(weights * up, [-1])], 0),
        tf.concat([positives, tf.reshape(negatives, [-1])], 0),
        size * n_items,
    )
    return loss, tf.reshape(slopes, [size, n_items])
