"""The alternating least squares of the package ``implicit``."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares

from .checks import not_negative, positive, require_rows
from .implicit_epochs import fit_by_epochs
from .item_gram import interactions
from .learned import suspects
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class ImplicitALS:
    """Weighted matrix factorisation of the package implicit, by alternating least squares (Hu et al., ICDM 2008).

    Every user-item pair has the weight 1, and a train row has the weight 1 + alpha. In each epoch, every vector takes
    three steps of the conjugate gradient method (Takacs et al., RecSys 2011). ``ials`` is a related model: its
    regularisation of a vector grows with the number of rows.

    The best alpha depends on the size of the data, and the best L2 of implicit depends on alpha. The two
    hyper-parameters below depend on neither::

        alpha = n_users * n_items / (unobserved_ratio * n_rows)
        L2 of implicit = regularization * alpha

    Args:
        factors: Length of the vectors.
        epochs: Passes over the train rows. Each pass solves for all users and then for all items.
        regularization: L2 of every vector, for train rows of weight 1.
        unobserved_ratio: Total weight of all user-item pairs, divided by the total weight of all train rows.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(
        self, factors: int = 32, epochs: int = 15, regularization: float = 5.0, unobserved_ratio: float = 10.0
    ) -> None:
        positive(factors=factors, epochs=epochs, unobserved_ratio=unobserved_ratio)
        not_negative(regularization=regularization)
        self._factors = factors
        self._epochs = epochs
        self._regularization = regularization
        self._ratio = unobserved_ratio

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned vectors are not finite, or their products overflow.
            ValueError: There is no train row.
        """
        require_rows(train)
        alpha = train.n_users * train.n_items / (self._ratio * len(train))
        model = AlternatingLeastSquares(
            factors=self._factors,
            iterations=self._epochs,
            regularization=self._regularization * alpha,
            # implicit's own alpha is the whole weight of a train row.
            alpha=1 + alpha,
            num_threads=context.threads,
            random_state=context.seed,
        )
        self._model = model
        cause = suspects(regularization=self._regularization, unobserved_ratio=self._ratio)
        fit_by_epochs(model, interactions(train, np.float32), context, cause)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the inner products, float32[n, c]."""
        return np.einsum("nf,ncf->nc", self._model.user_factors[users], self._model.item_factors[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the inner products with all items, float32[n, n_items]."""
        return self._model.user_factors[users] @ self._model.item_factors.T
