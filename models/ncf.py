"""Neural collaborative filtering: NeuMF, in TensorFlow."""

import keras
import tensorflow as tf

from models.checks import not_negative, positive
from models.pairs import Pairs
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class NeuMF:
    """NeuMF, the NCF paper's fusion of GMF and an MLP (He et al., WWW 2017), trained by Adam.

    GMF multiplies a user's and an item's vector of length ``factors``. The MLP takes another pair of vectors of length
    4 * factors through layers of 4, 2 and 1 times ``factors`` units with ReLU. Both outputs side by side go through
    one linear layer to the score. Every train row is a positive with ``negatives`` freshly drawn items that the user
    has not interacted with in train; the loss is the mean binary cross-entropy over all of them.

    Args:
        factors: Predictive factors: length of GMF's vectors and of the MLP's last layer.
        epochs: Passes over the train rows.
        learning_rate: Adam's.
        negatives: Negatives for each positive.
        regularization: L2 on the vectors of each row of a batch.
        batch_size: Positives in one update.
        init_std: Standard deviation of the initial vectors.

    Raises:
        ValueError: A value is out of range.
    """

    def __init__(
        self,
        factors: int = 32,
        epochs: int = 8,
        learning_rate: float = 0.005,
        negatives: int = 4,
        regularization: float = 0.001,
        batch_size: int = 1024,
        init_std: float = 0.01,
    ) -> None:
        positive(factors=factors, epochs=epochs, learning_rate=learning_rate, negatives=negatives)
        positive(batch_size=batch_size, init_std=init_std)
        not_negative(regularization=regularization)
        self._factors = factors
        self._epochs = epochs
        self._learning_rate = learning_rate
        self._negatives = negatives
        self._regularization = regularization
        self._batch_size = batch_size
        self._init_std = init_std
        self._training: _Training | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epoch and runs it over no rows."""
        self._training = self._build(train, context.seed)
        self._training.epoch(Pairs.of_nobody(train), tf.constant([context.seed, 0]))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        training = self._training or self._build(train, context.seed)
        self._training = None
        pairs = Pairs.of(train)
        for epoch in range(self._epochs):
            loss = training.epoch(pairs, tf.constant([context.seed, epoch + 1]))
            if not context.end_epoch(float(loss)):
                break
        self._network = training.network

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the logits, float32[n, c]."""
        return self._network.scores(tf.constant(users), tf.constant(items)).numpy()

    def _build(self, train: TrainSet, seed: int) -> "_Training":
        network = _Network(train.n_users, train.n_items, self._factors, self._init_std, seed)
        return _Training(network, train, self._learning_rate, self._negatives, self._regularization, self._batch_size)


class _Network(tf.Module):
    """The weights, and the way from indices to logits."""

    def __init__(self, n_users: int, n_items: int, factors: int, init_std: float, seed: int) -> None:
        super().__init__()
        self._stream = 0
        self._seed = seed
        width = 4 * factors
        self.gmf_users = self._normal([n_users, factors], init_std)
        self.gmf_items = self._normal([n_items, factors], init_std)
        self.mlp_users = self._normal([n_users, width], init_std)
        self.mlp_items = self._normal([n_items, width], init_std)
        # The first layer's weights in two parts: a user's part of the sum is computed once for all of its candidates.
        he = (2 / (2 * width)) ** 0.5
        self.first_users = self._normal([width, width], he)
        self.first_items = self._normal([width, width], he)
        self.first_bias = tf.Variable(tf.zeros([width]))
        self.layers = []
        for units_in in (width, width // 2):
            units_out = units_in // 2
            weights = self._normal([units_in, units_out], (2 / units_in) ** 0.5)
            self.layers.append((weights, tf.Variable(tf.zeros([units_out]))))
        self.output = self._normal([2 * factors, 1], (1 / (2 * factors)) ** 0.5)
        self.output_bias = tf.Variable(tf.zeros([1]))

    def _normal(self, shape: list[int], std: float) -> tf.Variable:
        self._stream += 1
        return tf.Variable(tf.random.stateless_normal(shape, [self._seed, -self._stream], stddev=std))

    def vectors(self, users: tf.Tensor, items: tf.Tensor) -> list[tf.Tensor]:
        """Looks up the vectors of users int32[n] and items int32[n, c]."""
        return [
            tf.gather(self.gmf_users, users),
            tf.gather(self.gmf_items, items),
            tf.gather(self.mlp_users, users),
            tf.gather(self.mlp_items, items),
        ]

    def logits(self, vectors: list[tf.Tensor]) -> tf.Tensor:
        """Returns float32[n, c]."""
        gmf_users, gmf_items, mlp_users, mlp_items = vectors
        from_users = tf.expand_dims(mlp_users @ self.first_users + self.first_bias, 1)
        hidden = tf.nn.relu(from_users + tf.tensordot(mlp_items, self.first_items, 1))
        for weights, bias in self.layers:
            hidden = tf.nn.relu(tf.tensordot(hidden, weights, 1) + bias)
        product = tf.expand_dims(gmf_users, 1) * gmf_items
        return tf.squeeze(tf.tensordot(tf.concat([product, hidden], -1), self.output, 1), -1) + self.output_bias

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, None], tf.int32)])
    def scores(self, users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Returns the logits of users int32[n] and items int32[n, c]."""
        return self.logits(self.vectors(users, items))


class _Training(tf.Module):
    """The optimiser and the compiled epoch of one training run."""

    def __init__(
        self,
        network: _Network,
        train: TrainSet,
        learning_rate: float,
        negatives: int,
        regularization: float,
        batch_size: int,
    ) -> None:
        super().__init__()
        self.network = network
        self._weights = list(network.trainable_variables)
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._weights)
        self._negatives = negatives
        self._regularization = regularization
        self._batch_size = batch_size
        signature = [Pairs.signature(train), tf.TensorSpec([2], tf.int32)]
        self.epoch = tf.function(self._epoch, input_signature=signature)

    def _epoch(self, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """Trains on the pass drawn from ``seed`` (int32[2]); returns the mean loss."""
        users, positives, negatives = pairs.epoch(seed, self._negatives)
        rows = tf.shape(users)[0]
        items = tf.concat([positives[:, None], negatives], axis=1)
        loss = tf.constant(0.0)
        for start in tf.range(0, rows, self._batch_size):
            batch = slice(start, start + self._batch_size)
            loss += self._update(users[batch], items[batch])
        return loss / tf.cast(tf.maximum(rows, 1), tf.float32)

    def _update(self, users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """One step on users int32[b] and items int32[b, 1 + negatives], the positive first; b times the mean loss."""
        n = tf.cast(tf.shape(users)[0], tf.float32)
        with tf.GradientTape() as tape:
            vectors = self.network.vectors(users, items)
            logits = self.network.logits(vectors)
            labels = tf.concat([tf.ones_like(logits[:, :1]), tf.zeros_like(logits[:, 1:])], axis=1)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
            penalty = tf.add_n([tf.nn.l2_loss(vector) for vector in vectors]) / n
            objective = loss + self._regularization * penalty
        gradients = tape.gradient(objective, self._weights)
        # Dense gradients keep Adam's moments decaying for every row, as published.
        self._optimizer.apply([tf.convert_to_tensor(g) for g in gradients], self._weights)
        return loss * n
