"""Matrix factorisation with the BPR loss, in TensorFlow."""

import numpy as np
import tensorflow as tf

from models.checks import not_negative, positive
from models.pairs import PairSampler
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class BPR:
    """BPR matrix factorisation with item biases, trained by Adagrad (Rendle et al., UAI 2009).

    The score of item i for user u is <p_u, q_i> + b_i. In each epoch every train row (u, i) is paired with a freshly
    drawn item j that u has not interacted with in train, and the loss is -log sigmoid(score_ui - score_uj) plus
    regularization / 2 times the squared norms of p_u, q_i and q_j.

    Args:
        factors: Length of the vectors p and q.
        epochs: Passes over the train rows.
        learning_rate: Adagrad's.
        regularization: L2, applied to the vectors of each pair.
        batch_size: Pairs in one update.
        init_std: Standard deviation of the initial vectors.

    Raises:
        ValueError: A value is out of range.
    """

    def __init__(
        self,
        factors: int = 64,
        epochs: int = 100,
        learning_rate: float = 0.05,
        regularization: float = 0.01,
        batch_size: int = 1024,
        init_std: float = 0.1,
    ) -> None:
        positive(
            factors=factors,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            init_std=init_std,
        )
        not_negative(regularization=regularization)
        self._factors = factors
        self._epochs = epochs
        self._learning_rate = learning_rate
        self._regularization = regularization
        self._batch_size = batch_size
        self._init_std = init_std
        self._training: _Training | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epoch's graph and runs it over no rows."""
        self._training = self._build(train, context.seed)
        self._training.epoch(tf.constant([context.seed, 0]), tf.constant(0))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        training = self._training or self._build(train, context.seed)
        rows = tf.constant(training.pairs.n_rows)
        for epoch in range(self._epochs):
            loss = training.epoch(tf.constant([context.seed, epoch + 1]), rows)
            if not context.end_epoch(float(loss)):
                break
        self._users = training.users.numpy()
        self._items = training.items.numpy()
        self._biases = training.biases.numpy()[:, 0]
        self._training = None

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <p_u, q_i> + b_i, float32[n, c]."""
        return np.einsum("nf,ncf->nc", self._users[users], self._items[items]) + self._biases[items]

    def _build(self, train: TrainSet, seed: int) -> "_Training":
        return _Training(
            train,
            seed,
            self._factors,
            self._learning_rate,
            self._regularization,
            self._batch_size,
            self._init_std,
        )


class _Training(tf.Module):
    """Variables and the compiled epoch of one training run."""

    def __init__(
        self,
        train: TrainSet,
        seed: int,
        factors: int,
        learning_rate: float,
        regularization: float,
        batch_size: int,
        init_std: float,
    ) -> None:
        super().__init__()
        self.pairs = PairSampler(train)
        normal = tf.random.stateless_normal
        self.users = tf.Variable(normal([train.n_users, factors], [seed, -1], stddev=init_std))
        self.items = tf.Variable(normal([train.n_items, factors], [seed, -2], stddev=init_std))
        self.biases = tf.Variable(tf.zeros([train.n_items, 1]))
        self._squares = {
            variable.ref(): tf.Variable(tf.fill(variable.shape, 0.1))
            for variable in (self.users, self.items, self.biases)
        }
        self._learning_rate = learning_rate
        self._regularization = regularization
        self._batch_size = batch_size

    @tf.function
    def epoch(self, seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Trains on the first ``rows`` (int32) rows of the pass drawn from ``seed`` (int32[2]); the mean loss."""
        users, positives, negatives = self.pairs.epoch(seed, 1)
        loss = tf.constant(0.0)
        for start in tf.range(0, rows, self._batch_size):
            batch = slice(start, start + self._batch_size)
            loss += self._update(users[batch], positives[batch], negatives[batch, 0])
        return loss / tf.cast(tf.maximum(rows, 1), tf.float32)

    def _update(self, users: tf.Tensor, positives: tf.Tensor, negatives: tf.Tensor) -> tf.Tensor:
        """One step on int32[b] triples; returns the sum of their losses.

        The gradients are written out: with s = sigmoid(score_uj - score_ui), they are -s (q_i - q_j) for p_u, -s p_u
        for q_i, +s p_u for q_j, -s and +s for the biases.
        """
        p, q_i, q_j = (
            tf.gather(self.users, users),
            tf.gather(self.items, positives),
            tf.gather(self.items, negatives),
        )
        b_i, b_j = tf.gather(self.biases, positives), tf.gather(self.biases, negatives)
        margin = tf.reduce_sum(p * (q_i - q_j), axis=1, keepdims=True) + b_i - b_j
        s = tf.sigmoid(-margin)
        reg = self._regularization
        both = tf.concat([positives, negatives], axis=0)
        self._adagrad(self.users, users, -s * (q_i - q_j) + reg * p)
        self._adagrad(self.items, both, tf.concat([-s * p + reg * q_i, s * p + reg * q_j], axis=0))
        self._adagrad(self.biases, both, tf.concat([-s, s], axis=0))
        return tf.reduce_sum(tf.nn.softplus(-margin))

    def _adagrad(self, variable: tf.Variable, rows: tf.Tensor, gradients: tf.Tensor) -> None:
        """TensorFlow's fused row-wise Adagrad: rows that occur several times are updated one after the other."""
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=variable.handle,
            accum=self._squares[variable.ref()].handle,
            lr=self._learning_rate,
            epsilon=1e-7,
            grad=gradients,
            indices=rows,
        )
