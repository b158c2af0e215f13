"""The BPR of the package ``implicit``: the baseline that most people would use."""

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking

from .checks import not_negative, positive
from .implicit_epochs import fit_by_epochs
from .item_gram import interactions
from .learned import suspects
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class ImplicitBPR:
    """BPR of the package implicit (Cython, OpenMP, plain SGD), which draws negatives in proportion to popularity.

    implicit therefore never draws an item without train rows, and leaves its score at 0. Many known items have lower
    scores. In recbench, such an item gets the lowest bias of the known items.

    Args:
        factors: Length of the vectors.
        epochs: Passes over the train rows.
        learning_rate: Learning rate of SGD.
        regularization: L2 of the vectors and item biases.

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
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned vectors are not finite, or their products overflow.
        """
        model = BayesianPersonalizedRanking(
            factors=self._factors,
            iterations=self._epochs,
            learning_rate=self._learning_rate,
            regularization=self._regularization,
            num_threads=context.threads,
            random_state=context.seed,
        )
        self._model = model
        has_rows = np.bincount(train.items, minlength=train.n_items) > 0

        def lower_new_items() -> None:
            # The last column holds the biases. No later epoch reads those of items without rows.
            biases = model.item_factors[:, -1]
            biases[~has_rows] = biases[has_rows].min(initial=0.0)

        cause = suspects(large={"learning_rate": self._learning_rate, "regularization": self._regularization})
        fit_by_epochs(model, interactions(train, np.float32), context, cause, lower_new_items)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the inner products (item biases are a column of the factors), float32[n, c]."""
        return np.einsum("nf,ncf->nc", self._model.user_factors[users], self._model.item_factors[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the inner products with all items, float32[n, n_items]."""
        return self._model.user_factors[users] @ self._model.item_factors.T
