"""Dealing users into blocks that hold nearly the same number of train rows."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .count_powers import count_powers
from recbench.protocol import TrainSet


@dataclass(frozen=True, slots=True, eq=False)
class UserBlocks:
    """Who is in which block, and each block's train rows.

    Users are dealt out like cards, those with most rows first, there and back again, so that all blocks have nearly
    the same number of rows and can be padded to one length at little cost. A compiled step needs fixed shapes.

    Attributes:
        n_blocks: Blocks; a multiple of ``parts``.
        parts: Consecutive blocks that one step takes together.
        size: Places for users in each block; some of the last places dealt may stay empty.
        capacity: Rows for which each block has room.
        place: int64[n_users], block * size + place in the block.
        indptr: int64[n_blocks * size + 1], bounds of each place's rows in ``indices``.
        indices: int32[rows], items, by place, ascending within each.
    """

    n_blocks: int
    parts: int
    size: int
    capacity: int
    place: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray

    @classmethod
    def deal(cls, train: TrainSet, batch_size: int, seed: int, parts: int = 1) -> Self:
        """Deals the users; those with equally many rows in an order drawn from ``seed``.

        Args:
            train: The train rows.
            batch_size: Rows that a step should take, about; it takes whole users.
            seed: The seed.
            parts: Blocks that a step should take.
        """
        degrees = np.diff(train.indptr)
        parts = min(parts, train.n_users)
        n_blocks = parts * min(max(round(len(train) / batch_size), 1), train.n_users // parts)
        size = -(-train.n_users // n_blocks)
        by_degree = np.lexsort((np.random.default_rng(seed).permutation(train.n_users), -degrees))
        deal, column = np.divmod(np.arange(train.n_users), n_blocks)
        block = np.where(deal % 2 == 0, column, n_blocks - 1 - column)
        place = np.empty(train.n_users, dtype=np.int64)
        place[by_degree] = block * size + deal
        placed_degrees = np.zeros(n_blocks * size, dtype=np.int64)
        placed_degrees[place] = degrees
        indptr = np.concatenate([[0], np.cumsum(placed_degrees)])
        user_at = np.full(n_blocks * size, train.n_users)
        user_at[place] = np.arange(train.n_users)
        first = np.append(train.indptr[:-1], 0)[user_at]
        rows = np.arange(len(train)) + np.repeat(first - indptr[:-1], placed_degrees)
        capacity = max(int(np.diff(indptr[::size]).max()), 1)
        return cls(n_blocks, parts, size, capacity, place, indptr, train.indices[rows])

    @property
    def rows(self) -> np.ndarray:
        """int32[n_blocks], rows of each block."""
        return np.diff(self.indptr[:: self.size]).astype(np.int32)

    @property
    def users(self) -> np.ndarray:
        """int32[rows], the place of each row's user."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    def weights(self, balance: float) -> np.ndarray:
        """Returns what each row of each place counts, float32[n_blocks * size]; see ``weights_of_rows``."""
        return weights_of_rows(np.diff(self.indptr), balance)

    def padded(self, values: np.ndarray, fill: int = 0) -> np.ndarray:
        """Lays values[rows] out as [n_blocks, capacity], ``fill`` where there is no row."""
        out = np.full((self.n_blocks, self.capacity), fill, dtype=values.dtype)
        out[np.arange(self.capacity) < self.rows[:, None]] = values
        return out


def weights_of_rows(degrees: np.ndarray, balance: float) -> np.ndarray:
    """Returns what each of a user's rows counts, float32[n]; 1 in the mean over all rows.

    Args:
        degrees: int[n], each user's number of rows.
        balance: It is in proportion to that number to the power of minus this.
    """
    weights = count_powers(degrees, -balance)
    total = float(weights @ degrees)
    return (weights * (degrees.sum() / total if total else 1.0)).astype(np.float32)
