"""SLIM: a sparse linear model from item to item, by coordinate descent on the Gram matrix."""

import numpy as np
from scipy.linalg.blas import sgemm
from scipy.sparse import csr_matrix

from .checks import not_negative, positive
from .item_gram import interactions, item_gram, square_bytes
from .item_weights import SPARSE, ItemWeights
from .learned import finite, no_weights, suspects
from .symmetric_inverse import invert
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

BLOCK = 256
"""Items whose weights are updated before the residuals of all others are, in one matrix product."""
START_L2_PER_L1 = 100.0
"""How much l2 replaces l1 in the start: l1 |w| has the slope of l1 / (2 |w|) w^2, and weights are about 0.01."""
SMALLEST_START_L2 = 1e-5
"""The smallest l2 of the start, per train row: numbers of 4 bytes allow no smaller one."""


class SLIM:
    """SLIM, sparse least squares from item to item (Ning and Karypis, ICDM 2011).

    The scores are X W for the binary train rows X. Column j of W minimises
    ||x_j - X w||^2 / 2 + l2 / 2 ||w||^2 + l1 |w|_1 with w_j = 0.

    Training starts from the solution with a larger l2 and without l1, which has a closed form (EASE, Steck, WWW 2019).
    A pass is one round of cyclic coordinate descent on X'X (Friedman et al., J. Stat. Softw. 2010): for one item i
    after another, it sets row i of W, in all columns, to the minimum given all other rows. On MovieLens data, two
    passes from this start came closer to the minimum than 15 passes from zero. Training needs memory for three matrices
    of n_items x n_items numbers of 4 bytes, and its time grows with n_items^3.

    Args:
        l1: L1 regularisation, which makes weights zero. Its unit is users that two items have in common.
        l2: L2 regularisation, which makes weights small, in the same unit.
        non_negative: Whether all weights must be at least 0, as in the paper. Negative weights helped on validation
            cases.
        epochs: Passes.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, l1: float = 1.0, l2: float = 200.0, non_negative: bool = False, epochs: int = 2) -> None:
        not_negative(l1=l1)
        positive(l2=l2, epochs=epochs)
        self._l1 = l1
        self._l2 = l2
        self._non_negative = non_negative
        self._epochs = epochs

    def memory_bytes(self, train: TrainSet) -> int:
        """Returns the memory for the Gram matrix, the residuals and the weights."""
        return square_bytes(train.n_items, 3, np.float32)

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned weights are not finite.
            ValueError: All weights are 0, because of numbers too small for float32.
        """
        with np.errstate(over="ignore"):
            l2 = np.float32(max(self._l2 + START_L2_PER_L1 * self._l1, SMALLEST_START_L2 * len(train)))
        too_large = suspects(large={"l1": self._l1, "l2": self._l2})
        # Here, because the inversion of a matrix with such a diagonal would ask for a larger l2.
        finite("the learned weights", l2, cause=too_large)
        self._rows = interactions(train, np.float32)
        gram = item_gram(train, np.float32, context.threads)
        weights, residuals = self._start(gram, l2)
        # Column i, which is contiguous, holds row i of W.
        self._transposed = weights.T
        for epoch in range(1, self._epochs + 1):
            self._scored: ItemWeights | None = None
            self._descend(gram, residuals.T, last=epoch == self._epochs)
            if not context.end_epoch():
                break
        finite("the learned weights", self._transposed, cause=suspects(large={"l1": self._l1}, l2=self._l2))
        if not self._transposed.any():
            # Right for a large l1. But with more users in common than l1, a weight of 0 is not the minimum.
            np.fill_diagonal(gram, 0)
            if gram.max() > self._l1:
                raise no_weights(too_large)

    def _start(self, gram: np.ndarray, l2: np.float32) -> tuple[np.ndarray, np.ndarray]:
        """Returns the weights W to start from and the residuals X'(X - X W).

        With P = (X'X + l2 I)^-1, W_ij = -P_ij / P_jj, and for i != j the residual is l2 W_ij.

        Args:
            gram: float32[n_items, n_items], X'X.
            l2: L2 regularisation of the start.

        Returns:
            Both float32[n_items, n_items], row by row in memory.
        """
        diagonal = np.diag_indices(len(gram))
        weights = gram.copy()
        weights[diagonal] += l2
        invert(weights)
        scale = 1 / weights[diagonal]
        weights *= -scale
        weights[diagonal] = 0
        residuals = l2 * weights
        residuals[diagonal] = scale - l2
        return weights, residuals

    def _descend(self, gram: np.ndarray, residuals: np.ndarray, *, last: bool) -> None:
        """Takes one pass.

        Args:
            gram: float32[n_items, n_items], X'X.
            residuals: float32[n_items, n_items], X'(X - X W), transposed, in Fortran's order; kept up to date.
            last: Whether no pass follows: then residuals of items whose weights are set are not updated.
        """
        for start in range(0, len(gram), BLOCK):
            stop = start + BLOCK
            block = slice(start, stop)
            near = residuals[:, block].copy(order="F")
            change = np.empty_like(near)
            self._descend_items(gram[block, block], near, change, range(start, min(stop, len(gram))))
            first = stop if last else 0
            if first < len(gram):
                _subtract(residuals[:, first:], change, gram[block, first:])

    def _descend_items(self, own: np.ndarray, near: np.ndarray, change: np.ndarray, items: range) -> None:
        """Sets the weights of some items one after the other; each change is seen by the items after it.

        Args:
            own: float32[n, n], X'X of these items.
            near: float32[n_items, n], their residuals; overwritten.
            change: float32[n_items, n], overwritten by how their weights change.
            items: Which.
        """
        if len(items) == 1:
            weight = self._transposed[:, items[0]]
            best = self._best(near[:, 0], weight, own[0, 0], items[0])
            np.subtract(best, weight, out=change[:, 0])
            weight[:] = best
            return
        # In halves, so that most changes are passed on in large matrix products.
        half = len(items) // 2
        self._descend_items(own[:half, :half], near[:, :half], change[:, :half], items[:half])
        _subtract(near[:, half:], change[:, :half], own[:half, half:])
        self._descend_items(own[half:, half:], near[:, half:], change[:, half:], items[half:])

    def _best(self, residual: np.ndarray, weight: np.ndarray, square: np.float32, item: int) -> np.ndarray:
        """Returns the best weights of one item towards all items, float32[n_items], given all other weights.

        Args:
            residual: float32[n_items], with the present weights.
            weight: float32[n_items], the item's present weights.
            square: The item's element on the Gram matrix's diagonal.
            item: The item.
        """
        target = residual + square * weight
        size = (target if self._non_negative else np.abs(target)) - np.float32(self._l1)
        np.maximum(size, 0, out=size)
        size /= square + np.float32(self._l2)
        best: np.ndarray = np.copysign(size, target)
        best[item] = 0
        return best

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of W over the users' train rows, float32[n, c]; during training, with W so far."""
        return self._weights().score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns X W of the users, float32[n, n_items]."""
        return self._weights().score_all(users)

    def _weights(self) -> ItemWeights:
        if self._scored is None:
            weights = self._transposed.T
            is_sparse = np.count_nonzero(weights) <= SPARSE * weights.size
            self._scored = ItemWeights(self._rows, csr_matrix(weights) if is_sparse else weights)
        return self._scored


def _subtract(result: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Subtracts ``left @ right`` from ``result`` in place; ``result`` and ``left`` are in Fortran's order."""
    sgemm(-1.0, left, right, beta=1.0, c=result, overwrite_c=True)
