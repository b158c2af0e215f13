"""LightGCN: matrix factorisation whose vectors are smoothed over the graph of users and items, in TensorFlow."""

from dataclasses import replace
from typing import Literal

import numpy as np

from .block_training import Settings as SharedSettings
from .checks import float32_range, not_negative, one_of, positive
from .devices import training_device
from .learnable_rows import require_pairs
from .learned import finite_products, suspects
from .lightgcn_shared import SharedLightGCNTraining
from .lightgcn_training import LightGCNTraining, Settings
from .mean_rows import mean_rows
from .similarities import SimilarityName
from .tensorflow_alone import tf
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

LightGCNLoss = Literal["bpr", "sampled_softmax"]
Training = LightGCNTraining | SharedLightGCNTraining


class LightGCN:
    """LightGCN (He et al., SIGIR 2020), trained by Adam with the BPR loss.

    The score of item i for user u is <p_u, q_i>. These vectors are the mean of the trained vectors and of the results
    of 1, 2, ... ``layers`` propagations over the graph of train rows (``models.graph_propagation``). In each epoch,
    every train row is paired with newly drawn items that its user has not interacted with in train. The loss of a batch
    is the mean over its pairs. With ``loss="sampled_softmax"``, all train rows of a batch share ``shared_negatives``
    negatives, and a batch holds all rows of its users. Every update propagates over the whole graph and back. Its cost
    grows with the number of all train rows, so use large batches.

    Args:
        factors: Length of the vectors.
        layers: Number of propagations.
        epochs: Passes over the train rows.
        learning_rate: Learning rate of Adam.
        regularization: The L2 of the trained vectors of each pair is this value, divided by the mean number of train
            rows (``models.mean_rows``). Its square root, as in other models, was worse on validation cases.
        negatives: Negatives per train row and epoch.
        negative_exponent: An item is drawn in proportion to its number of train rows to this power: 0 is uniform, 1 is
            popularity.
        batch_size: Train rows in one update.
        init_std: Standard deviation of the initial vectors.
        loss: bpr or sampled_softmax (see ``models.bpr.BPR``).
        balance: For ``loss="sampled_softmax"`` only: each row weighs the number of its user's train rows to the power
            of -``balance``.
        similarity: inner: the inner product <p_u, q_i>. cosine: the cosine of the angle between p_u and q_i, divided by
            ``temperature``.
        temperature: For ``similarity="cosine"`` only. A lower value gives more weight to the hardest negatives.
        shared_negatives: Items drawn per batch. For ``loss="sampled_softmax"`` only, in place of ``negatives``.

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
        regularization: float = 0.2,
        negatives: int = 1,
        negative_exponent: float = 0.5,
        batch_size: int = 8192,
        init_std: float = 0.1,
        loss: LightGCNLoss = "bpr",
        balance: float = 0.0,
        similarity: SimilarityName = "inner",
        temperature: float = 0.1,
        shared_negatives: int = 2048,
    ) -> None:
        positive(factors=factors, layers=layers, epochs=epochs, learning_rate=learning_rate, negatives=negatives)
        positive(batch_size=batch_size, init_std=init_std, temperature=temperature, shared_negatives=shared_negatives)
        float32_range(init_std=init_std, temperature=temperature)
        not_negative(regularization=regularization, negative_exponent=negative_exponent, balance=balance)
        one_of(LightGCNLoss, loss=loss)
        one_of(SimilarityName, similarity=similarity)
        self._settings = Settings(
            factors=factors,
            layers=layers,
            learning_rate=learning_rate,
            regularization=regularization,
            negatives=negatives,
            negative_exponent=negative_exponent,
            batch_size=batch_size,
            init_std=init_std,
            similarity=similarity,
            temperature=temperature,
        )
        self._shared: SharedSettings | None = None
        if loss == "sampled_softmax":
            self._shared = SharedSettings(
                factors=factors,
                learning_rate=learning_rate,
                regularization=regularization,
                negatives=negatives,
                negative_exponent=negative_exponent,
                loss="softmax",
                optimizer="adam",
                init_std=init_std,
                balance=balance,
                similarity=similarity,
                temperature=temperature,
                shared_negatives=shared_negatives,
                item_biases=False,
            )
        self._epochs = epochs
        self._training: Training | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epoch and the propagation, and runs both over nobody's rows."""
        with tf.device(training_device(context)):
            self._training = self._build(train, context.seed)
            nobody = self._training.lay_out_nobody(train)
            self._training.epoch(nobody, tf.constant([context.seed, 0]))
            self._training.vectors(nobody.graph)

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned vectors are not finite, or their products overflow.
            ValueError: The hyper-parameters leave no train row with a negative.
        """
        settings = self._settings
        require_pairs(train, settings.negative_exponent, self._shared.balance if self._shared else 0.0)
        with tf.device(training_device(context)):
            training = self._training or self._build(train, context.seed)
            training.initialise(context.seed)
            rows = training.lay_out(train)
            self._training, self._graph = training, rows.graph
            total = 0
            for epoch in range(1, self._epochs + 1):
                loss, skipped = training.epoch(rows, tf.constant([context.seed, epoch]))
                self._vectors = None
                total += int(skipped)
                context.report(skipped_pairs=total)
                if not context.end_epoch(float(loss)):
                    break
        vectors = self._learned()
        self._training = None
        too_large = {name: getattr(settings, name) for name in ("learning_rate", "regularization", "init_std")}
        too_small = {"temperature": settings.temperature} if settings.similarity == "cosine" else {}
        finite_products(*vectors, suspects(large=too_large, small=too_small))

    def _build(self, train: TrainSet, seed: int) -> Training:
        strength = self._settings.regularization / mean_rows(train)
        settings = replace(self._settings, regularization=strength)
        if self._shared:
            shared = replace(self._shared, regularization=strength)
            return SharedLightGCNTraining(shared, settings.layers, train, settings.batch_size, seed)
        return LightGCNTraining(train, settings)

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
