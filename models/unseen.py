"""Items that a user has not interacted with in train: exactly uniform draws, without rejection."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

TABLE_LIMIT = 2**26
"""Entries (256 MB) up to which the unseen items of all users are written down; beyond, they are searched for."""


class Unseen(NamedTuple):
    """What it takes to find the n-th unseen item of the user of each train row.

    The n-th item that a user has not interacted with is n plus the number of the user's items before it. For the j-th
    of the user's ascending items i_j, i_j - j items before it are unseen, so that number is the count of j with
    i_j - j <= n: one binary search in a sorted list that holds ``user * n_items + i_j - j`` for all rows, and memory is
    linear in the rows. Where a table of all users' unseen items is small enough, it is looked up instead.

    Attributes:
        count: int64[rows], unseen items of the row's user.
        key: int64[rows], where the user's part of ``lookup`` begins: a place in the table, or ``user * n_items``.
        first_row: int64[rows], the user's first row; empty with a table.
        lookup: int32[unseen] table, or int64[rows] sorted list.
    """

    count: tf.Tensor
    key: tf.Tensor
    first_row: tf.Tensor
    lookup: tf.Tensor

    def rows(self, which: tf.Tensor | slice) -> "Unseen":
        """Returns the same for some of the rows: a slice, or int32 indices."""

        def take(values: tf.Tensor) -> tf.Tensor:
            return values[which] if isinstance(which, slice) else tf.gather(values, which)

        first_row = take(self.first_row) if self.lookup.dtype == tf.int64 else self.first_row
        return Unseen(take(self.count), take(self.key), first_row, self.lookup)

    def draw(self, seed: tf.Tensor, each: int) -> tf.Tensor:
        """Draws int32[rows * each] items, ``each`` for a row one after the other; the same for the same int32[2] seed.

        Uniform up to 2**-32 * n_items. A row whose user has no unseen item must not take part.
        """
        count, key, first_row = self.count, self.key, self.first_row
        if each > 1:
            count, key = tf.repeat(count, each), tf.repeat(key, each)
        bits = tf.random.stateless_uniform(tf.shape(count), seed, minval=None, maxval=None, dtype=tf.uint32)
        nth = tf.bitwise.right_shift(tf.cast(bits, tf.int64) * count, 32)
        if self.lookup.dtype == tf.int32:
            return tf.gather(self.lookup, key + nth)
        if each > 1:
            first_row = tf.repeat(first_row, each)
        row = tf.searchsorted(self.lookup, key + nth, side="right", out_type=tf.int64)
        return tf.cast(nth + row - first_row, tf.int32)


def uses_table(n_users: int, n_items: int) -> bool:
    """Whether unseen items are written down."""
    return n_users * n_items <= TABLE_LIMIT


def unseen_items(indptr: np.ndarray, indices: np.ndarray, n_items: int) -> Unseen:
    """Prepares the draws.

    Args:
        indptr: int64[n_users + 1], bounds of each user's rows.
        indices: int32[rows], items, ascending within each user.
        n_items: Number of items.
    """
    seen = np.diff(indptr)
    n_users = len(seen)
    users = np.repeat(np.arange(n_users), seen)
    count = n_items - seen
    if uses_table(n_users, n_items):
        mask = np.ones(n_users * n_items, dtype=np.bool_)
        mask[users * n_items + indices] = False
        lookup = (np.flatnonzero(mask) % n_items).astype(np.int32) if n_items else indices
        key = (np.cumsum(count) - count)[users]
        first_row = np.empty(0, dtype=np.int64)
    else:
        nth = np.arange(len(indices)) - indptr[users]
        lookup = users * n_items + indices - nth
        key = users * n_items
        first_row = indptr[users]
    return Unseen(*(tf.constant(array) for array in (count[users], key, first_row, lookup)))


def unseen_signature(n_users: int, n_items: int) -> Unseen:
    """Returns the types of ``unseen_items``, for compiling before there are rows."""
    vector = tf.TensorSpec([None], tf.int64)
    lookup = tf.TensorSpec([None], tf.int32) if uses_table(n_users, n_items) else vector
    return Unseen(vector, vector, vector, lookup)
