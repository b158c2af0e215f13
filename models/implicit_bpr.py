"""The BPR of the package ``implicit``: the baseline that most people would use."""

import contextlib

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix

from models.checks import not_negative, positive
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class ImplicitBPR:
    """BPR of the package implicit (Cython, OpenMP, plain SGD); draws negatives in proportion to popularity.

    Args:
        factors: Length of the vectors.
        epochs: Passes over the train rows.
        learning_rate: That of SGD.
        regularization: L2.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = False

    def __init__(
        self, factors: int = 64, epochs: int = 200, learning_rate: float = 0.01, regularization: float = 0.03
    ) -> None:
        positive(factors=factors, epochs=epochs, learning_rate=learning_rate)
        not_negative(regularization=regularization)
        self._factors = factors
        self._epochs = epochs
        self._learning_rate = learning_rate
        self._regularization = regularization

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        model = BayesianPersonalizedRanking(
            factors=self._factors,
            iterations=self._epochs,
            learning_rate=self._learning_rate,
            regularization=self._regularization,
            num_threads=context.threads,
            random_state=context.seed,
        )
        ones = np.ones(len(train), dtype=np.float32)
        shape = (train.n_users, train.n_items)
        rows = csr_matrix((ones, train.indices.copy(), train.indptr.copy()), shape=shape)

        def callback(*_: object) -> None:
            if not context.end_epoch():
                raise _EnoughError

        self._model = model
        with contextlib.suppress(_EnoughError):
            model.fit(rows, show_progress=False, callback=callback)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the inner products (item biases are a column of the factors), float32[n, c]."""
        return np.einsum("nf,ncf->nc", self._model.user_factors[users], self._model.item_factors[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the inner products with all items, float32[n, n_items]."""
        return self._model.user_factors[users] @ self._model.item_factors.T


class _EnoughError(Exception):
    """Ends implicit's training from within its callback."""
