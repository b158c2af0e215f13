"""Where the items of a block of users stand in the pool of items that is drawn for the block."""

from typing import NamedTuple

from .tensorflow_alone import tf
from .tracing import compiled


class PoolPlaces(NamedTuple):
    """Where a block's items stand in its pool.

    Attributes:
        slot_of_pool: int32[pool], the slot that stands for all those with the same item.
        draws: float32[pool], the number of slots for which a slot stands.
        target: int32[pool], the place among the block's distinct and pool items at which an item of the pool stands
            first.
        first: bool[most + pool], whether an item stands here first; not at its repetitions and at padding.
        seen: bool[size * (pool + 1)], user by user, whether the user has interacted with a slot's item; at slots that
            ``slot_of_pool`` names. The last slot of each user means nothing.
    """

    slot_of_pool: tf.Tensor
    draws: tf.Tensor
    target: tf.Tensor
    first: tf.Tensor
    seen: tf.Tensor


@compiled
def places_in_pool(
    n_items: int,
    size: int,
    users: tf.Tensor,
    items: tf.Tensor,
    there: tf.Tensor,
    distinct: tf.Tensor,
    pool: tf.Tensor,
) -> PoolPlaces:
    """Finds a block's items in its pool.

    Args:
        n_items: Number of items.
        size: Users of a block.
        users: int32[capacity], place in the block.
        items: int32[capacity], place in ``distinct``.
        there: bool[capacity], whether there is a row.
        distinct: int32[most], item indices.
        pool: int32[pool], item indices; may repeat.
    """
    pool_size = pool.shape[0]
    nowhere = tf.constant(pool_size)
    slot_of_item = tf.tensor_scatter_nd_update(tf.fill([n_items + 1], nowhere), pool[:, None], tf.range(pool_size))
    slot_of_pool, slot_of_distinct = tf.gather(slot_of_item, pool), tf.gather(slot_of_item, distinct)
    place_of_slot = tf.tensor_scatter_nd_update(
        tf.fill([pool_size + 1], -1), slot_of_distinct[:, None], tf.range(distinct.shape[0])
    )
    place = tf.gather(place_of_slot, slot_of_pool)
    alone = (place < 0) & (slot_of_pool == tf.range(pool_size))
    met = tf.where(there, tf.gather(slot_of_distinct, items), nowhere)
    # One more column than the pool has slots: for items that are not in the pool.
    seen = tf.tensor_scatter_nd_update(
        tf.zeros([size * (pool_size + 1)], tf.bool),
        (users * (pool_size + 1) + met)[:, None],
        tf.ones_like(there),
    )
    first = tf.concat([distinct < n_items, alone], 0)
    target = tf.where(place < 0, distinct.shape[0] + slot_of_pool, place)
    draws = tf.math.unsorted_segment_sum(tf.ones([pool_size]), slot_of_pool, pool_size)
    return PoolPlaces(slot_of_pool, draws, target, first, seen)
