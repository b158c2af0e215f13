"""Training on blocks of users against a pool of items: for catalogues far larger than what a block's users have met."""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .block_training import BlockTraining, Settings
from .hashing import below, random_bits
from .unseen import popularity_weights
from .user_blocks import UserBlocks
from recbench.protocol import TrainSet


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


class PoolPlaces(NamedTuple):
    """Where a block's items stand in its pool.

    Attributes:
        slot_of_pool: int32[pool], the slot that stands for all those with the same item.
        target: int32[pool], the place among the block's distinct and pool items at which an item of the pool stands
            first.
        first: float32[most + pool], 1 where an item stands first, 0 at its repetitions and at padding.
        seen: bool[size * (pool + 1)], user by user, whether the user has interacted with a slot's item; at slots that
            ``slot_of_pool`` names. The last slot of each user means nothing.
    """

    slot_of_pool: tf.Tensor
    target: tf.Tensor
    first: tf.Tensor
    seen: tf.Tensor


class Slopes(NamedTuple):
    """The loss of a block, and its gradients.

    Attributes:
        loss: float32 scalar, the mean over the rows' pairs.
        positives: float32[capacity], gradient of the summed loss by the scores of the rows' own items.
        pool: float32[size, pool], likewise by the scores of the pool.
        pairs: float32[capacity], what each row's pairs count in the regularisation.
        skipped: int32 scalar, pairs skipped for want of an unseen item.
    """

    loss: tf.Tensor
    positives: tf.Tensor
    pool: tf.Tensor
    pairs: tf.Tensor
    skipped: tf.Tensor


class PooledTraining(BlockTraining):
    """A block's users are scored for a pool of items, drawn anew for each block; negatives come from the pool.

    The pool's items are drawn with replacement, with the probabilities of negatives. Memory is linear in users, items
    and rows.

    Args:
        settings: Hyper-parameters.
        blocks: The users' blocks.
        n_items: Number of items.
        pool_size: Items in a pool.
    """

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int, pool_size: int) -> None:
        super().__init__(settings, blocks, n_items)
        self.pool_size = pool_size
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
        bits = random_bits(tf.constant([self.pool_size]), tf.concat([key, [0]], 0))
        pool = tf.searchsorted(rows.cumulative, below(bits, rows.cumulative[-1]), side="right")
        there = tf.range(self.capacity) < rows.n_rows[block]
        places = self._places_in_pool(users, items, there, rows.distinct[block], pool)
        met = tf.concat([tf.minimum(rows.distinct[block], self.n_items - 1), pool], 0)
        trained_p, trained_q = self.users_of(self.users, block), tf.gather(self.items, met)
        p, q = self.similarity.apply(trained_p), self.similarity.apply(trained_q)
        of_users, of_items, of_pool = tf.gather(p, users), tf.gather(q, items), q[self._most :]
        positives = tf.reduce_sum(of_users * of_items, 1)
        scores = tf.matmul(p, of_pool, transpose_b=True)
        counts = tf.gather(rows.user_weights[block], users)
        slopes = self._slopes(positives, scores, users, counts, there, places, key)
        down, total = slopes.positives[:, None], tf.math.unsorted_segment_sum
        user_gradient = total(down * of_items, users, self.size) + tf.matmul(slopes.pool, of_pool)
        item_gradient = total(
            tf.concat([down * of_users, tf.matmul(slopes.pool, p, transpose_a=True)], 0),
            tf.concat([items, places.target], 0),
            self._most + self.pool_size,
        )
        pairs = slopes.pairs
        in_pool = tf.fill([self.pool_size], tf.reduce_sum(pairs) / self.pool_size)
        user_pairs = total(pairs, users, self.size)
        item_pairs = total(
            tf.concat([pairs, in_pool], 0), tf.concat([items, places.target], 0), self._most + self.pool_size
        )
        decay = self.settings.regularization
        user_gradient = self.similarity.gradient(trained_p, user_gradient)
        self.take_user_step(blocks, [user_gradient], [decay * user_pairs], seed[1])
        item_gradient = self.similarity.gradient(trained_q, item_gradient)
        item_gradient += decay * item_pairs[:, None] * self.vector * trained_q
        self._take_item_step(met, trained_q, item_gradient, places.first, step)
        return slopes.loss, slopes.skipped

    @tf.function(jit_compile=True)
    def _places_in_pool(
        self, users: tf.Tensor, items: tf.Tensor, there: tf.Tensor, distinct: tf.Tensor, pool: tf.Tensor
    ) -> PoolPlaces:
        """Finds a block's items in its pool.

        Args:
            users: int32[capacity], place in the block.
            items: int32[capacity], place in ``distinct``.
            there: bool[capacity], whether there is a row.
            distinct: int32[most], item indices.
            pool: int32[pool], item indices; may repeat.
        """
        nowhere = tf.constant(self.pool_size)
        slot_of_item = tf.tensor_scatter_nd_update(
            tf.fill([self.n_items + 1], nowhere), pool[:, None], tf.range(self.pool_size)
        )
        slot_of_pool, slot_of_distinct = tf.gather(slot_of_item, pool), tf.gather(slot_of_item, distinct)
        place_of_slot = tf.tensor_scatter_nd_update(
            tf.fill([self.pool_size + 1], -1), slot_of_distinct[:, None], tf.range(self._most)
        )
        place = tf.gather(place_of_slot, slot_of_pool)
        alone = (place < 0) & (slot_of_pool == tf.range(self.pool_size))
        met = tf.where(there, tf.gather(slot_of_distinct, items), nowhere)
        # One more column than the pool has slots: for items that are not in the pool.
        seen = tf.tensor_scatter_nd_update(
            tf.zeros([self.size * (self.pool_size + 1)], tf.bool),
            (users * (self.pool_size + 1) + met)[:, None],
            tf.ones_like(there),
        )
        first = tf.concat([distinct < self.n_items, alone], 0)
        target = tf.where(place < 0, self._most + slot_of_pool, place)
        return PoolPlaces(slot_of_pool, target, tf.cast(first, tf.float32), seen)

    @abstractmethod
    def _slopes(
        self,
        positives: tf.Tensor,
        scores: tf.Tensor,
        users: tf.Tensor,
        counts: tf.Tensor,
        there: tf.Tensor,
        places: PoolPlaces,
        key: tf.Tensor,
    ) -> Slopes:
        """Returns the loss of a block and its gradients.

        Args:
            positives: float32[capacity], scores of the rows' own items.
            scores: float32[size, pool].
            users: int32[capacity], place in the block.
            counts: float32[capacity], what each row counts.
            there: bool[capacity], whether there is a row.
            places: Where the block's items stand in the pool.
            key: int32[3], what random draws follow from.
        """

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
