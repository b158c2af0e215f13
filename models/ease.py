"""EASE: a linear model from item to item, in closed form."""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from .checks import positive
from .item_gram import check_memory, interactions, item_gram
from .item_weights import ItemWeights
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

MATRICES = 2
"""Held at a time: the Gram matrix, which is inverted in place, and what LAPACK and scoring take beside it."""
BLOCK = 1024
"""Rows that are mirrored at a time."""


class EASE:
    """EASE, least squares from item to item with a zero diagonal (Steck, WWW 2019).

    The scores are X B for the binary train rows X, where B minimises ||X - X B||^2 + l2 ||B||^2 with diag(B) = 0. With
    P = (X'X + l2 I)^-1 that is B_ij = -P_ij / P_jj for i != j. Takes memory for two matrices of n_items x n_items
    numbers of 8 bytes, and time in proportion to n_items^3.

    Args:
        l2: Regularisation, in the unit of users that two items have in common.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, l2: float = 200.0) -> None:
        positive(l2=l2)
        self._l2 = l2

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Solves for B.

        Raises:
            MemoryError: The machine has not enough for two square matrices of all items.
        """
        check_memory(train.n_items, MATRICES)
        gram = item_gram(train)
        diagonal = np.diag_indices(train.n_items)
        gram[diagonal] += self._l2
        weights = _inverse(gram)
        weights /= -weights[diagonal]
        weights[diagonal] = 0
        # Row by row in memory, as the sparse product reads them.
        self._weights = ItemWeights(interactions(train), np.ascontiguousarray(weights))
        context.end_epoch()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of B over the users' train rows, float64[n, c]."""
        return self._weights.score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns X B of the users, float64[n, n_items]."""
        return self._weights.score_all(users)


def _inverse(matrix: FloatArray) -> FloatArray:
    """Inverts a symmetric positive definite matrix in place, by its Cholesky factor, float64[n, n].

    ``scipy.linalg.inv`` can do so (``assume_a``) only from scipy 1.17 on.

    Raises:
        LinAlgError: The matrix is not positive definite.
    """
    # LAPACK wants columns one after the other, which the rows of a symmetric matrix are too.
    factor, failed = dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)
    if not failed:
        upper, failed = dpotri(factor, lower=0, overwrite_c=1)
    if failed:
        raise np.linalg.LinAlgError("X'X + l2 I is not positive definite")
    for start in range(0, len(upper), BLOCK):
        rows = slice(start, start + BLOCK)
        corner = upper[rows, rows]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        upper[start + BLOCK :, rows] = upper[rows, start + BLOCK :].T
    return upper
