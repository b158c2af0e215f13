"""Matrix factorisation with the BPR loss, in TensorFlow, a block of users at a time."""

from dataclasses import replace
from typing import Literal

import numpy as np

from .block_training import BlockTraining, Settings
from .checks import float32_range, not_negative, one_of, positive
from .dense_blocks import DenseTraining
from .devices import run_side_by_side, training_device
from .learnable_rows import require_pairs
from .learned import finite_products, suspects
from .losses import LossName
from .mean_rows import per_row
from .optimizers import OptimizerName
from .own_negatives import OwnNegativesTraining
from .shared_negatives import SharedNegativesTraining
from .similarities import SimilarityName
from .tensorflow_alone import tf
from .unseen import uses_table
from .user_blocks import UserBlocks
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

SPARSE = 1 / 200
"""Share of users x items that are rows, below which a pool of items for each block is faster than all items."""

BPRLoss = Literal[LossName, "sampled_softmax"]

Kind = type[DenseTraining] | type[OwnNegativesTraining] | type[SharedNegativesTraining]


class BPR:
    """BPR matrix factorisation with item biases, trained by Adagrad (Rendle et al., UAI 2009).

    The score of item i for user u is <p_u, q_i> + b_i with ``similarity="inner"``, and cos(p_u, q_i) / temperature +
    b_i with ``similarity="cosine"``. In each epoch, every train row (u, i) is paired with newly drawn items j that u
    has not interacted with in train. The paper's model is ``loss="bpr", similarity="inner"``; its loss is the mean over
    j of -log sigmoid(score_ui - score_uj). The default loss is the sampled softmax, -log(exp(score_ui) /
    (exp(score_ui) + sum_j exp(score_uj))), which equals the paper's loss for a single j. It was better on validation
    cases, most of all on sparse data.

    The regularisation adds L2 / 2 times the squared norms of the vectors: of p_u and q_i once per train row, and of q_j
    as often as item j is expected as a negative. One update uses all train rows of a block of users. The blocks are
    shuffled in each epoch. On several threads, the gradients of some blocks at a time are computed from the same
    vectors (``models.pooled_blocks``), so that the scores depend a little on the number of threads.

    Args:
        factors: Length of the vectors p and q.
        epochs: Passes over the train rows.
        learning_rate: Learning rate of the optimiser.
        regularization: The L2 of the vectors of each pair is this value, divided by the square root of the mean number
            of train rows (``models.mean_rows``).
        negatives: Items j per train row and epoch.
        negative_exponent: An item is drawn in proportion to its number of train rows to this power: 0 is uniform, 1 is
            popularity.
        loss: sampled_softmax: all train rows of a block share ``shared_negatives`` negatives. softmax: the same loss
            with ``negatives`` separate negatives per row. The others are bpr, hinge and the pointwise bce.
        optimizer: adagrad, adam or sgd.
        batch_size: Target number of train rows in one update. A batch holds all rows of its users.
        init_std: Standard deviation of the initial vectors.
        balance: Each row weighs the number of its user's train rows to the power of -``balance``, in the loss and in
            the regularisation: 0 weighs all rows equally, 1 all users.
        similarity: inner: the inner product <p_u, q_i>. cosine: the cosine of the angle between p_u and q_i, divided by
            ``temperature``.
        temperature: For ``similarity="cosine"`` only. A lower value gives more weight to the hardest negatives.
        shared_negatives: Items drawn per block. For ``loss="sampled_softmax"`` only, in place of ``negatives``.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(
        self,
        factors: int = 64,
        epochs: int = 32,
        learning_rate: float = 0.05,
        regularization: float = 0.45,
        negatives: int = 4,
        negative_exponent: float = 0.4,
        loss: BPRLoss = "sampled_softmax",
        optimizer: OptimizerName = "adagrad",
        batch_size: int = 16384,
        init_std: float = 0.03,
        balance: float = 0.2,
        similarity: SimilarityName = "cosine",
        temperature: float = 0.25,
        shared_negatives: int = 2048,
    ) -> None:
        positive(factors=factors, epochs=epochs, learning_rate=learning_rate, negatives=negatives)
        positive(batch_size=batch_size, init_std=init_std, temperature=temperature, shared_negatives=shared_negatives)
        float32_range(init_std=init_std, temperature=temperature)
        not_negative(regularization=regularization, negative_exponent=negative_exponent, balance=balance)
        one_of(BPRLoss, loss=loss)
        one_of(OptimizerName, optimizer=optimizer)
        one_of(SimilarityName, similarity=similarity)
        self._settings = Settings(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            negatives=negatives,
            negative_exponent=negative_exponent,
            loss="softmax" if loss == "sampled_softmax" else loss,
            optimizer=optimizer,
            init_std=init_std,
            balance=balance,
            similarity=similarity,
            temperature=temperature,
            shared_negatives=shared_negatives,
        )
        self._shares_negatives = loss == "sampled_softmax"
        self._epochs = epochs
        self._batch_size = batch_size
        self._training: BlockTraining | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epoch and runs it over a block without rows."""
        run_side_by_side(context.threads)
        with tf.device(training_device(context)):
            blocks = self._deal(train, context)
            self._training = self._build(train, blocks)
            self._training.epoch(self._training.no_rows(train, blocks), tf.constant([context.seed, 0]))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned vectors are not finite, or their products overflow.
            ValueError: The hyper-parameters leave no train row with a negative.
        """
        settings = self._settings
        require_pairs(train, settings.negative_exponent, settings.balance)
        run_side_by_side(context.threads)
        with tf.device(training_device(context)):
            blocks = self._deal(train, context)
            training = self._training or self._build(train, blocks)
            self._training, self._place = training, blocks.place
            training.initialise(context.seed)
            rows = training.rows(train, blocks)
            total = 0
            for epoch in range(1, self._epochs + 1):
                loss, skipped = training.epoch(rows, tf.constant([context.seed, epoch]))
                total += int(skipped)
                if not context.end_epoch(float(loss)):
                    break
        context.report(skipped_pairs=total)
        self._users, self._items = self._vectors(training)
        self._training = None
        too_large = {name: getattr(settings, name) for name in ("learning_rate", "regularization", "init_std")}
        too_small = {"temperature": settings.temperature} if settings.similarity == "cosine" else {}
        finite_products(self._users, self._items, suspects(large=too_large, small=too_small))

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <p_u, q_i> + b_i, float32[n, c]; during training, with what has been learned so far."""
        of_users, of_items = self._learned()
        return np.einsum("nf,ncf->nc", of_users[users], of_items[items])

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns <p_u, q_i> + b_i for all items, float32[n, n_items], in one matrix product."""
        of_users, of_items = self._learned()
        return of_users[users] @ of_items.T

    def _learned(self) -> tuple[FloatArray, FloatArray]:
        return self._vectors(self._training) if self._training else (self._users, self._items)

    def _vectors(self, training: BlockTraining) -> tuple[FloatArray, FloatArray]:
        return training.scoring_vectors(self._place)

    def _deal(self, train: TrainSet, context: TrainContext) -> UserBlocks:
        return self._kind(train).deal(train, self._batch_size, context.seed, context.threads)

    def _build(self, train: TrainSet, blocks: UserBlocks) -> BlockTraining:
        strength = per_row(self._settings.regularization, train)
        return self._kind(train)(replace(self._settings, regularization=strength), blocks, train.n_items)

    def _kind(self, train: TrainSet) -> Kind:
        if self._shares_negatives:
            return SharedNegativesTraining
        n_cells = train.n_users * train.n_items
        dense = uses_table(train.n_users, train.n_items) and len(train) >= SPARSE * n_cells
        return DenseTraining if dense else OwnNegativesTraining
