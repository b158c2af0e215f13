"""iALS with regularisation scaled by frequency, by conjugate gradients."""

import numpy as np
from threadpoolctl import threadpool_limits

from .checks import float32_range, not_negative, positive
from .learned import finite, finite_products, suspects
from .ridge_batches import RidgeBatches
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class IALS:
    """iALS, alternating least squares with regularisation scaled by frequency (Rendle et al., RecSys 2022).

    The loss over users u and items i with the train rows S is that of "Revisiting the Performance of iALS on Item
    Recommendation Benchmarks", after Hu et al. (ICDM 2008)::

        sum over S of (1 - <w_u, h_i>)^2  +  a * sum over all u, i of <w_u, h_i>^2
        + l * sum over u of (|S_u| + a * n_items)^e |w_u|^2  +  l * sum over i of (|S_i| + a * n_users)^e |h_i|^2

    Each pass improves the vectors of all users and then those of all items, each by three steps of conjugate gradients
    from its vector of the pass before.

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
        factors: int = 51,
        epochs: int = 10,
        regularization: float = 3.03,
        regularization_exponent: float = 1.0,
        unobserved_ratio: float = 1.7,
        init_std: float = 0.1,
    ) -> None:
        positive(factors=factors, epochs=epochs, regularization=regularization, unobserved_ratio=unobserved_ratio)
        positive(init_std=init_std)
        float32_range(init_std=init_std)
        not_negative(regularization_exponent=regularization_exponent)
        self._factors = factors
        self._epochs = epochs
        self._regularization = regularization
        self._exponent = regularization_exponent
        self._ratio = unobserved_ratio
        self._init_std = init_std

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned vectors are not finite, or their products overflow.
        """
        rng = np.random.default_rng(context.seed)
        scale = self._init_std / np.sqrt(self._factors)
        self._users = (scale * rng.standard_normal((train.n_users, self._factors))).astype(np.float32)
        self._items = (scale * rng.standard_normal((train.n_items, self._factors))).astype(np.float32)
        by_item = TrainSet.from_rows(train.n_items, train.n_users, train.items.copy(), train.users.copy())
        unobserved = self._ratio * len(train) / (train.n_users * train.n_items)
        # Extreme hyper-parameters overflow. The vectors then are not finite, which is found below.
        with np.errstate(over="ignore", invalid="ignore"):
            weights = [(np.diff(one.indptr) + unobserved * one.n_items) ** self._exponent for one in (train, by_item)]
            strength = self._regularization / np.sqrt(weights[0].mean() * weights[1].mean())
            of_users, of_items = (strength * one for one in weights)
        too_large = {"unobserved_ratio": self._ratio, "init_std": self._init_std}
        too_large["regularization_exponent"] = self._exponent
        cause = suspects(large=too_large, regularization=self._regularization)
        users, items = RidgeBatches(train), RidgeBatches(by_item)
        for _ in range(self._epochs):
            # Batches run beside each other; within products of this size, threads cost more than they give.
            with threadpool_limits(1, "blas"):
                self._users = users.solve(self._items, self._users, unobserved, of_users, context.threads)
                self._items = items.solve(self._users, self._items, unobserved, of_items, context.threads)
            finite("the learned vectors", self._users, self._items, cause=cause)
            if not context.end_epoch():
                break
        finite_products(self._users, self._items, cause)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <w_u, h_i>, float32[n, c]; during training, with what has been learned so far."""
        return np.einsum("nf,ncf->nc", self._users[users], self._items[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns <w_u, h_i> for all items, float32[n, n_items], in one matrix product."""
        return self._users[users] @ self._items.T
