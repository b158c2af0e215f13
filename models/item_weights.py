"""Scores of models that weigh the items a user has interacted with: X W, for rows X and weights W from item to item."""

import numpy as np
from scipy.sparse import csr_matrix

from recbench.protocol import FloatArray, Int32Array

CELLS_AT_ONCE = 2**23
"""Users x items that are scored together."""
SPARSE = 0.1
"""The largest share of weights other than 0 with which a sparse matrix is the faster one to score with."""


class ItemWeights:
    """The train rows and a matrix of weights.

    An item without train rows gets the lowest score of each user. Its sum is 0, which is above the sums of many known
    items: those may be negative.

    Args:
        rows: float[n_users, n_items], 1 for each train row, of the same type as the weights.
        weights: float[n_items, n_items], dense or sparse; row i says what having item i adds to each item's score.
    """

    def __init__(self, rows: csr_matrix, weights: np.ndarray | csr_matrix) -> None:
        self._rows = rows
        self._weights = weights
        self._is_new = np.bincount(rows.indices, minlength=rows.shape[1]) == 0

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the scores of ``items`` (int32[n, c]) for ``users`` (int32[n]), float[n, c]."""
        scores = np.empty(items.shape, dtype=self._rows.dtype)
        # A user of several cases is scored once.
        distinct, of_case = np.unique(users, return_inverse=True)
        cases = np.argsort(of_case, kind="stable")
        at_once = max(1, CELLS_AT_ONCE // self._rows.shape[1])
        for start in range(0, len(distinct), at_once):
            first, last = np.searchsorted(of_case[cases], [start, start + at_once])
            some = cases[first:last]
            of_all = self.score_all(distinct[start : start + at_once])
            scores[some] = of_all[(of_case[some] - start)[:, None], items[some]]
        return scores

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the scores of all items for ``users`` (int32[n]), float[n, n_items]."""
        product = self._rows[users] @ self._weights
        scores = product if isinstance(product, np.ndarray) else product.toarray()
        if self._is_new.any():
            scores[:, self._is_new] = scores.min(axis=1, keepdims=True)
        return scores
