"""Training LightGCN on positives with freshly drawn negatives."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .graph_propagation import Graph
from .losses import loss_and_gradients
from .optimizers import Optimizer
from .pairs import Pairs
from .similarities import Similarity, SimilarityName
from .tensorflow_alone import tf
from .tracing import repeat, traced
from .unseen import popularity_weights, shares
from recbench.protocol import TrainSet


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyper-parameters; see ``models.lightgcn.LightGCN``."""

    factors: int
    layers: int
    learning_rate: float
    regularization: float
    negatives: int
    negative_exponent: float
    batch_size: int
    init_std: float
    similarity: SimilarityName = "inner"
    temperature: float = 1.0


class LightGCNRows(NamedTuple):
    """What an epoch reads.

    Attributes:
        graph: The train rows as edges.
        pairs: The same rows, for drawing negatives.
        user_decay: float32[n_users, 1], regularisation of each user's vector in one update.
        item_decay: float32[n_items, 1], likewise.
    """

    graph: Graph
    pairs: Pairs
    user_decay: tf.Tensor
    item_decay: tf.Tensor


class LightGCNTraining(tf.Module):
    """The vectors before propagation, their optimiser, and the compiled epoch.

    Args:
        train: The train rows, of which only the numbers of users and items are looked at.
        settings: Hyper-parameters.
    """

    def __init__(self, train: TrainSet, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._optimizer = Optimizer("adam", settings.learning_rate)
        self._similarity = Similarity(settings.similarity, settings.temperature, tf.ones([settings.factors]))
        shapes = [[train.n_users, settings.factors], [train.n_items, settings.factors]]
        self._vectors = [tf.Variable(tf.zeros(shape)) for shape in shapes]
        self._slots = [[tf.Variable(tf.zeros(shape)) for _ in self._optimizer.start] for shape in shapes]
        rows = LightGCNRows(
            Graph.signature(train.n_users, train.n_items),
            Pairs.signature(train, settings.negative_exponent),
            *(tf.TensorSpec([shape[0], 1], tf.float32) for shape in shapes),
        )
        self.epoch = traced(self._epoch, input_signature=[rows, tf.TensorSpec([2], tf.int32)])
        self._propagated = traced(self._propagate, input_signature=[rows.graph])

    def initialise(self, seed: int) -> None:
        """Draws the initial vectors, and puts everything else where it begins."""
        for number, (vectors, slots) in enumerate(zip(self._vectors, self._slots, strict=True), 1):
            std = self._settings.init_std
            vectors.assign(tf.random.stateless_normal(vectors.shape, [seed, -number], stddev=std))
            for slot in slots:
                slot.assign(tf.zeros(slot.shape))

    def lay_out(self, train: TrainSet) -> LightGCNRows:
        """Returns what an epoch reads, for these train rows."""
        exponent, strength = self._settings.negative_exponent, self._settings.regularization
        decays = [tf.constant((strength * expected).astype(np.float32)) for expected in expected_pairs(train, exponent)]
        return LightGCNRows(Graph.of(train), Pairs.of(train, exponent), *decays)

    def lay_out_nobody(self, train: TrainSet) -> LightGCNRows:
        """Returns the same without rows, for compiling."""
        nobody = train.users[:0].copy(), train.items[:0].copy()
        return self.lay_out(TrainSet.from_rows(train.n_users, train.n_items, *nobody))

    def vectors(self, graph: Graph) -> tuple[np.ndarray, np.ndarray]:
        """Returns the propagated vectors whose inner products are scores, float32[n, factors] of users and items."""
        users, items = map(self._similarity.scoring, self._propagated(graph))
        return users, items

    def _propagate(self, graph: Graph) -> tuple[tf.Tensor, tf.Tensor]:
        users, items = (vectors.read_value() for vectors in self._vectors)
        return graph.propagate(users, items, self._settings.layers)

    def _epoch(self, rows: LightGCNRows, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains on the pass drawn from ``seed`` (int32[2]: the seed, the epoch from 1).

        Returns:
            The mean loss, and the number of pairs skipped for want of an unseen item.
        """
        users, positives, negatives = rows.pairs.epoch(seed, self._settings.negatives)
        n_rows, size = tf.shape(users)[0], self._settings.batch_size
        n_steps = (n_rows + size - 1) // size

        def take(number: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor]:
            batch = slice(number * size, (number + 1) * size)
            step = tf.cast((seed[1] - 1) * n_steps + number + 1, tf.float32)
            more = self._update(rows, users[batch], positives[batch], tf.transpose(negatives[batch]), step)
            return (loss + more,)

        (loss,) = repeat(n_steps, take, (tf.constant(0.0),))
        return loss / tf.cast(tf.maximum(n_rows, 1), tf.float32), rows.pairs.left_out * self._settings.negatives

    def _update(
        self,
        rows: LightGCNRows,
        users: tf.Tensor,
        positives: tf.Tensor,
        negatives: tf.Tensor,
        step: tf.Tensor,
    ) -> tf.Tensor:
        """Takes one step; returns the summed loss.

        Args:
            rows: All rows.
            users: int32[b].
            positives: int32[b].
            negatives: int32[negatives, b].
            step: float32 scalar, from 1.
        """
        of_users, of_items = self._propagate(rows.graph)
        scoring = self._similarity.apply(of_users), self._similarity.apply(of_items)
        loss, *gradients = pair_gradients(*scoring, users, positives, negatives)
        gradients = list(map(self._similarity.gradient, (of_users, of_items), gradients))
        # Back through the propagation, which is its own transpose.
        gradients = rows.graph.propagate(*gradients, self._settings.layers)  # type: ignore[call-arg, assignment]
        n_rows = tf.cast(tf.shape(users)[0], tf.float32)
        decays = rows.user_decay, rows.item_decay
        for variable, slots, gradient, strength in zip(self._vectors, self._slots, gradients, decays, strict=True):
            value = variable.read_value()
            gradient = gradient / n_rows + strength * value
            after, new = self._optimizer.update(value, [slot.read_value() for slot in slots], gradient, step)
            variable.assign(after)
            for slot, state in zip(slots, new, strict=True):
                slot.assign(state)
        return loss


def expected_pairs(train: TrainSet, exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns how often each user and item is expected in a pair, float64[n_users, 1] and float64[n_items, 1].

    Args:
        train: The train rows.
        exponent: Negatives are drawn in proportion to their number of train rows to this power.
    """
    weights = popularity_weights(train.items, train.n_items, exponent)
    n_rows = max(len(train), 1)
    users = np.diff(train.indptr) / n_rows
    items = np.bincount(train.items, minlength=train.n_items) / n_rows + shares(weights, train.n_items)
    return users[:, None], items[:, None]


def pair_gradients(
    of_users: tf.Tensor, of_items: tf.Tensor, users: tf.Tensor, positives: tf.Tensor, negatives: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the summed BPR loss of some pairs, and its gradients by all users' and all items' vectors.

    Args:
        of_users: float32[n_users, d].
        of_items: float32[n_items, d].
        users: int32[b].
        positives: int32[b].
        negatives: int32[k, b].
    """
    p, q, others = tf.gather(of_users, users), tf.gather(of_items, positives), tf.gather(of_items, negatives)
    scores = tf.reduce_sum(p * q, -1), tf.reduce_sum(p * others, -1)
    loss, down, up = loss_and_gradients("bpr", *scores, tf.ones_like(scores[1]))
    by_user = down[:, None] * q + tf.reduce_sum(up[..., None] * others, 0)
    by_item = tf.concat([down[:, None] * p, tf.reshape(up[..., None] * p, [-1, p.shape[-1]])], 0)
    items = tf.concat([positives, tf.reshape(negatives, [-1])], 0)
    total = tf.math.unsorted_segment_sum
    return loss, total(by_user, users, of_users.shape[0]), total(by_item, items, of_items.shape[0])
