"""Interactions: dense user and item indices, in the order of the file they came from."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.ordering import dense_codes
from recbench.protocol import Float32Array, Int32Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Who interacted with what; each (user, item) pair once.

    Indices are dense. As read they count users and items in the order of their first row; a task numbers them anew, see
    ``numbered_by_hash``.

    Attributes:
        users: int32[rows].
        items: int32[rows].
        ratings: float32[rows] or None.
        timestamps: int64[rows] or None.
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
        n_duplicates: Rows of the file that repeated an earlier pair and were left out.
    """

    users: Int32Array
    items: Int32Array
    ratings: Float32Array | None
    timestamps: Int64Array | None
    user_ids: IdTable
    item_ids: IdTable
    n_duplicates: int = 0

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_users(self) -> int:
        """Number of users, each with at least one row."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items, each with at least one row."""
        return len(self.item_ids)

    def select(self, keep: npt.NDArray[np.bool_]) -> "Interactions":
        """Returns the rows marked in ``keep`` (bool[rows]), with indices made dense again."""
        users, user_order = dense_codes(self.users[keep])
        items, item_order = dense_codes(self.items[keep])
        return Interactions(
            users,
            items,
            None if self.ratings is None else self.ratings[keep],
            None if self.timestamps is None else self.timestamps[keep],
            self.user_ids.take(user_order),
            self.item_ids.take(item_order),
            self.n_duplicates,
        )

    def numbered_by_hash(self) -> "Interactions":
        """Returns the same rows, users and items numbered in the order of a hash of their ids.

        A number must tell a model nothing. That of an item's first row would: in a file sorted by user, an item that
        only occurs in a user's held-out row is numbered between that user's other items.
        """
        user_order, item_order = hash_order(self.user_ids), hash_order(self.item_ids)
        return Interactions(
            places(user_order)[self.users],
            places(item_order)[self.items],
            self.ratings,
            self.timestamps,
            self.user_ids.take(user_order),
            self.item_ids.take(item_order),
            self.n_duplicates,
        )


def hash_order(ids: IdTable) -> Int64Array:
    """Returns int64[n], the indices of ``ids`` in the order of BLAKE2b of their UTF-8 bytes."""
    digests = [hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest() for text in ids]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), dtype=np.int64)


def places(order: Int64Array) -> Int32Array:
    """Returns int32[n], the place of each index in ``order``."""
    inverse = np.empty(len(order), dtype=np.int32)
    inverse[order] = np.arange(len(order), dtype=np.int32)
    return inverse
