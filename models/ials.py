"""iALS with regularisation scaled by frequency, on BLAS and LAPACK."""

from itertools import pairwise

import numpy as np
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import sposv
from threadpoolctl import threadpool_limits

from .checks import not_negative, positive
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class IALS:
    """iALS, alternating least squares with regularisation scaled by frequency (Rendle et al., RecSys 2022).

    The loss over users u and items i with the train rows S is that of "Revisiting the Performance of iALS on Item
    Recommendation Benchmarks", after Hu et al. (ICDM 2008)::

        sum over S of (1 - <w_u, h_i>)^2  +  a * sum over all u, i of <w_u, h_i>^2
        + l * sum over u of (|S_u| + a * n_items)^e |w_u|^2  +  l * sum over i of (|S_i| + a * n_users)^e |h_i|^2

    Each pass solves exactly for all users and then for all items.

    The paper's a and l depend on the size of the data: a = 0.3 gives all pairs together 6.8 times the weight of the
    train rows on MovieLens 1M, and 138 times on CiteULike-a. The two hyper-parameters below do not::

        a = unobserved_ratio * n_rows / (n_users * n_items)
        l = regularization / sqrt(mean over u of (|S_u| + a * n_items)^e * mean over i of (|S_i| + a * n_users)^e)

    Args:
        factors: Length of the vectors w and h.
        epochs: Passes over the train rows.
        regularization: L2 of a vector with an average number of rows, where each of these rows weighs 1; the geometric
            mean of that of users and that of items.
        regularization_exponent: e above: 1 scales a vector's regularisation with its number of rows, 0 is plain.
        unobserved_ratio: Weight of all user-item pairs together, relative to that of all train rows together.
        init_std: Standard deviation of the initial vectors, times the square root of ``factors``.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(
        self,
        factors: int = 64,
        epochs: int = 12,
        regularization: float = 6.0,
        regularization_exponent: float = 1.0,
        unobserved_ratio: float = 10.0,
        init_std: float = 0.1,
    ) -> None:
        positive(factors=factors, epochs=epochs, regularization=regularization, unobserved_ratio=unobserved_ratio)
        positive(init_std=init_std)
        not_negative(regularization_exponent=regularization_exponent)
        self._factors = factors
        self._epochs = epochs
        self._regularization = regularization
        self._exponent = regularization_exponent
        self._ratio = unobserved_ratio
        self._init_std = init_std

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        rng = np.random.default_rng(context.seed)
        scale = self._init_std / np.sqrt(self._factors)
        self._users = (scale * rng.standard_normal((train.n_users, self._factors))).astype(np.float32)
        self._items = (scale * rng.standard_normal((train.n_items, self._factors))).astype(np.float32)
        by_item = TrainSet.from_rows(train.n_items, train.n_users, train.items.copy(), train.users.copy())
        unobserved = self._ratio * len(train) / (train.n_users * train.n_items)
        weights = [(np.diff(one.indptr) + unobserved * one.n_items) ** self._exponent for one in (train, by_item)]
        strength = self._regularization / np.sqrt(weights[0].mean() * weights[1].mean())
        of_users, of_items = (strength * one for one in weights)
        for _ in range(self._epochs):
            # On matrices of this size, threads within a product or a solution cost more than they give.
            with threadpool_limits(1, "blas"):
                self._users = self._solve(train, self._items, unobserved, of_users)
                self._items = self._solve(by_item, self._users, unobserved, of_items)
            if not context.end_epoch():
                break

    def _solve(self, rows: TrainSet, others: np.ndarray, unobserved: float, strengths: np.ndarray) -> np.ndarray:
        """Returns the best vectors of one side, given those of the other, float32[rows.n_users, factors].

        Args:
            rows: The train rows, with this side as users and the other as items.
            others: float32[rows.n_items, factors], the other side's vectors.
            unobserved: Weight of every pair.
            strengths: float64[rows.n_users], regularisation of each vector.
        """
        every = ssyrk(unobserved, others.T)
        diagonal = np.diag_indices(self._factors)
        solved = np.zeros((rows.n_users, self._factors), dtype=np.float32)
        # One by one: for a matrix of this size BLAS and LAPACK take longer than Python does to call them, and all of
        # one length at a time, padded, took longer still.
        for one, (start, stop) in enumerate(pairwise(rows.indptr)):
            if start == stop:
                continue  # Nothing to predict: the best vector is zero.
            own = others[rows.indices[start:stop]]
            # Upper triangles, which is all that either routine reads or writes.
            left = ssyrk(1.0, own.T, beta=1.0, c=every)
            left[diagonal] += strengths[one]
            _, vector, failed = sposv(left, own.sum(axis=0), overwrite_a=True, overwrite_b=True)
            if failed:
                raise FloatingPointError(f"the normal equations of row {one} have no solution; regularise more")
            solved[one] = vector
        return solved

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <w_u, h_i>, float32[n, c]; during training, with what has been learned so far."""
        return np.einsum("nf,ncf->nc", self._users[users], self._items[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns <w_u, h_i> for all items, float32[n, n_items], in one matrix product."""
        return self._users[users] @ self._items.T
