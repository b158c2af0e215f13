"""The alternating least squares of the package ``implicit``."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares

from .checks import not_negative, positive
from .implicit_epochs import fit_by_epochs
from .item_gram import interactions
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class ImplicitALS:
    """Weighted matrix factorisation of the package implicit, by alternating least squares (Hu et al., ICDM 2008).

    A train row counts ``alpha`` times as much as a pair that is none. Each vector takes three steps of conjugate
    gradients an epoch (Takacs et al., RecSys 2011). ``ials`` is the same idea with a regularisation that grows with a
    vector's rows.

    Args:
        factors: Length of the vectors.
        epochs: Passes over the train rows, each of which solves for all users and all items.
        regularization: L2, the same for every vector.
        alpha: Weight of a train row.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, factors: int = 32, epochs: int = 15, regularization: float = 20.0, alpha: float = 5.0) -> None:
        positive(factors=factors, epochs=epochs, alpha=alpha)
        not_negative(regularization=regularization)
        self._factors = factors
        self._epochs = epochs
        self._regularization = regularization
        self._alpha = alpha

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        model = AlternatingLeastSquares(
            factors=self._factors,
            iterations=self._epochs,
            regularization=self._regularization,
            alpha=self._alpha,
            num_threads=context.threads,
            random_state=context.seed,
        )
        self._model = model
        fit_by_epochs(model, interactions(train, np.float32), context)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the inner products, float32[n, c]."""
        return np.einsum("nf,ncf->nc", self._model.user_factors[users], self._model.item_factors[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the inner products with all items, float32[n, n_items]."""
        return self._model.user_factors[users] @ self._model.item_factors.T
