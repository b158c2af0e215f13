"""SLIM: a sparse linear model from item to item, by coordinate descent on the Gram matrix."""

import numpy as np
from scipy.linalg.blas import sgemm, sger
from scipy.sparse import csr_matrix

from .checks import not_negative, positive
from .item_gram import check_memory, interactions, item_gram
from .item_weights import ItemWeights
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

MATRICES = 3
"""The Gram matrix twice while it is rounded to 4 bytes; then that, residuals, weights, in 4 bytes each."""

BLOCK = 128
"""Items whose weights are updated before the residuals of all others are, in one matrix product."""


class SLIM:
    """SLIM, sparse least squares from item to item (Ning and Karypis, ICDM 2011).

    The scores are X W for the binary train rows X. Column j of W minimises
    ||x_j - X w||^2 / 2 + l2 / 2 ||w||^2 + l1 |w|_1 with w_j = 0. A pass goes once over all items i and sets row i of W,
    all columns together, to what is best given the rest, by cyclic coordinate descent (Friedman et al., J. Stat. Softw.
    2010) on X'X. Takes memory for three matrices of n_items x n_items numbers of 8 bytes.

    Args:
        l1: Regularisation that makes weights zero, in the unit of users that two items have in common.
        l2: Regularisation that makes them small, in the same unit.
        non_negative: Whether weights below 0 are ruled out, as in the paper; they were of use on validation cases.
        epochs: Passes.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, l1: float = 1.0, l2: float = 200.0, non_negative: bool = False, epochs: int = 15) -> None:
        not_negative(l1=l1)
        positive(l2=l2, epochs=epochs)
        self._l1 = l1
        self._l2 = l2
        self._non_negative = non_negative
        self._epochs = epochs

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            MemoryError: The machine has not enough for three square matrices of all items.
        """
        check_memory(train.n_items, MATRICES)
        self._rows = interactions(train)
        gram = item_gram(train).astype(np.float32)
        residuals = gram.copy(order="F")
        # Column i, which is contiguous, holds row i of W.
        self._transposed = np.zeros_like(gram, order="F")
        for _ in range(self._epochs):
            self._sparse = None
            self._descend(gram, residuals)
            if not context.end_epoch():
                break

    def _descend(self, gram: np.ndarray, residuals: np.ndarray) -> None:
        """Takes one pass.

        Args:
            gram: float32[n_items, n_items], X'X.
            residuals: float32[n_items, n_items], X'(X - X W), transposed; kept up to date. All in Fortran's order.
        """
        weights = self._transposed
        for start in range(0, len(gram), BLOCK):
            block = slice(start, start + BLOCK)
            own = gram[block, block]
            near, before = residuals[:, block].copy(order="F"), weights[:, block].copy(order="F")
            for place in range(len(own)):
                item = start + place
                weights[:, item] = self._best(near[:, place], before[:, place], own[place, place], item)
                change = weights[:, item] - before[:, place]
                if place + 1 < len(own):
                    # The rest of the block sees the change at once, all others when the block is done.
                    sger(-1.0, change, own[place, place + 1 :], a=near[:, place + 1 :], overwrite_a=True)
            change = weights[:, block] - before
            sgemm(-1.0, change, gram[:, block], trans_b=True, beta=1.0, c=residuals, overwrite_c=True)

    def _best(self, residual: np.ndarray, weight: np.ndarray, square: np.float32, item: int) -> np.ndarray:
        """Returns the best weights of one item towards all items, float32[n_items], given all other weights.

        Args:
            residual: float32[n_items], with the weights as they are.
            weight: float32[n_items], the item's weights as they are.
            square: The item's element on the Gram matrix's diagonal.
            item: The item.
        """
        wanted = residual + square * weight
        size = (wanted if self._non_negative else np.abs(wanted)) - np.float32(self._l1)
        best: np.ndarray = np.copysign(np.maximum(size, 0), wanted) / (square + np.float32(self._l2))
        best[item] = 0
        return best

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of W over the users' train rows, float64[n, c]; during training, with W so far."""
        return self._weights().score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns X W of the users, float64[n, n_items]."""
        return self._weights().score_all(users)

    def _weights(self) -> ItemWeights:
        if self._sparse is None:
            self._sparse = ItemWeights(self._rows, csr_matrix(self._transposed.T.astype(np.float64)))  # type: ignore[assignment]
        return self._sparse  # type: ignore[return-value]
