"""GF-CF: a low-pass filter on the graph of users and items, in closed form."""

import numpy as np
from scipy.sparse import csr_matrix, diags_array
from scipy.sparse.linalg import svds

from .checks import not_negative, positive
from .item_gram import interactions
from .item_weights import SPARSE, ItemWeights
from .learned import finite, finite_products, suspects
from recbench.protocol import Float32Array, FloatArray, Int32Array, TrainContext, TrainSet

LARGEST_DENSE = 512
"""The smaller side of a matrix up to which all of its singular vectors are computed."""
SAMPLED_ITEMS = 512
"""Items whose weights are counted to estimate how many there are in all."""
TOLERANCE = 1e-4
"""Relative error of the eigenvalues, the squares of the singular values, at which the iteration ends."""


class GFCF:
    """GF-CF, a linear and an ideal low-pass filter (Shen et al., CIKM 2021).

    With R the binary train rows, D_U and D_I the numbers of rows of each user and item, and
    R~ = D_U^-1/2 R D_I^-1/2, the scores are R (R~'R~ + alpha D_I^-1/2 V V' D_I^1/2). The columns of V are the right
    singular vectors of R~ with the largest singular values. There is no training and no random part.

    Args:
        factors: Number of singular vectors.
        alpha: Weight of the ideal low-pass filter, which the singular vectors make.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, factors: int = 64, alpha: float = 0.6) -> None:
        positive(factors=factors)
        not_negative(alpha=alpha)
        self._factors = factors
        self._alpha = alpha

    def memory_bytes(self, train: TrainSet) -> int:
        """Returns the memory for the matrix of weights and the vectors; estimates the weights that are not 0."""
        rows = interactions(train, np.float32)
        items = np.unique(np.linspace(0, train.n_items - 1, SAMPLED_ITEMS, dtype=np.int64))
        share = (rows.T.tocsr()[items] @ rows).nnz / (len(items) * train.n_items)
        sparse, dense = 8 * share, 4 * (share > SPARSE)
        return int((sparse + dense) * train.n_items**2) + 8 * self._factors * (train.n_users + train.n_items)

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Normalises the train rows, and finds the singular vectors.

        Raises:
            FloatingPointError: The scores are not finite, because ``alpha`` is too large.
        """
        rows = interactions(train, np.float32)
        of_users, of_items = np.diff(train.indptr), np.bincount(train.items, minlength=train.n_items)
        normalised = diags_array(_root(of_users, -0.5)) @ rows @ diags_array(_root(of_items, -0.5))
        self._linear = ItemWeights(rows, _product(normalised.T.tocsr(), normalised.tocsr()))
        vectors = right_singular_vectors(normalised.tocsr(), self._factors)
        self._users: Float32Array = rows @ (_root(of_items, -0.5)[:, None] * vectors)
        with np.errstate(over="ignore", invalid="ignore"):
            self._items: Float32Array = np.float32(self._alpha) * _root(of_items, 0.5)[:, None] * vectors
        cause = suspects(large={"alpha": self._alpha})
        finite_products(self._users, self._items, cause)
        # An item without train rows would have the score 0. The ideal filter gives many known items less, but none less
        # than this.
        self._is_new = of_items == 0
        with np.errstate(over="ignore"):
            of_items_norm = np.linalg.norm(self._items, axis=1).max()
            self._lowest: Float32Array = -np.linalg.norm(self._users, axis=1) * of_items_norm
        if self._is_new.any():
            finite("the scores of items without train rows", self._lowest, cause=cause)
        context.end_epoch()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the scores of ``items`` (int32[n, c]) for ``users`` (int32[n]), float32[n, c]."""
        ideal = np.einsum("nf,ncf->nc", self._users[users], self._items[items])
        scores: FloatArray = self._linear.score(users, items) + ideal
        return np.where(self._is_new[items], self._lowest[users, None], scores)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the scores of all items, float32[n, n_items]."""
        scores: FloatArray = self._linear.score_all(users)
        scores += self._users[users] @ self._items.T
        scores[:, self._is_new] = self._lowest[users, None]
        return scores


def right_singular_vectors(matrix: csr_matrix, count: int) -> Float32Array:
    """Returns the right singular vectors with the largest singular values, float32[columns, vectors].

    The same every time: the iteration starts from a fixed vector.

    Args:
        matrix: float[rows, columns].
        count: How many; all that there are, at most.
    """
    smaller = min(matrix.shape)
    if smaller <= LARGEST_DENSE:
        vectors = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)[2][:count]
    else:
        start = np.ones(smaller)
        _, _, vectors = svds(matrix.astype(np.float64), k=min(count, smaller - 1), v0=start, tol=TOLERANCE)
    return np.ascontiguousarray(vectors.T, dtype=np.float32)


def _product(left: csr_matrix, right: csr_matrix) -> np.ndarray | csr_matrix:
    """Returns the product, dense where a dense matrix is the faster one to score with."""
    product = left @ right
    return product.toarray() if product.nnz > SPARSE * product.shape[0] * product.shape[1] else product


def _root(counts: np.ndarray, exponent: float) -> Float32Array:
    """Returns counts ** exponent, float32[n]; 0 where the count is 0."""
    return np.where(counts > 0, np.maximum(counts, 1).astype(np.float64) ** exponent, 0.0).astype(np.float32)
