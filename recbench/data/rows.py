"""Rows: users, items, ratings and times in one object, so that no step can reorder one column and forget another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.protocol import Float32Array, Int32Array, Int64Array

Selection = npt.NDArray[np.bool_] | npt.NDArray[np.integer[Any]]
"""bool[rows], which rows to keep; or integer[n], their indices in the new order."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Interactions as columns of equal length.

    Attributes:
        users: int32[rows], user indices.
        items: int32[rows], item indices.
        ratings: float32[rows], or None if the data has none.
        timestamps: int64[rows], or None if the data has none.
    """

    users: Int32Array
    items: Int32Array
    ratings: Float32Array | None = None
    timestamps: Int64Array | None = None

    def __len__(self) -> int:
        return len(self.users)

    def take(self, selection: Selection) -> "Rows":
        """Returns a copy of the selected rows, in the order of the selection."""
        return Rows(
            self.users[selection],
            self.items[selection],
            None if self.ratings is None else self.ratings[selection],
            None if self.timestamps is None else self.timestamps[selection],
        )

    def renumbered(self, user_numbers: Int32Array, item_numbers: Int32Array) -> "Rows":
        """Returns the same rows with other user and item indices.

        Args:
            user_numbers: int32[users], the new index of each user.
            item_numbers: int32[items], the new index of each item.
        """
        return replace(self, users=user_numbers[self.users], items=item_numbers[self.items])

    @classmethod
    def joined(cls, chunks: Sequence["Rows"]) -> "Rows":
        """Returns all rows, one part after the other; ratings and times only if every part has them."""
        if len(chunks) == 1:
            return chunks[0]
        ratings = [part.ratings for part in chunks if part.ratings is not None]
        timestamps = [part.timestamps for part in chunks if part.timestamps is not None]
        return cls(
            np.concatenate([part.users for part in chunks]),
            np.concatenate([part.items for part in chunks]),
            np.concatenate(ratings) if len(ratings) == len(chunks) else None,
            np.concatenate(timestamps) if len(timestamps) == len(chunks) else None,
        )
