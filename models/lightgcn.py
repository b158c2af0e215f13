"""LightGCN: matrix factorisation whose vectors are smoothed over the graph of users and items, in TensorFlow."""

import numpy as np
import tensorflow as tf

from .checks import not_negative, positive
from .devices import training_device
from .graph_propagation import Graph
from .lightgcn_training import LightGCNTraining, Settings
from .pairs import Pairs
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class LightGCN:
    """LightGCN (He et al., SIGIR 2020), trained by Adam with the BPR loss.

    The score of item i for user u is <p_u, q_i>. These vectors are the mean of trained ones and of what one, two, ...
    ``layers`` propagations along the train rows make of them, see ``models.graph_propagation``. In each epoch every
    train row is paired with freshly drawn items that its user has not interacted with in train; a batch's loss is the
    mean over its pairs. Every update propagates over the whole graph and back: its costs grow with all train rows, so
    batches should be large.

    Args:
        factors: Length of the vectors.
        layers: Propagations.
        epochs: Passes over the train rows.
        learning_rate: That of Adam.
        regularization: L2, on the trained vectors of each pair as often as they are expected in it.
        negatives: Negatives for each train row and epoch.
        negative_exponent: They are drawn in proportion to their number of train rows to this power: 0 uniform, 1
            popularity.
        batch_size: Train rows in one update.
        init_std: Standard deviation of the initial vectors.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(
        self,
        factors: int = 64,
        layers: int = 2,
        epochs: int = 70,
        learning_rate: float = 0.01,
        regularization: float = 0.0025,
        negatives: int = 1,
        negative_exponent: float = 0.5,
        batch_size: int = 8192,
        init_std: float = 0.1,
    ) -> None:
        positive(factors=factors, layers=layers, epochs=epochs, learning_rate=learning_rate, negatives=negatives)
        positive(batch_size=batch_size, init_std=init_std)
        not_negative(regularization=regularization, negative_exponent=negative_exponent)
        self._settings = Settings(
            factors, layers, learning_rate, regularization, negatives, negative_exponent, batch_size, init_std
        )
        self._epochs = epochs
        self._training: LightGCNTraining | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epoch and the propagation, and runs both over nobody's rows."""
        with tf.device(training_device(context)):
            self._training = LightGCNTraining(train, self._settings)
            nobody = TrainSet.from_rows(train.n_users, train.n_items, train.users[:0].copy(), train.items[:0].copy())
            graph, pairs = Graph.of(nobody), Pairs.of(nobody, self._settings.negative_exponent)
            self._training.epoch(graph, pairs, self._training.decay(nobody), tf.constant([context.seed, 0]))
            self._training.vectors(graph)

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        with tf.device(training_device(context)):
            training = self._training or LightGCNTraining(train, self._settings)
            training.initialise(context.seed)
            graph, pairs = Graph.of(train), Pairs.of(train, self._settings.negative_exponent)
            decay = training.decay(train)
            self._training, self._graph = training, graph
            for epoch in range(1, self._epochs + 1):
                loss = training.epoch(graph, pairs, decay, tf.constant([context.seed, epoch]))
                self._vectors = None
                context.report(skipped_pairs=epoch * int(pairs.left_out) * self._settings.negatives)
                if not context.end_epoch(float(loss)):
                    break
        self._learned()
        self._training = None

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <p_u, q_i>, float32[n, c]; during training, with what has been learned so far."""
        of_users, of_items = self._learned()
        return np.einsum("nf,ncf->nc", of_users[users], of_items[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns <p_u, q_i> for all items, float32[n, n_items], in one matrix product."""
        of_users, of_items = self._learned()
        return of_users[users] @ of_items.T

    def _learned(self) -> tuple[np.ndarray, np.ndarray]:
        """Propagates once an epoch, and only if somebody asks."""
        if self._vectors is None:
            self._vectors = self._training.vectors(self._graph)  # type: ignore[union-attr, assignment]
        return self._vectors  # type: ignore[return-value]
