"""The BPR of the package Cornac, as a model: for comparing with, where Cornac is installed."""

import contextlib

import numpy as np
from cornac.data import Dataset
from cornac.models import BPR

from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class CornacBPR:
    """BPR of the package Cornac (Cython, OpenMP, plain SGD); draws negatives uniformly, passes over seen ones.

    Args:
        factors: Length of the vectors.
        epochs: Passes over as many triples as there are train rows.
        learning_rate: That of SGD.
        regularization: L2.
    """

    def __init__(
        self, factors: int = 30, epochs: int = 100, learning_rate: float = 0.05, regularization: float = 0.01
    ) -> None:
        self._factors = factors
        self._epochs = epochs
        self._learning_rate = learning_rate
        self._regularization = regularization

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        start = np.random.default_rng(context.seed)
        # With a seed Cornac uses one thread; its own initial factors, drawn here, leave it free to use more.
        initial = {
            "U": ((start.random((train.n_users, self._factors)) - 0.5) / self._factors).astype(np.float32),
            "V": ((start.random((train.n_items, self._factors)) - 0.5) / self._factors).astype(np.float32),
        }
        model = _Told(
            context,
            k=self._factors,
            max_iter=self._epochs,
            learning_rate=self._learning_rate,
            lambda_reg=self._regularization,
            num_threads=context.threads,
            seed=context.seed if context.threads == 1 else None,
            init_params=initial,
        )
        uid = {user: user for user in range(train.n_users)}
        iid = {item: item for item in range(train.n_items)}
        rows = (train.users, train.items, np.ones(len(train), dtype=np.float32))
        self._model = model
        with contextlib.suppress(_EnoughError):
            model.fit(Dataset(train.n_users, train.n_items, uid, iid, rows, seed=context.seed))

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <p_u, q_i> + b_i, float32[n, c]."""
        model = self._model
        return np.einsum("nf,ncf->nc", model.u_factors[users], model.i_factors[items]) + model.i_biases[items]


class _Told(BPR):
    """Tells the context of each pass."""

    def __init__(self, context: TrainContext, **settings: object) -> None:
        super().__init__(**settings)
        self._context = context

    def _fit_sgd(self, *arguments: object) -> object:
        done = super()._fit_sgd(*arguments)
        if not self._context.end_epoch():
            raise _EnoughError
        return done


class _EnoughError(Exception):
    """Ends Cornac's training."""
