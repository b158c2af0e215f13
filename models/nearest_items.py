"""The largest weights of each item, out of a product of sparse matrices that is never held as a whole."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.sparse import csr_matrix, vstack

from .checks import require_rows
from recbench.protocol import TrainSet

ITEMS_AT_ONCE = 512
"""Rows of the product that one thread computes at a time."""


BYTES_PER_WEIGHT = 28
"""Memory for each weight, in the blocks of the matrix of weights and in copies of it."""


def neighbours_of(overlap: float, train: TrainSet) -> int:
    """Returns how many neighbours an item has, of which ``overlap`` are among the items of an average user.

    How many neighbours are right depends on the data: with few, and short profiles, a user has no item near to most
    candidates, and their scores are all 0. The overlap does not depend on it.

    Raises:
        ValueError: There is no train row.
    """
    require_rows(train)
    # The limit comes before the rounding, because a large overlap overflows to infinity, which has no whole number.
    neighbours = round(min(overlap * train.n_users * train.n_items / len(train), train.n_items))
    return max(neighbours, 1)


def nearest_bytes(train: TrainSet, neighbours: int) -> int:
    """Returns the memory for the ``neighbours`` largest weights of each item, in bytes.

    An item has at most as many weights other than 0 as its users have train rows in all.
    """
    items_of_user = np.diff(train.indptr).astype(np.int64)
    of_item = np.zeros(train.n_items, dtype=np.int64)
    np.add.at(of_item, train.items, items_of_user[train.users])
    return BYTES_PER_WEIGHT * int(np.minimum(of_item, min(neighbours, train.n_items)).sum())


def nearest(left: csr_matrix, right: csr_matrix, neighbours: int, threads: int, *, itself: bool) -> csr_matrix:
    """Returns the largest elements of each row of ``left @ right``, float64[n_items, n_items].

    Of equal elements at the limit, those of smaller item numbers stay.

    Args:
        left: float64[n_items, n_users].
        right: float64[n_users, n_items].
        neighbours: The most elements that a row keeps.
        threads: Threads to use; the result does not depend on them.
        itself: Whether an item counts among its own neighbours. If not, the diagonal is 0.
    """

    def rows(start: int) -> csr_matrix:
        product = (left[start : start + ITEMS_AT_ONCE] @ right).tocsr()
        product.sort_indices()
        kept = np.ones(product.nnz, dtype=np.bool_)
        for row, (first, last) in enumerate(zip(product.indptr[:-1], product.indptr[1:], strict=True)):
            values, allowed = product.data[first:last], product.indices[first:last] != start + row
            allowed |= itself
            kept[first:last] = allowed
            places = np.flatnonzero(allowed)
            if len(places) > neighbours:
                kept[first:last] = False
                kept[first + places[_largest(values[places], neighbours)]] = True
        lengths = np.add.reduceat(np.append(kept, False), product.indptr[:-1]) * (np.diff(product.indptr) > 0)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        return csr_matrix((product.data[kept], product.indices[kept], indptr), shape=product.shape)

    with ThreadPoolExecutor(threads) as pool:
        return vstack(list(pool.map(rows, range(0, left.shape[0], ITEMS_AT_ONCE))), format="csr")


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Returns the places of the ``k`` largest values, float64[n] to int64[k]; of equal ones, the first."""
    limit = np.partition(values, len(values) - k)[len(values) - k]
    above = np.flatnonzero(values > limit)
    return np.concatenate([above, np.flatnonzero(values == limit)[: k - len(above)]])
