"""Training on blocks of users whose rows draw their own negatives from a pool of items."""

from .block_training import Settings
from .hashing import below, random_bits
from .losses import LossName, loss_and_gradients
from .pool_places import PoolPlaces
from .pooled_blocks import Met, PooledTraining, Slopes
from .tensorflow_alone import tf
from .tracing import compiled
from .user_blocks import UserBlocks

POOL_SIZE = 512
"""Items in a pool."""

TRIES = 4
"""Draws from the pool for a negative, until one is unseen."""


class OwnNegativesTraining(PooledTraining):
    """Each row draws negatives of its own from the pool.

    A row's negative is a random one of those of the pool that its user has not interacted with: that is a draw with the
    same probabilities from all unseen items. A pair for which ``TRIES`` draws from the pool gave seen items is skipped
    and counted.
    """

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int) -> None:
        super().__init__(settings, blocks, n_items, POOL_SIZE)

    def _slopes(
        self,
        positives: tf.Tensor,
        scores: tf.Tensor,
        users: tf.Tensor,
        counts: tf.Tensor,
        met: Met,
    ) -> Slopes:
        return _pair_slopes(self.settings.loss, self.settings.negatives, positives, scores, users, counts, met)


@compiled
def _pair_slopes(
    loss_name: LossName,
    negatives: int,
    positives: tf.Tensor,
    scores: tf.Tensor,
    users: tf.Tensor,
    counts: tf.Tensor,
    met: Met,
) -> Slopes:
    size, pool_size = scores.shape
    slots, found = draw_slots(negatives, pool_size, users, met.places, met.key)
    taken = met.there & found
    weights = tf.cast(taken, tf.float32)
    cells = users * pool_size + slots
    drawn = tf.gather(tf.reshape(scores, [-1]), cells)
    loss, down, up = loss_and_gradients(loss_name, positives, drawn, weights)
    up *= counts
    slopes = tf.math.unsorted_segment_sum(tf.reshape(up, [-1]), tf.reshape(cells, [-1]), size * pool_size)
    n_pairs = tf.reduce_sum(weights) / negatives
    return Slopes(
        loss / tf.maximum(n_pairs, 1.0),
        counts * down,
        tf.reshape(slopes, [size, pool_size]),
        counts * tf.reduce_mean(weights, 0),
        tf.reduce_sum(tf.cast(met.there & ~found, tf.int32)),
    )


def draw_slots(
    negatives: int, pool_size: int, users: tf.Tensor, places: PoolPlaces, key: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws the negatives of a block's rows from its pool.

    Args:
        negatives: Negatives of each row.
        pool_size: Items in the pool.
        users: int32[capacity], place of each row's user in the block.
        places: Where the block's items stand in the pool.
        key: int32[3]; the same key draws the same.

    Returns:
        The slots int32[negatives, capacity], and whether their items are unseen, bool[negatives, capacity].
    """
    shape = [negatives, *users.shape]
    slots, found = tf.zeros(shape, tf.int32), tf.zeros(shape, tf.bool)
    for attempt in range(TRIES):
        bits = random_bits(tf.constant(shape), tf.concat([key, [attempt + 1]], 0))
        drawn = below(bits, tf.constant(pool_size))
        slots = tf.where(found, slots, drawn)
        slot = tf.gather(places.slot_of_pool, drawn)
        found |= ~tf.gather(places.seen, users * (pool_size + 1) + slot)
    return slots, found
