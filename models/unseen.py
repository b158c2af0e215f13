"""Items that a user has not interacted with in train: exact draws, without rejection."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from models.hashing import below

TABLE_LIMIT = 2**26
"""User-item cells up to which the unseen items of all users are written down, in 4 bytes each, 8 with weights."""


class UnseenTable(NamedTuple):
    """All unseen items, user after user; a draw is one look-up.

    Attributes:
        total: int32[n_users], unseen items of each user.
        start: int32[n_users], where a user's part of ``items`` begins.
        items: int32[unseen].
    """

    total: tf.Tensor
    start: tf.Tensor
    items: tf.Tensor

    def draw(self, users: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
        """Draws items, uniform up to 2**-32 * n_items.

        Args:
            users: int32[n]. For a user whose ``total`` is 0 the result means nothing.
            bits: Random uint32[..., n].

        Returns:
            int32[..., n].
        """
        return tf.gather(self.items, tf.gather(self.start, users) + below(bits, tf.gather(self.total, users)))


class WeightedUnseenTable(NamedTuple):
    """All unseen items with weights; a draw is a binary search in the user's part.

    Attributes:
        total: int32[n_users], sum of the weights of each user's unseen items.
        start: int32[n_users + 1], bounds of each user's part.
        items: int32[unseen].
        cumulative: int32[unseen], sum of the weights in the user's part up to and with this item.
    """

    total: tf.Tensor
    start: tf.Tensor
    items: tf.Tensor
    cumulative: tf.Tensor

    def draw(self, users: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
        """Draws items in proportion to their weights; see ``UnseenTable.draw``."""
        target = below(bits, tf.gather(self.total, users))
        low, high = tf.gather(self.start, users), tf.gather(self.start, users + 1)
        return tf.gather(self.items, _first_above(self.cumulative, low, high, target))


class UnseenSearch(NamedTuple):
    """What it takes to compute unseen items, in memory linear in the rows; a draw is a binary search.

    The n-th item (from 0) that a user has not interacted with is n plus the number of the user's items before it. Of
    the user's ascending items i_j, i_j - j unseen ones come before the j-th; so that number is the count of j with
    i_j - j <= n.

    Attributes:
        total: int32[n_users], unseen items of each user.
        start: int32[n_users + 1], bounds of each user's rows.
        before: int32[rows], the i_j - j.
    """

    total: tf.Tensor
    start: tf.Tensor
    before: tf.Tensor

    def draw(self, users: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
        """See ``UnseenTable.draw``."""
        nth = below(bits, tf.gather(self.total, users))
        low, high = tf.gather(self.start, users), tf.gather(self.start, users + 1)
        return nth + _first_above(self.before, low, high, nth) - low


Unseen = UnseenTable | WeightedUnseenTable | UnseenSearch


def _first_above(values: tf.Tensor, low: tf.Tensor, high: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns the first place in [low, high) whose value is above the target, ``high`` if there is none; int32.

    Args:
        values: int32[m], ascending within [low, high).
        low: int32[n].
        high: int32[n].
        target: int32[..., n].
    """
    last = tf.size(values) - 1

    def halve(low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        middle = (low + high) // 2
        above = tf.gather(values, tf.minimum(middle, last)) > target
        searching = low < high
        return tf.where(searching & ~above, middle + 1, low), tf.where(searching & above, middle, high)

    bounds = [tf.broadcast_to(bound, tf.shape(target)) for bound in (low, high)]
    found, _ = tf.while_loop(lambda low, high: tf.reduce_any(low < high), halve, bounds)
    return found


def uses_table(n_users: int, n_items: int) -> bool:
    """Whether unseen items are written down."""
    return n_users * n_items <= TABLE_LIMIT


def unseen_items(indptr: np.ndarray, indices: np.ndarray, weights: np.ndarray | None, n_items: int) -> Unseen:
    """Prepares the draws.

    Args:
        indptr: int64[n_users + 1], bounds of each user's rows.
        indices: int32[rows], items, ascending within each user.
        weights: int64[n_items], what to draw in proportion to; None to draw uniformly.
        n_items: Number of items.

    Raises:
        ValueError: Weights are given where no table is used.
    """
    seen = np.diff(indptr)
    n_users = len(seen)
    users = np.repeat(np.arange(n_users), seen)
    total = (n_items - seen).astype(np.int32)
    if not uses_table(n_users, n_items):
        if weights is not None:
            raise ValueError(
                f"negative_exponent must be 0 (uniform) for more than {TABLE_LIMIT:,} users x items; "
                f"these are {n_users:,} x {n_items:,}"
            )
        before = indices - (np.arange(len(indices)) - indptr[users]).astype(np.int32)
        return UnseenSearch(*_constants(total, indptr.astype(np.int32), before))
    unseen = np.ones((n_users, n_items), dtype=np.bool_)
    unseen[users, indices] = False
    items = np.broadcast_to(np.arange(n_items, dtype=np.int32), unseen.shape)[unseen]
    start = np.concatenate([[0], np.cumsum(total)])
    if weights is None:
        return UnseenTable(*_constants(total, start[:-1].astype(np.int32), items))
    cumulative = np.concatenate([[0], np.cumsum(weights[items])])
    sums = np.diff(cumulative[start])
    cumulative = cumulative[1:] - np.repeat(cumulative[start[:-1]], total)
    return WeightedUnseenTable(*_constants(*(array.astype(np.int32) for array in (sums, start, items, cumulative))))


def unseen_signature(weighted: bool, n_users: int, n_items: int) -> Unseen:
    """Returns the types of ``unseen_items``, for compiling before there are rows."""
    vector = tf.TensorSpec([None], tf.int32)
    if not uses_table(n_users, n_items):
        return UnseenSearch(vector, vector, vector)
    return WeightedUnseenTable(vector, vector, vector, vector) if weighted else UnseenTable(vector, vector, vector)


def popularity_weights(items: np.ndarray, n_items: int, exponent: float) -> np.ndarray | None:
    """Returns whole-number weights int64[n_items] in proportion to count ** exponent; None for exponent 0.

    Scaled so that the sum over all items stays below 2**31, and rounded; an item without rows has weight 0.
    """
    if exponent == 0:
        return None
    powers = np.bincount(items, minlength=n_items).astype(np.float64)
    powers[powers > 0] **= exponent
    return np.rint(powers * (2**30 / max(powers.sum(), 1.0))).astype(np.int64)


def shares(weights: np.ndarray | None, n_items: int) -> np.ndarray:
    """Returns float64[n_items], the probability with which each item is drawn, for a user who has seen nothing."""
    return np.full(n_items, 1 / n_items) if weights is None else weights / max(weights.sum(), 1)


def _constants(*arrays: np.ndarray) -> list[tf.Tensor]:
    return [tf.constant(array) for array in arrays]
