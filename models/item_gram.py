"""The items' Gram matrix: how many users each two items have in common."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from recbench.protocol import TrainSet

ITEMS_AT_ONCE = 512
"""Rows of the Gram matrix that one thread computes at a time; bounds the memory beside the matrix."""
COLUMNS_BESIDE = 4096
"""Columns that solving for the weights takes beside the matrices."""


def square_bytes(n_items: int, matrices: int, dtype: npt.DTypeLike) -> int:
    """Returns the memory that matrices of ``dtype``[n_items, n_items] and a few columns of blocks take, in bytes."""
    return np.dtype(dtype).itemsize * n_items * (matrices * n_items + COLUMNS_BESIDE)


def interactions(train: TrainSet, dtype: npt.DTypeLike = np.float64) -> csr_matrix:
    """Returns ``dtype``[n_users, n_items], 1 for each train row; shares no memory with ``train``."""
    ones = np.ones(len(train), dtype=dtype)
    shape = (train.n_users, train.n_items)
    return csr_matrix((ones, train.indices.copy(), train.indptr.copy()), shape=shape)


def item_gram(train: TrainSet, dtype: npt.DTypeLike = np.float64, threads: int = 1) -> np.ndarray:
    """Returns X'X for the train rows X, ``dtype``[n_items, n_items], row by row in memory.

    The numbers are counts, so they are exact and do not depend on the number of threads.

    Args:
        train: The train rows.
        dtype: A type of floating-point numbers.
        threads: Threads to use.
    """
    # Whole numbers up to 2 ** 24 are exact in 4 bytes.
    rows = interactions(train, np.float32 if train.n_users < 2**24 else np.float64)
    of_items = rows.T.tocsr()
    gram = np.empty((train.n_items, train.n_items), dtype=dtype)

    def fill(start: int) -> None:
        # The matrix is symmetric: only products with the same or later items are computed.
        stop = start + ITEMS_AT_ONCE
        gram[start:stop, start:] = (of_items[start:stop] @ rows[:, start:]).toarray()
        gram[stop:, start:stop] = gram[start:stop, stop:].T

    with ThreadPoolExecutor(threads) as pool:
        # A list, so that an error of a thread is raised.
        list(pool.map(fill, range(0, train.n_items, ITEMS_AT_ONCE)))
    return gram
