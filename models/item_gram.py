"""The items' Gram matrix: how many users each two items have in common."""

import numpy as np
import numpy.typing as npt
import psutil
from scipy.sparse import csr_matrix

from recbench.protocol import TrainSet

ITEMS_AT_ONCE = 1024
"""Rows of the Gram matrix that are made together; bounds the memory besides it."""


def interactions(train: TrainSet, dtype: npt.DTypeLike = np.float64) -> csr_matrix:
    """Returns ``dtype``[n_users, n_items], 1 for each train row; shares no memory with ``train``."""
    ones = np.ones(len(train), dtype=dtype)
    shape = (train.n_users, train.n_items)
    return csr_matrix((ones, train.indices.copy(), train.indptr.copy()), shape=shape)


def item_gram(train: TrainSet) -> np.ndarray:
    """Returns X'X for the train rows X, float64[n_items, n_items] in Fortran's order, which LAPACK overwrites."""
    rows = interactions(train)
    of_items = rows.T.tocsr()
    gram = np.empty((train.n_items, train.n_items), order="F")
    for start in range(0, train.n_items, ITEMS_AT_ONCE):
        some = slice(start, start + ITEMS_AT_ONCE)
        gram[:, some] = (of_items[some] @ rows).toarray().T
    return gram


def check_memory(n_items: int, matrices: int) -> None:
    """Compares what square matrices of all items need with what the machine has to give.

    Args:
        n_items: Number of items.
        matrices: How many matrices float64[n_items, n_items] are held at a time.

    Raises:
        MemoryError: They do not fit.
    """
    needed, available = matrices * 8 * n_items**2, psutil.virtual_memory().available
    if needed > available:
        raise MemoryError(
            f"{matrices} x {n_items:,} x {n_items:,} numbers of 8 bytes need {needed / 2**30:,.1f} GiB, and "
            f"{available / 2**30:,.1f} GiB are available; take a task of fewer items, or another model"
        )
