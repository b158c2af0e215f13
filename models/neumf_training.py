"""Training NeuMF, or a part of it, on positives with freshly drawn negatives."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .neumf_network import NeuMFNetwork, Part
from .neumf_optimizer import NeuMFOptimizer
from .optimizers import OptimizerName
from .pairs import Pairs
from .tensorflow_alone import tf
from .tracing import repeat, traced
from .unseen import popularity_weights, shares
from .user_blocks import weights_of_rows
from recbench.protocol import TrainSet

NeuMFLoss = Literal["bce", "bpr", "softmax"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyper-parameters; see ``models.ncf.NeuMF``."""

    learning_rate: float
    negatives: int
    negative_exponent: float
    loss: NeuMFLoss
    optimizer: OptimizerName
    regularization: float
    layer_regularization: float
    batch_size: int
    balance: float
    precision: Precision


class NeuMFTraining(tf.Module):
    """The optimiser and the compiled epoch of one part.

    Args:
        network: The weights.
        part: What to train.
        optimizer: For all of the network's weights. The parts share it: what it has learned of a weight's steps in
            pre-training is what keeps the first steps of the whole from undoing it.
        train: The train rows, of which only the counts are looked at.
        settings: Hyper-parameters.

    Attributes:
        part: The same.
        optimizer: The same.
    """

    def __init__(
        self, network: NeuMFNetwork, part: Part, optimizer: NeuMFOptimizer, train: TrainSet, settings: Settings
    ) -> None:
        super().__init__()
        self._network = network
        self.part = part
        self._settings = settings
        self._weights = network.weights(part)
        self.optimizer = optimizer
        self._counts = tf.constant(weights_of_rows(np.diff(train.indptr), settings.balance))
        self._shared = train.n_items < settings.batch_size * (1 + settings.negatives)
        signature = [
            Pairs.signature(train, settings.negative_exponent),
            tf.TensorSpec([train.n_users], tf.float32),
            tf.TensorSpec([train.n_items], tf.float32),
            tf.TensorSpec([2], tf.int32),
        ]
        self.epoch = traced(self._epoch, input_signature=signature)

    def decay(self, train: TrainSet) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns how often each user float32[n_users] and item float32[n_items] is expected in a positive's pairs."""
        weights = popularity_weights(train.items, train.n_items, self._settings.negative_exponent)
        counts = self._counts.numpy()
        as_positive = np.bincount(train.items, weights=counts[train.users], minlength=train.n_items)
        items = as_positive / max(len(train), 1) + shares(weights, train.n_items)
        users = counts * np.diff(train.indptr) / max(len(train), 1)
        return tf.constant(users.astype(np.float32)), tf.constant(items.astype(np.float32))

    def _epoch(self, pairs: Pairs, of_users: tf.Tensor, of_items: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Trains on the pass drawn from ``seed`` (int32[2]); returns the mean loss.

        Args:
            pairs: What to draw from.
            of_users: float32[n_users], how often each is expected in a positive's pairs.
            of_items: float32[n_items], likewise.
            seed: int32[2].
        """
        users, positives, negatives = pairs.epoch(seed, self._settings.negatives)
        rows, size = tf.shape(users)[0], self._settings.batch_size
        items = tf.concat([positives[:, None], negatives], axis=1)

        def take(number: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor]:
            batch = slice(number * size, (number + 1) * size)
            mean = self._update(users[batch], items[batch], of_users, of_items)
            return (loss + mean * tf.cast(tf.shape(users[batch])[0], tf.float32),)

        (loss,) = repeat((rows + size - 1) // size, take, (tf.constant(0.0),))
        return loss / tf.cast(tf.maximum(rows, 1), tf.float32)

    def _update(self, users: tf.Tensor, items: tf.Tensor, of_users: tf.Tensor, of_items: tf.Tensor) -> tf.Tensor:
        """Takes one step on users int32[b] and items int32[b, 1 + negatives], positive first; returns the mean loss."""
        user_tables, item_tables = self._network.vectors(self.part)
        with tf.GradientTape() as tape:
            logits = self._network.logits(
                self.part, users, items, shared=self._shared, dtype=tf.dtypes.as_dtype(self._settings.precision)
            )
            losses = self._losses(logits)
            # A sum over positives, so that Adagrad and SGD see gradients whose size does not depend on the batch.
            loss = tf.reduce_sum(tf.gather(self._counts, users) * losses)
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, self._weights)]
        positives = tf.cast(tf.shape(users)[0], tf.float32)
        decay = {id(table): self._settings.regularization * of_users[:, None] for table in user_tables}
        decay |= {id(table): self._settings.regularization * of_items[:, None] for table in item_tables}
        layers = self._network.layer_weights(self.part)
        decay |= {id(weight): tf.constant(self._settings.layer_regularization) for weight in layers}
        for place, weight in enumerate(self._weights):
            if id(weight) in decay:
                gradients[place] += positives * decay[id(weight)] * weight
        # Dense gradients keep Adam's moments decaying for every row, as published.
        self.optimizer.take_step(self._weights, gradients)
        return tf.reduce_mean(losses)

    def _losses(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns each positive's loss, float32[b]; see ``models.losses``, and for the divisor of ``bce`` below.

        Args:
            logits: float32[b, 1 + negatives], positive first.
        """
        positives, negatives = logits[:, :1], logits[:, 1:]
        if self._settings.loss == "bpr":
            return tf.reduce_mean(tf.nn.softplus(negatives - positives), 1)
        if self._settings.loss == "softmax":
            return tf.reduce_logsumexp(logits, 1) - logits[:, 0]
        examples = tf.nn.softplus(tf.concat([-positives, negatives], 1))
        # Divided, so that regularisation keeps its strength when negatives are added.
        return tf.reduce_sum(examples, 1) / self._settings.negatives
