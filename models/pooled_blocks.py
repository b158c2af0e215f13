"""Training on blocks of users against a pool of items: for catalogues far larger than what a block's users have met."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .block_training import BlockTraining, Settings
from .hashing import below, random_bits
from .pool_places import PoolPlaces, places_in_pool
from .tensorflow_alone import tf
from .tracing import compiled
from .unseen import popularity_weights
from .user_blocks import UserBlocks
from recbench.protocol import TrainSet

FEWEST_STEPS = 16
"""Steps of an epoch, below which fewer blocks are computed side by side."""


class PooledRows(NamedTuple):
    """What an epoch reads. Places without a row come last, with the last place of users and of items.

    Attributes:
        users: int32[blocks, capacity], place of each row's user in its block, ascending.
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


class Met(NamedTuple):
    """The items that a block meets: those of its rows, and those of its pool.

    Attributes:
        items: int32[most + pool], item indices; may repeat.
        there: bool[capacity], whether there is a row.
        places: Where the block's items stand in the pool.
        key: int32[3], what random draws follow from.
    """

    items: tf.Tensor
    there: tf.Tensor
    places: PoolPlaces
    key: tf.Tensor


class Gradients(NamedTuple):
    """The loss of a block, and its gradients by vectors.

    Attributes:
        users: float32[size, width], by the block's users.
        items: float32[most + pool, width], by the items that it meets; 0 at an item's repetitions.
        user_pairs: float32[size], what each user's vector counts in the regularisation.
        item_pairs: float32[most + pool], likewise; 0 at an item's repetitions.
        loss: float32 scalar, the mean over the rows' pairs.
        skipped: int32 scalar, pairs skipped for want of an unseen item.
    """

    users: tf.Tensor
    items: tf.Tensor
    user_pairs: tf.Tensor
    item_pairs: tf.Tensor
    loss: tf.Tensor
    skipped: tf.Tensor


