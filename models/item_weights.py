"""Scores of models that weigh the items a user has interacted with: X W, for rows X and weights W from item to item."""

import numpy as np
from scipy.sparse import csr_matrix

from recbench.protocol import FloatArray, Int32Array

CELLS_AT_ONCE = 2**23
"""Users x items that are scored together."""


class ItemWeights:
    """The train rows and a matrix of weights.

    Args:
        rows: float64[n_users, n_items], 1 for each train row.
        weights: float64[n_items, n_items], dense or sparse; row i says what having item i adds to each item's score.
    """

    def __init__(self, rows: csr_matrix, weights: np.ndarray | csr_matrix) -> None:
        self._rows = rows
        self._weights = weights

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the scores of ``items`` (int32[n, c]) for ``users`` (int32[n]), float64[n, c]."""
        scores = np.empty(items.shape)
        at_once = max(1, CELLS_AT_ONCE // self._rows.shape[1])
        for start in range(0, len(users), at_once):
            some = slice(start, start + at_once)
            scores[some] = np.take_along_axis(self.score_all(users[some]), items[some], axis=1)
        return scores

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the scores of all items for ``users`` (int32[n]), float64[n, n_items]."""
        product = self._rows[users] @ self._weights
        return product if isinstance(product, np.ndarray) else product.toarray()
