"""Interactions: dense user and item indices, in the order of the file they came from."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.ordering import dense_codes
from recbench.data.reading import Reading
from recbench.data.rows import Rows
from recbench.data.times import Unit, unit_of
from recbench.protocol import Float32Array, Int32Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Who interacted with what; each (user, item) pair once.

    Indices are dense. A reader numbers users and items in the order of their first row; a task numbers them again, see
    ``numbered_by_hash``.

    Attributes:
        rows: The rows, in the order of the file.
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
        n_duplicates: Rows of the file that repeated a pair and were left out.
        time_unit: What the times count since 1970; None if their size decides it, see ``unit_of``.
        reading: What was read from the file, and what was guessed; None for rows of other sources.
    """

    rows: Rows
    user_ids: IdTable
    item_ids: IdTable
    n_duplicates: int = 0
    time_unit: Unit | None = None
    reading: Reading | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def users(self) -> Int32Array:
        """int32[rows], the user of each row."""
        return self.rows.users

    @property
    def items(self) -> Int32Array:
        """int32[rows], the item of each row."""
        return self.rows.items

    @property
    def ratings(self) -> Float32Array | None:
        """float32[rows], or None."""
        return self.rows.ratings

    @property
    def timestamps(self) -> Int64Array | None:
        """int64[rows], or None."""
        return self.rows.timestamps

    @property
    def unit(self) -> Unit | None:
        """What the times count since 1970; None if there are none."""
        if self.time_unit is None and self.timestamps is not None:
            return unit_of(self.timestamps)
        return self.time_unit

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
        kept = self.rows.take(keep)
        users, user_order = dense_codes(kept.users)
        items, item_order = dense_codes(kept.items)
        return replace(
            self,
            rows=Rows(users, items, kept.ratings, kept.timestamps),
            user_ids=self.user_ids.take(user_order),
            item_ids=self.item_ids.take(item_order),
        )

    def numbered_by_hash(self) -> "Interactions":
        """Returns the same rows, users and items numbered in the order of a hash of their ids.

        A number must give a model no information. The order of first rows would: in a file sorted by user, an item
        that occurs only in a user's held-out row is numbered between that user's other items.
        """
        user_order, item_order = hash_order(self.user_ids), hash_order(self.item_ids)
        return replace(
            self,
            rows=self.rows.renumbered(inverse_order(user_order), inverse_order(item_order)),
            user_ids=self.user_ids.take(user_order),
            item_ids=self.item_ids.take(item_order),
        )


def hash_order(ids: IdTable) -> Int64Array:
    """Returns int64[n], the indices of ``ids`` in the order of BLAKE2b of their UTF-8 bytes."""
    digests = [hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest() for text in ids]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), dtype=np.int64)


def inverse_order(order: Int64Array) -> Int32Array:
    """Returns int32[n], the position of each index in ``order``."""
    inverse = np.empty(len(order), dtype=np.int32)
    inverse[order] = np.arange(len(order), dtype=np.int32)
    return inverse