class Slopes(NamedTuple):
    """The loss of a block, and its gradients by scores.

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

    On several threads, the gradients of as many blocks are computed side by side, from the same vectors. The blocks'
    updates follow one after the other. An epoch has at least ``FEWEST_STEPS`` such steps, so that few updates are
    unknown to a block.

    Args:
        settings: Hyper-parameters.
        blocks: The users' blocks.
        n_items: Number of items.
        pool_size: Items in a pool.
    """

    spare_items = 1

    @classmethod
    def deal(cls, train: TrainSet, batch_size: int, seed: int, threads: int) -> UserBlocks:  # noqa: D102
        # A block has at least one user.
        n_blocks = min(round(len(train) / batch_size), train.n_users)
        parts = min(max(n_blocks // FEWEST_STEPS, 1), threads)
        return UserBlocks.deal(train, parts * batch_size, seed, parts)

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int, pool_size: int) -> None:
        super().__init__(settings, blocks, n_items)
        self.pool_size = pool_size
        self._most = max(len(items) for items in _distinct(blocks, n_items))
        block, vector = tf.TensorSpec([None, self.capacity], tf.int32), tf.TensorSpec([None], tf.int32)
        distinct, cumulative = tf.TensorSpec([None, self._most], tf.int32), tf.TensorSpec([n_items], tf.int32)
        user_weights = tf.TensorSpec([None, self.size], tf.float32)
        self._compile(PooledRows(block, block, vector, user_weights, distinct, cumulative))

    def rows(self, train: TrainSet, blocks: UserBlocks) -> PooledRows:
        """Lays the train rows out."""
        weights = popularity_weights(train.items, train.n_items, self.settings.negative_exponent)
        weights = np.ones(train.n_items, dtype=np.int64) if weights is None else weights
        items, distinct = self._by_block(blocks)
        return PooledRows(
            tf.constant(blocks.padded(blocks.users % self.size, self.size - 1)),
            tf.constant(items),
            tf.constant(blocks.rows),
            tf.constant(blocks.weights(self.settings.balance).reshape(self.n_blocks, self.size)),
            tf.constant(distinct),
            tf.constant(np.cumsum(weights).astype(np.int32)),
        )

    def no_rows(self, train: TrainSet, blocks: UserBlocks) -> PooledRows:
        """Returns padding for one step, for compiling."""
        places, none = tf.zeros([self.parts, self.capacity], tf.int32), tf.zeros([self.parts], tf.int32)
        nothing, nobody = tf.fill([self.parts, self._most], self.n_items), tf.zeros([self.parts, self.size])
        return PooledRows(places, places, none, nobody, nothing, tf.range(1, self.n_items + 1))

    def _by_block(self, blocks: UserBlocks) -> tuple[np.ndarray, np.ndarray]:
        """Returns ``items`` and ``distinct`` of ``PooledRows``."""
        items = np.full((blocks.n_blocks, blocks.capacity), self._most - 1, dtype=np.int32)
        distinct = np.full((blocks.n_blocks, self._most), self.n_items, dtype=np.int32)
        place = np.empty(self.n_items, dtype=np.int32)
        starts = np.append(0, np.cumsum(blocks.rows))
        for block, own in enumerate(_distinct(blocks, self.n_items)):
            place[own] = np.arange(len(own), dtype=np.int32)
            items[block, : blocks.rows[block]] = place[blocks.indices[starts[block] : starts[block + 1]]]
            distinct[block, : len(own)] = own
        return items, distinct

    def _train_blocks(  # type: ignore[override]
        self, rows: PooledRows, blocks: list[tf.Tensor], seed: tf.Tensor, step: tf.Tensor, ahead: Sequence[Met]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        mets = ahead or self._meet_all(rows, blocks, seed)
        values = [tf.gather(self.items, met.items) for met in mets]
        # None waits for another block's update, so TensorFlow computes them side by side.
        found = [
            self.gradients(rows, block, met, self.users_of(self.users, block), q)
            for block, met, q in zip(blocks, mets, values, strict=True)
        ]
        decay = self.settings.regularization
        decays = [decay * gradients.user_pairs for gradients in found]
        self.take_user_step(blocks, [gradients.users for gradients in found], decays, seed[1])
        for number, (met, q, gradients) in enumerate(zip(mets, values, found, strict=True)):
            # The updates of the blocks before have moved some of the items.
            value = tf.gather(self.items, met.items) if number else q
            updates = self.parts * (step - 1) + number + 1
            self._take_item_step(met, value, gradients.items, decay * gradients.item_pairs, updates)
        loss = tf.add_n([gradients.loss for gradients in found]) / len(found)
        return loss, tf.add_n([gradients.skipped for gradients in found])

    def _look_ahead(self, rows: PooledRows, blocks: list[tf.Tensor], seed: tf.Tensor) -> Sequence[Met]:  # type: ignore[override]
        # The updates follow one after the other and leave a second thread idle; a single one has nothing to gain.
        return self._meet_all(rows, blocks, seed) if self.parts > 1 else ()

    def _meet_all(self, rows: PooledRows, blocks: list[tf.Tensor], seed: tf.Tensor) -> list[Met]:
        return [self.meet(rows, block, seed) for block in blocks]

    def meet(self, rows: PooledRows, block: tf.Tensor, seed: tf.Tensor) -> Met:
        """Draws a block's pool, and finds the block's own items in it.

        Args:
            rows: All rows.
            block: int32 scalar.
            seed: int32[2], the seed and the epoch from 1.
        """
        key = tf.concat([seed, [block]], 0)
        bits = random_bits(tf.constant([self.pool_size]), tf.concat([key, [0]], 0))
        pool = tf.searchsorted(rows.cumulative, below(bits, rows.cumulative[-1]), side="right")
        there = tf.range(self.capacity) < rows.n_rows[block]
        own = rows.users[block], rows.items[block], there, rows.distinct[block]
        places = places_in_pool(self.n_items, self.size, *own, pool)
        items = tf.concat([tf.minimum(rows.distinct[block], self.n_items - 1), pool], 0)
        return Met(items, there, places, key)

    def gradients(self, rows: PooledRows, block: tf.Tensor, met: Met, p: tf.Tensor, q: tf.Tensor) -> Gradients:
        """Returns the loss of a block and its gradients.

        Args:
            rows: All rows.
            block: int32 scalar.
            met: The items that the block meets.
            p: float32[size, width], the block's users.
            q: float32[most + pool, width], the items of ``met``.
        """
        users, items = rows.users[block], rows.items[block]
        scoring_p, scoring_q = self.similarity.apply(p), self.similarity.apply(q)
        of_pool = scoring_q[self._most :]
        positives = _inner_products(scoring_p, scoring_q, users, items)
        scores = tf.matmul(scoring_p, of_pool, transpose_b=True)
        counts = tf.gather(rows.user_weights[block], users)
        slopes = self._slopes(positives, scores, users, counts, met)
        by_users = tf.matmul(slopes.pool, of_pool)
        in_pool = tf.matmul(slopes.pool, scoring_p, transpose_a=True)
        of_rows, by_items, user_pairs, item_pairs = _sums_of_rows(
            scoring_p, scoring_q, users, items, slopes, met.places.target, in_pool
        )
        return Gradients(
            self.similarity.gradient(p, by_users + of_rows),
            self.similarity.gradient(q, by_items),
            user_pairs,
            item_pairs,
            slopes.loss,
            slopes.skipped,
        )

    @abstractmethod
    def _slopes(
        self,
        positives: tf.Tensor,
        scores: tf.Tensor,
        users: tf.Tensor,
        counts: tf.Tensor,
        met: Met,
    ) -> Slopes:
        """Returns the loss of a block and its gradients.

        Args:
            positives: float32[capacity], scores of the rows' own items.
            scores: float32[size, pool].
            users: int32[capacity], place in the block.
            counts: float32[capacity], what each row counts.
            met: The items that the block meets.
        """

    def _take_item_step(
        self, met: Met, value: tf.Tensor, gradient: tf.Tensor, decay: tf.Tensor, step: tf.Tensor
    ) -> None:
        slots = [tf.gather(slot, met.items) for slot in self.item_slots]
        new_value, new_slots = self.item_update(value, slots, gradient, decay, step)
        # New values take half the time of differences. Repetitions of an item would put them in each other's place, and
        # so go into the spare row.
        places = tf.where(met.places.first, met.items, self.n_items)
        for variable, new in zip([self.items, *self.item_slots], [new_value, *new_slots], strict=True):
            variable.scatter_update(tf.IndexedSlices(new, places))


@compiled
def _inner_products(p: tf.Tensor, q: tf.Tensor, users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.gather(p, users) * tf.gather(q, items), 1)


@compiled
def _sums_of_rows(
    p: tf.Tensor,
    q: tf.Tensor,
    users: tf.Tensor,
    items: tf.Tensor,
    slopes: Slopes,
    target: tf.Tensor,
    in_pool: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Sums up by users and by items; compiled, so that no vector of a row is written to memory.

    Args:
        p: float32[size, width], the block's users.
        q: float32[most + pool, width], the items that the block meets.
        users: int32[capacity], place in the block.
        items: int32[capacity], place among the items.
        slopes: The gradients by scores.
        target: See ``PoolPlaces``.
        in_pool: float32[pool, width], the gradient by the pool's items.

    Returns:
        float32[size, width], the gradient by users, of the rows alone; and ``items``, ``user_pairs`` and
        ``item_pairs`` of ``Gradients``.
    """
    total, down, pairs = tf.math.unsorted_segment_sum, slopes.positives[:, None], slopes.pairs
    pool_size = in_pool.shape[0]
    by_items = total(down * tf.gather(p, users), items, q.shape[0])
    item_pairs = total(pairs, items, q.shape[0])
    pairs_in_pool = tf.fill([pool_size], tf.reduce_sum(pairs) / pool_size)
    return (
        total(down * tf.gather(q, items), users, p.shape[0]),
        tf.tensor_scatter_nd_add(by_items, target[:, None], in_pool),
        total(pairs, users, p.shape[0]),
        tf.tensor_scatter_nd_add(item_pairs, target[:, None], pairs_in_pool),
    )


def _distinct(blocks: UserBlocks, n_items: int) -> Iterator[np.ndarray]:
    """Yields the different items of each block, int64[n], ascending."""
    starts = np.append(0, np.cumsum(blocks.rows))
    for first, last in pairwise(starts):
        has = np.zeros(n_items, dtype=bool)
        has[blocks.indices[first:last]] = True
        yield np.flatnonzero(has)
