"""Items that a user has not interacted with in train: exact draws, without rejection."""

from typing import NamedTuple

import numpy as np

from .count_powers import power_base
from .hashing import below
from .tensorflow_alone import tf

TABLE_LIMIT = 2**26
"""User-item cells up to which the unseen items of all users are written down for uniform draws, in 4 bytes each."""

GUIDE_BITS = 12
"""The guide to weighted draws has about this many bits of places: few enough for the fastest cache."""


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


class WeightedUnseenSearch(NamedTuple):
    """Draws in proportion to weights, in memory linear in the rows; a draw is two searches.

    The items stand on a line, each as long as its weight. A target on the line without the user's own items lies
    beyond those j-th ones before which no more unseen weight comes than the target; moved on by the weight of these,
    it is the place on the line with all items.

    Attributes:
        total: int32[n_users], sum of the weights of each user's unseen items.
        start: int32[n_users + 1], bounds of each user's rows.
        before: int32[rows], unseen weight before this item.
        passed: int32[rows], weight of the user's items up to and with this one.
        ends: int32[n_items], where each item ends on the line.
        guide: int32[places], the first item that ends after each of the equally spaced places on the line.
        spacing: int32 scalar, binary logarithm of the distance between two places.
    """

    total: tf.Tensor
    start: tf.Tensor
    before: tf.Tensor
    passed: tf.Tensor
    ends: tf.Tensor
    guide: tf.Tensor
    spacing: tf.Tensor

    def draw(self, users: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
        """Draws items in proportion to their weights; see ``UnseenTable.draw``."""
        target = below(bits, tf.gather(self.total, users))
        low, high = tf.gather(self.start, users), tf.gather(self.start, users + 1)
        n_items = self.ends.shape[0]
        found = _first_above_of_few(self.before, low, high, target, n_items)
        target += tf.where(found > low, tf.gather(self.passed, tf.maximum(found - 1, 0)), 0)
        place = tf.bitwise.right_shift(target, self.spacing)
        item = _first_above(self.ends, tf.gather(self.guide, place), tf.gather(self.guide, place + 1), target)
        return tf.minimum(item, n_items - 1)


Unseen = UnseenTable | UnseenSearch | WeightedUnseenSearch


def _first_above_of_few(values: tf.Tensor, low: tf.Tensor, high: tf.Tensor, target: tf.Tensor, most: int) -> tf.Tensor:
    """Returns the same as ``_first_above``; faster where the longest [low, high) comes near the bound ``most``.

    Without a loop all steps are compiled into one pass over the targets.
    """
    last = tf.maximum(tf.size(values) - 1, 0)
    place = tf.broadcast_to(low, tf.shape(target))
    for power in reversed(range(most.bit_length())):
        further = place + (1 << power)
        not_above = tf.gather(values, tf.minimum(further - 1, last)) <= target
        place = tf.where((further <= high) & not_above, further, place)
    return place


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
    """
    seen = np.diff(indptr)
    users = np.repeat(np.arange(len(seen)), seen)
    if weights is not None:
        return _weighted(indptr, indices, users, weights)
    total = n_items - seen
    if not uses_table(len(seen), n_items):
        return UnseenSearch(*_constants(total, indptr, indices - (np.arange(len(indices)) - indptr[users])))
    unseen = np.ones((len(seen), n_items), dtype=np.bool_)
    unseen[users, indices] = False
    items = np.broadcast_to(np.arange(n_items, dtype=np.int32), unseen.shape)[unseen]
    return UnseenTable(*_constants(total, np.cumsum(total) - total, items))


def _weighted(indptr: np.ndarray, indices: np.ndarray, users: np.ndarray, weights: np.ndarray) -> WeightedUnseenSearch:
    ends = np.cumsum(weights)
    sums = np.concatenate([[0], np.cumsum(weights[indices])])
    passed = sums[1:] - sums[indptr[users]]
    before = ends[indices] - passed
    total = ends[-1] - (sums[indptr[1:]] - sums[indptr[:-1]])
    spacing = max(int(ends[-1]).bit_length() - GUIDE_BITS, 0)
    places = np.arange((int(ends[-1]) >> spacing) + 2) << spacing
    guide = np.searchsorted(ends, places, side="right")
    return WeightedUnseenSearch(*_constants(total, indptr, before, passed, ends, guide, np.array(spacing)))


def unseen_signature(weighted: bool, n_users: int, n_items: int) -> Unseen:
    """Returns the types of ``unseen_items``, for compiling before there are rows."""
    vector = tf.TensorSpec([None], tf.int32)
    if weighted:
        ends = tf.TensorSpec([n_items], tf.int32)
        return WeightedUnseenSearch(vector, vector, vector, vector, ends, vector, tf.TensorSpec([], tf.int32))
    lookup = UnseenTable if uses_table(n_users, n_items) else UnseenSearch
    return lookup(vector, vector, vector)


def popularity_weights(items: np.ndarray, n_items: int, exponent: float) -> np.ndarray | None:
    """Returns whole-number weights int64[n_items] in proportion to count ** exponent; None for exponent 0.

    Scaled so that the sum over all items stays below 2**31, and rounded. An item without rows counts as one with one
    row. If it were never a negative, nothing would lower its scores, and it would rank above most items. Its share of
    the draws is at least that of one row in all rows, because an exponent above 1 takes too much from rare items. With
    a very large exponent, the weights of all but the most popular items round to 0.
    """
    if exponent == 0:
        return None
    counts = np.bincount(items, minlength=n_items).astype(np.float64)
    base = power_base(counts, exponent)
    powers = (counts / base) ** exponent
    powers[counts == 0] = max((1 / base) ** exponent, powers[counts > 0].sum() / max(len(items), 1))
    return np.rint(powers * (2**30 / max(powers.sum(), 1.0))).astype(np.int64)


def shares(weights: np.ndarray | None, n_items: int) -> np.ndarray:
    """Returns float64[n_items], the probability with which each item is drawn, for a user who has seen nothing."""
    return np.full(n_items, 1 / n_items) if weights is None else weights / max(weights.sum(), 1)


def _constants(*arrays: np.ndarray) -> list[tf.Tensor]:
    return [tf.constant(array.astype(np.int32)) for array in arrays]
