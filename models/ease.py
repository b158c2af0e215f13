"""EASE: a linear model from item to item, in closed form."""

import numpy as np

from .checks import positive
from .item_gram import interactions, item_gram, square_bytes
from .item_weights import ItemWeights
from .learned import finite, not_all_zero, suspects
from .symmetric_inverse import invert
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

DOUBLE_PRECISION_ITEMS = 10_000
"""The most items that are solved for in numbers of 8 bytes. A matrix of that many items takes 0.8 GB."""


class EASE:
    """EASE, least squares from item to item with a zero diagonal (Steck, WWW 2019).

    The scores are X B for the binary train rows X, where B minimises ||X - X B||^2 + l2 ||B||^2 with diag(B) = 0. With
    P = (X'X + l2 I)^-1 that is B_ij = -P_ij / P_jj for i != j. Takes memory for one matrix of n_items x n_items
    numbers, which is inverted in place, and time in proportion to n_items^3. Numbers have 8 bytes up to 10,000 items,
    and 4 bytes beyond.

    Args:
        l2: Regularisation, in the unit of users that two items have in common.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, l2: float = 474.0) -> None:
        positive(l2=l2)
        self._l2 = l2

    def memory_bytes(self, train: TrainSet) -> int:
        """Returns the memory for the matrix of weights."""
        return square_bytes(train.n_items, 1, _dtype(train.n_items))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Solves for B.

        Raises:
            LinAlgError: ``l2`` is too small.
            FloatingPointError: The weights are not finite.
            ValueError: All weights are 0, because ``l2`` is too large.
        """
        dtype = _dtype(train.n_items)
        too_large = suspects(large={"l2": self._l2})
        with np.errstate(over="ignore"):
            l2 = dtype(self._l2)
        # Here, because the inversion of a matrix with such a diagonal would ask for a larger l2.
        finite("the learned weights", l2, cause=too_large)
        weights = item_gram(train, dtype, context.threads)
        diagonal = np.diag_indices(train.n_items)
        weights[diagonal] += l2
        invert(weights)
        weights /= -weights[diagonal]
        weights[diagonal] = 0
        finite("the learned weights", weights, cause=suspects(l2=self._l2))
        not_all_zero(weights, train, too_large)
        self._weights = ItemWeights(interactions(train, dtype), weights)
        context.end_epoch()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of B over the users' train rows, float[n, c]."""
        return self._weights.score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns X B of the users, float[n, n_items]."""
        return self._weights.score_all(users)


def _dtype(n_items: int) -> type[np.floating]:
    return np.float64 if n_items <= DOUBLE_PRECISION_ITEMS else np.float32
