"""Training on blocks of users against a pool of items: for catalogues far larger than what a block's users have met."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .block_training import BlockTraining, Settings
from .hashing import below, random_bits
from .losses import loss_and_gradients
from .unseen import popularity_weights
from .user_blocks import UserBlocks
from recbench.protocol import TrainSet

POOL_SIZE = 512
"""Items in a pool."""

TRIES = 4
"""Draws from the pool for a negative, until one is unseen."""


class PooledRows(NamedTuple):
    """What an epoch reads. Places without a row hold zeros.

    Attributes:
        users: int32[blocks, capacity], place of each row's user in its block.
        items: int32[blocks, capacity], place of each row's item in ``distinct``.
        n_rows: int32[blocks], rows of each block.
        user_weights: float32[blocks, size], what each user's rows count.
        distinct: int32[blocks, most], the different items of each block; n_items where there is none.
        cumulative: int32[n_items], sums of the weights with which negatives are drawn.
    """

    users: tf.Tensor
    items: tf.Tensor
    n_rows: tf.Tensor
    user_weights: tf.Tensor
    distinct: tf.Tensor
    cumulative: tf.Tensor


class Draw(NamedTuple):
    """The negatives of a block.

    Attributes:
        slots: int32[negatives, capacity], each negative's place in the pool.
        weights: float32[negatives, capacity], 0 for a pair that is skipped or not there, else 1.
        target: int32[pool], the place among the block's distinct and pool items at which an item of the pool stands
            first.
        first: float32[most + pool], 1 where an item stands first, 0 at its repetitions and at padding.
        skipped: int32 scalar, pairs skipped for want of an unseen item.
    """

    slots: tf.Tensor
    weights: tf.Tensor
    target: tf.Tensor
    first: tf.Tensor
    skipped: tf.Tensor


class PooledTraining(BlockTraining):
    """A block's users are scored for a pool of items, drawn anew for each block; negatives are drawn from the pool.

    The pool's items are drawn with the probabilities of negatives, and a row's negative is a random one of those of the
    pool that its user has not interacted with: that is a draw with the same probabilities from all unseen items. A pair
    for which ``TRIES`` draws from the pool gave seen items is skipped and counted. Memory is linear in users, items and
    rows.
    """

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int) -> None:
        super().__init__(settings, blocks, n_items)
        self._most = self._distinct(blocks)[0].shape[1]
        block, vector = tf.TensorSpec([None, self.capacity], tf.int32), tf.TensorSpec([None], tf.int32)
        distinct, cumulative = tf.TensorSpec([None, self._most], tf.int32), tf.TensorSpec([n_items], tf.int32)
        user_weights = tf.TensorSpec([None, self.size], tf.float32)
        self._compile(PooledRows(block, block, vector, user_weights, distinct, cumulative))

    def rows(self, train: TrainSet, blocks: UserBlocks) -> PooledRows:
        """Lays the train rows out."""
        weights = popularity_weights(train.items, train.n_items, self.settings.negative_exponent)
        weights = np.ones(train.n_items, dtype=np.int64) if weights is None else weights
        distinct, local = self._distinct(blocks)
        return PooledRows(
            tf.constant(blocks.padded(blocks.users % self.size)),
            tf.constant(blocks.padded(local)),
            tf.constant(blocks.rows),
            tf.constant(blocks.weights(self.settings.balance).reshape(self.n_blocks, self.size)),
            tf.constant(distinct),
            tf.constant(np.cumsum(weights).astype(np.int32)),
        )

    def no_rows(self, train: TrainSet, blocks: UserBlocks) -> PooledRows:
        """Returns padding for one step, for compiling."""
        places = tf.zeros([1, self.capacity], tf.int32)
        nothing, nobody = tf.fill([1, self._most], self.n_items), tf.zeros([1, self.size])
        return PooledRows(places, places, tf.zeros([1], tf.int32), nobody, nothing, tf.range(1, self.n_items + 1))

    def _distinct(self, blocks: UserBlocks) -> tuple[np.ndarray, np.ndarray]:
        """Returns each block's different items int32[blocks, most], and each row's place among them int32[rows]."""
        block_of_row = np.repeat(np.arange(blocks.n_blocks), blocks.rows)
        keys, place = np.unique(block_of_row * self.n_items + blocks.indices, return_inverse=True)
        first = np.searchsorted(keys, np.arange(blocks.n_blocks + 1) * self.n_items)
        most = max(int(np.diff(first).max()), 1)
        distinct = np.full((blocks.n_blocks, most), self.n_items, dtype=np.int32)
        distinct[np.arange(most) < np.diff(first)[:, None]] = keys % self.n_items
        return distinct, (place - first[block_of_row]).astype(np.int32)

    def _train_blocks(  # type: ignore[override]
        self, rows: PooledRows, blocks: list[tf.Tensor], seed: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        (block,) = blocks
        key = tf.concat([seed, [block]], 0)
        users, items = rows.users[block], rows.items[block]
        bits = random_bits(tf.constant([POOL_SIZE]), tf.concat([key, [0]], 0))
        pool = tf.searchsorted(rows.cumulative, below(bits, rows.cumulative[-1]), side="right")
        draw = self._draw(users, items, rows.n_rows[block], rows.distinct[block], pool, key)
        met = tf.concat([tf.minimum(rows.distinct[block], self.n_items - 1), pool], 0)
        p, q = self.users_of(self.users, block), tf.gather(self.items, met)
        of_users, of_items, of_pool = tf.gather(p, users), tf.gather(q, items), q[self._most :]
        positives = tf.reduce_sum(of_users * of_items, 1)
        scores = tf.matmul(p, of_pool, transpose_b=True)
        counts = tf.gather(rows.user_weights[block], users)
        loss, down, slopes = self._slopes(positives, scores, users, counts, draw.slots, draw.weights)
        total = tf.math.unsorted_segment_sum
        user_gradient = total(down[:, None] * of_items, users, self.size) + tf.matmul(slopes, of_pool)
        item_gradient = total(
            tf.concat([down[:, None] * of_users, tf.matmul(slopes, p, transpose_a=True)], 0),
            tf.concat([items, draw.target], 0),
            self._most + POOL_SIZE,
        )
        pairs = counts * tf.reduce_mean(draw.weights, 0)
        in_pool = tf.fill([POOL_SIZE], tf.reduce_sum(pairs) / POOL_SIZE)
        user_pairs, item_pairs = total(pairs, users, self.size), total(pairs, items, self._most)
        decay = self.settings.regularization
        self.take_user_step(blocks, [user_gradient], [decay * user_pairs], seed[1])
        item_gradient += decay * tf.concat([item_pairs, in_pool], 0)[:, None] * self.vector * q
        self._take_item_step(met, q, item_gradient, draw.first, step)
        return loss, draw.skipped

    @tf.function(jit_compile=True)
    def _draw(
        self,
        users: tf.Tensor,
        items: tf.Tensor,
        n_rows: tf.Tensor,
        distinct: tf.Tensor,
        pool: tf.Tensor,
        key: tf.Tensor,
    ) -> Draw:
        """Draws a block's negatives.

        Args:
            users: int32[capacity], place in the block.
            items: int32[capacity], place in ``distinct``.
            n_rows: int32 scalar, rows of the block.
            distinct: int32[most], item indices.
            pool: int32[POOL_SIZE], item indices; may repeat.
            key: int32[3], what the draws follow from.
        """
        nowhere = tf.constant(POOL_SIZE)
        slot_of_item = tf.tensor_scatter_nd_update(
            tf.fill([self.n_items + 1], nowhere), pool[:, None], tf.range(POOL_SIZE)
        )
        slot_of_pool, slot_of_distinct = tf.gather(slot_of_item, pool), tf.gather(slot_of_item, distinct)
        place_of_slot = tf.tensor_scatter_nd_update(
            tf.fill([POOL_SIZE + 1], -1), slot_of_distinct[:, None], tf.range(self._most)
        )
        place = tf.gather(place_of_slot, slot_of_pool)
        alone = (place < 0) & (slot_of_pool == tf.range(POOL_SIZE))
        there = tf.range(self.capacity) < n_rows
        met = tf.where(there, tf.gather(slot_of_distinct, items), nowhere)
        # One more column than the pool has slots: for items that are not in the pool.
        row_of_user = users * (POOL_SIZE + 1)
        seen = tf.tensor_scatter_nd_update(
            tf.zeros([self.size * (POOL_SIZE + 1)], tf.bool), (row_of_user + met)[:, None], tf.ones_like(there)
        )
        shape = [self.settings.negatives, self.capacity]
        slots, found = tf.zeros(shape, tf.int32), tf.zeros(shape, tf.bool)
        for attempt in range(TRIES):
            bits = random_bits(tf.constant(shape), tf.concat([key, [attempt + 1]], 0))
            drawn = below(bits, tf.constant(POOL_SIZE))
            slots = tf.where(found, slots, drawn)
            found |= ~tf.gather(seen, row_of_user + tf.gather(slot_of_pool, drawn))
        skipped = tf.reduce_sum(tf.cast(there & ~found, tf.int32))
        first = tf.concat([distinct < self.n_items, alone], 0)
        return Draw(
            slots,
            tf.cast(there & found, tf.float32),
            tf.where(place < 0, self._most + slot_of_pool, place),
            tf.cast(first, tf.float32),
            skipped,
        )

    @tf.function(jit_compile=True)
    def _slopes(
        self,
        positives: tf.Tensor,
        scores: tf.Tensor,
        users: tf.Tensor,
        counts: tf.Tensor,
        slots: tf.Tensor,
        weights: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the mean loss, and the gradients of the summed loss by the arguments of the same length.

        Args:
            positives: float32[capacity], scores of the rows' own items.
            scores: float32[size, POOL_SIZE].
            users: int32[capacity].
            counts: float32[capacity], what each row counts.
            slots: int32[negatives, capacity].
            weights: float32[negatives, capacity].
        """
        cells = users * POOL_SIZE + slots
        negatives = tf.gather(tf.reshape(scores, [-1]), cells)
        loss, down, up = loss_and_gradients(self.settings.loss, positives, negatives, weights)
        up *= counts
        slopes = tf.math.unsorted_segment_sum(tf.reshape(up, [-1]), tf.reshape(cells, [-1]), self.size * POOL_SIZE)
        n_pairs = tf.reduce_sum(weights) / self.settings.negatives
        return loss / tf.maximum(n_pairs, 1.0), counts * down, tf.reshape(slopes, [self.size, POOL_SIZE])

    def _take_item_step(
        self, met: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor, first: tf.Tensor, step: tf.Tensor
    ) -> None:
        slots = [tf.gather(slot, met) for slot in self.item_slots]
        changes = self._item_changes(value, slots, gradient, first, step)
        for variable, change in zip([self.items, *self.item_slots], changes, strict=True):
            variable.scatter_add(tf.IndexedSlices(change, met))

    @tf.function(jit_compile=True)
    def _item_changes(
        self, value: tf.Tensor, slots: list[tf.Tensor], gradient: tf.Tensor, first: tf.Tensor, step: tf.Tensor
    ) -> list[tf.Tensor]:
        after = self.optimizer.update(value, slots, gradient * self.trained_of_items, step)
        pairs = zip([after[0], *after[1]], [value, *slots], strict=True)
        return [first[:, None] * (new - old) for new, old in pairs]
