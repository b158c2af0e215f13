"""Training LightGCN on blocks of users whose rows share a pool of negatives."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .block_training import Settings
from .graph_propagation import Graph
from .lightgcn_training import expected_pairs
from .optimizers import regularised_update
from .pooled_blocks import PooledRows
from .row_sums import row_sums
from .shared_negatives import SharedNegativesTraining
from .tensorflow_alone import tf
from .tracing import traced
from .user_blocks import UserBlocks
from recbench.protocol import TrainSet


class GraphRows(NamedTuple):
    """What an epoch reads.

    Attributes:
        n_rows: int32[blocks], rows of each block.
        pooled: The rows by block.
        graph: The same rows as edges between places of users and items.
        user_decay: float32[blocks * size, 1], regularisation of each place's vector in one update.
        item_decay: float32[n_items, 1], likewise.
    """

    n_rows: tf.Tensor
    pooled: PooledRows
    graph: Graph
    user_decay: tf.Tensor
    item_decay: tf.Tensor


class SharedLightGCNTraining(SharedNegativesTraining):
    """The trained vectors are those before the propagation; a block's loss is that of the propagated ones.

    Every update moves the vectors of all users and items.

    Args:
        settings: Hyper-parameters of the training.
        layers: Propagations.
        train: The train rows, of which the sizes of what is compiled follow.
        batch_size: Train rows in one update, about.
        seed: The seed by which users are dealt into blocks.
    """

    # All items are written at once.
    spare_items = 0

    def __init__(self, settings: Settings, layers: int, train: TrainSet, batch_size: int, seed: int) -> None:
        self._layers, self._batch_size, self._seed = layers, batch_size, seed
        self._blocks = self._deal(train)
        super().__init__(settings, self._blocks, train.n_items)

    def _deal(self, train: TrainSet) -> UserBlocks:
        return UserBlocks.deal(train, self._batch_size, self._seed)

    def _compile(self, rows: NamedTuple) -> None:
        places = self.n_blocks * self.size
        graph = Graph.signature(places, self.n_items)
        decays = [tf.TensorSpec([n, 1], tf.float32) for n in (places, self.n_items)]
        super()._compile(GraphRows(tf.TensorSpec([None], tf.int32), rows, graph, *decays))  # type: ignore[arg-type]
        self._propagated = traced(self._propagate, input_signature=[graph])

    def lay_out(self, train: TrainSet) -> GraphRows:
        """Returns what an epoch reads, for these train rows."""
        self._blocks = self._deal(train)
        by_place = self._by_place(self._blocks.users.copy(), self._blocks.indices.copy())
        expected = expected_pairs(by_place, self.settings.negative_exponent)
        decays = [tf.constant((self.settings.regularization * one).astype(np.float32)) for one in expected]
        pooled, n_rows = self.rows(train, self._blocks), tf.constant(self._blocks.rows)
        return GraphRows(n_rows, pooled, Graph.of(by_place), *decays)

    def lay_out_nobody(self, train: TrainSet) -> GraphRows:
        """Returns padding for one step, for compiling."""
        nothing = np.zeros(0, dtype=np.int32)
        graph = Graph.of(self._by_place(nothing, nothing.copy()))
        decays = tf.zeros([self.n_blocks * self.size, 1]), tf.zeros([self.n_items, 1])
        return GraphRows(tf.zeros([1], tf.int32), self.no_rows(train, self._blocks), graph, *decays)

    def _by_place(self, places: np.ndarray, items: np.ndarray) -> TrainSet:
        return TrainSet.from_rows(self.n_blocks * self.size, self.n_items, places, items)

    def vectors(self, graph: Graph) -> tuple[np.ndarray, np.ndarray]:
        """Returns the propagated vectors whose inner products are scores, float32[n, factors] of users and items."""
        users, items = self._propagated(graph)
        return self.similarity.scoring(users)[self._blocks.place], self.similarity.scoring(items)

    def _propagate(self, graph: Graph) -> tuple[tf.Tensor, tf.Tensor]:
        return graph.propagate(self.users.read_value(), self.items.read_value(), self._layers)

    def _train_blocks(  # type: ignore[override]
        self, rows: GraphRows, blocks: list[tf.Tensor], seed: tf.Tensor, step: tf.Tensor, ahead: Sequence[NamedTuple]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        (block,) = blocks
        met = self.meet(rows.pooled, block, seed)
        of_users, of_items = self._propagate(rows.graph)
        places = block * self.size + tf.range(self.size)
        p, q = tf.gather(of_users, places), tf.gather(of_items, met.items)
        found = self.gradients(rows.pooled, block, met, p, q)
        by_users = row_sums(found.users, places, self.n_blocks * self.size)
        by_items = row_sums(found.items, met.items, self.n_items)
        # Back through the propagation, which is its own transpose.
        gradients = rows.graph.propagate(by_users, by_items, self._layers)
        n_rows = tf.cast(tf.maximum(rows.n_rows[block], 1), tf.float32)
        self._take_step(self.users, self.user_slots, gradients[0] / n_rows, rows.user_decay, step)
        self._take_step(self.items, self.item_slots, gradients[1] / n_rows, rows.item_decay, step)
        return found.loss, found.skipped

    def _take_step(
        self, variable: tf.Variable, slots: list[tf.Variable], gradient: tf.Tensor, decay: tf.Tensor, step: tf.Tensor
    ) -> None:
        states = [slot.read_value() for slot in slots]
        columns = self.vector, self.trained_of_items
        value, states = regularised_update(
            self.optimizer, variable.read_value(), states, gradient, decay, *columns, step
        )
        variable.assign(value)
        for slot, state in zip(slots, states, strict=True):
            slot.assign(state)
