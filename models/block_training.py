"""What the two ways of training factors a block of users at a time have in common."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from .losses import LossName
from .optimizers import Optimizer, OptimizerName, regularised_update
from .similarities import Similarity, SimilarityName
from .tensorflow_alone import tf
from .tracing import repeat, traced
from .user_blocks import UserBlocks
from recbench.protocol import TrainSet


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyper-parameters; see ``models.bpr.BPR``."""

    factors: int
    learning_rate: float
    regularization: float
    negatives: int
    negative_exponent: float
    loss: LossName
    optimizer: OptimizerName
    init_std: float
    balance: float
    similarity: SimilarityName = "inner"
    temperature: float = 1.0
    shared_negatives: int = 1
    item_biases: bool = True
    user_biases: bool = False


class BlockTraining(tf.Module):
    """Factors, their optimiser, and the way over the blocks.

    With ``item_biases`` a row of ``items`` is the item's vector and its bias; a row of ``users`` is the user's vector
    and 1, which is not trained. With ``user_biases`` an untrained 1 follows in the former, and the user's bias in the
    latter. The score is the inner product of what ``similarity`` makes of the two rows.

    Args:
        settings: Hyper-parameters.
        blocks: The users' blocks.
        n_items: Number of items.
    """

    spare_items: ClassVar[int] = 0
    """Rows of ``items`` behind those of the items, for a subclass to write what nobody reads."""

    @classmethod
    @abstractmethod
    def deal(cls, train: TrainSet, batch_size: int, seed: int, threads: int) -> UserBlocks:
        """Deals the users into the blocks that this training takes.

        Args:
            train: The train rows.
            batch_size: Rows that an update should take, about.
            seed: The seed.
            threads: How many blocks are worth computing side by side.
        """

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int) -> None:
        super().__init__()
        self.settings = settings
        self.n_blocks, self.parts, self.size, self.capacity = (
            blocks.n_blocks,
            blocks.parts,
            blocks.size,
            blocks.capacity,
        )
        self.n_items = n_items
        width = settings.factors + settings.item_biases + settings.user_biases
        self.optimizer = Optimizer(settings.optimizer, settings.learning_rate)
        self.users = tf.Variable(tf.zeros([self.n_blocks * self.size, width]))
        self.items = tf.Variable(tf.zeros([n_items + self.spare_items, width]))
        self.user_slots = [tf.Variable(tf.fill(self.users.shape, value)) for value in self.optimizer.start]
        self.item_slots = [tf.Variable(tf.fill(self.items.shape, value)) for value in self.optimizer.start]
        vector = [1.0] * settings.factors
        of_items, of_users = settings.item_biases * [1.0], settings.user_biases * [1.0]
        self.vector = tf.constant([*vector, *(0.0 for _ in of_items + of_users)])
        """1 where a column belongs to the vector, 0 at the biases."""
        self.trained_of_users = tf.constant([*vector, *(0.0 for _ in of_items), *of_users])
        """1 where a column of the users is trained."""
        self.trained_of_items = tf.constant([*vector, *of_items, *(0.0 for _ in of_users)])
        """1 where a column of the items is trained."""
        self.similarity = Similarity(settings.similarity, settings.temperature, self.vector)

    @abstractmethod
    def rows(self, train: TrainSet, blocks: UserBlocks) -> NamedTuple:
        """Lays the train rows out, as ``epoch`` reads them; the first field has one row a block."""

    @abstractmethod
    def no_rows(self, train: TrainSet, blocks: UserBlocks) -> NamedTuple:
        """Returns padding for one step, for compiling.

        What compiled code reads as a whole has the shape that it has in ``rows``: for another one it would be compiled
        again, and that in the first epoch.
        """

    @abstractmethod
    def _train_blocks(
        self,
        rows: NamedTuple,
        blocks: list[tf.Tensor],
        seed: tf.Tensor,
        step: tf.Tensor,
        ahead: Sequence[NamedTuple],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Takes one step.

        Args:
            rows: All rows.
            blocks: The ``parts`` blocks of the step, int32 scalars.
            seed: int32[2], the seed and the epoch from 1; what is random follows from it and the block.
            step: float32 scalar, steps taken, this one included.
            ahead: What ``_look_ahead`` returned for these blocks.

        Returns:
            The mean loss, and the number of pairs skipped.
        """

    def _look_ahead(self, rows: NamedTuple, blocks: list[tf.Tensor], seed: tf.Tensor) -> Sequence[NamedTuple]:
        """Returns what a step needs that no step changes; computed while the step before it is taken.

        Args:
            rows: All rows.
            blocks: The ``parts`` blocks of the step, int32 scalars.
            seed: int32[2], the seed and the epoch from 1.
        """
        return ()

    def _compile(self, rows: NamedTuple) -> None:
        """Makes ``epoch`` out of ``_train_block``; ``rows`` are the types of what it reads."""
        self.epoch = traced(self._epoch, input_signature=[rows, tf.TensorSpec([2], tf.int32)])

    def _epoch(self, rows: NamedTuple, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains on every block once, in an order that follows from ``seed`` (int32[2]: the seed, the epoch from 1).

        Returns:
            The mean loss of the last step's pairs (all steps would cost time), and the number of skipped pairs.
        """
        n_steps = tf.shape(rows[0])[0] // self.parts
        order = tf.random.experimental.stateless_shuffle(tf.range(n_steps), seed)

        def blocks_of(number: tf.Tensor) -> list[tf.Tensor]:
            return [order[number] * self.parts + part for part in range(self.parts)]

        def take(number: tf.Tensor, _: tf.Tensor, skipped: tf.Tensor, *ahead: NamedTuple) -> tuple[object, ...]:
            step = tf.cast((seed[1] - 1) * n_steps + number + 1, tf.float32)
            # The last step has none after it, and looks at its own blocks.
            following = self._look_ahead(rows, blocks_of(tf.minimum(number + 1, n_steps - 1)), seed)
            loss, more = self._train_blocks(rows, blocks_of(number), seed, step, ahead)
            return loss, skipped + more, *following

        first = self._look_ahead(rows, blocks_of(tf.constant(0)), seed)
        loss, skipped, *_ = repeat(n_steps, take, (tf.constant(0.0), tf.constant(0), *first))
        return loss, skipped

    def initialise(self, seed: int) -> None:
        """Draws the initial vectors, and puts everything else where it begins."""
        factors, std = self.settings.factors, self.settings.init_std
        normal = tf.random.stateless_normal
        users = normal([self.n_blocks * self.size, factors], [seed, -1], stddev=std)
        items = normal([self.n_items, factors], [seed, -2], stddev=std)
        n_biases = self.users.shape[1] - factors
        self.users.assign(tf.pad(users, [[0, 0], [0, n_biases]]) + (1 - self.trained_of_users))
        self.items.assign(tf.pad(items, [[0, self.spare_items], [0, n_biases]]) + (1 - self.trained_of_items))
        for slots in (self.user_slots, self.item_slots):
            for slot, value in zip(slots, self.optimizer.start, strict=True):
                slot.assign(tf.fill(slot.shape, value))

    def scoring_vectors(self, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the vectors whose inner products are scores.

        Args:
            place: int64[n], the places of the users.

        Returns:
            float32[n, width] of the users, and float32[n_items, width].
        """
        users = self.similarity.scoring(self.users.read_value())[place]
        return users, self.similarity.scoring(self.items.read_value())[: self.n_items]

    def take_user_step(
        self, blocks: list[tf.Tensor], gradients: list[tf.Tensor], decays: list[tf.Tensor], epoch: tf.Tensor
    ) -> None:
        """Updates the users of some blocks, who are updated once an epoch.

        Args:
            blocks: int32 scalars.
            gradients: float32[size, width] of each block, those of the loss.
            decays: float32[size] of each block, regularisation of each user's vector.
            epoch: int32 scalar, from 1.
        """
        variables = [self.users, *self.user_slots]
        # All are read before any is written: what is read after a write has to wait for it.
        before = [[self.users_of(variable, block) for variable in variables] for block in blocks]
        step = tf.cast(epoch, tf.float32)
        after = [
            regularised_update(
                self.optimizer, value, slots, gradient, decay[:, None], self.vector, self.trained_of_users, step
            )
            for (value, *slots), gradient, decay in zip(before, gradients, decays, strict=True)
        ]
        places = tf.concat([self._places(block) for block in blocks], 0)
        for number, variable in enumerate(variables):
            new = tf.concat([[value, *slots][number] for value, slots in after], 0)
            variable.scatter_update(tf.IndexedSlices(new, places))

    def users_of(self, values: tf.Variable, block: tf.Tensor) -> tf.Tensor:
        """Returns the block's part of one of the users' variables, float32[size, width]."""
        # A gather reads in place; a slice would have the whole variable copied first.
        return tf.gather(values, self._places(block))

    def _places(self, block: tf.Tensor) -> tf.Tensor:
        return block * self.size + tf.range(self.size)

    def item_update(
        self, value: tf.Tensor, slots: list[tf.Tensor], gradient: tf.Tensor, decay: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the new rows of items and their new slots; ``decay`` is float32[n], regularisation of each row."""
        return regularised_update(
            self.optimizer, value, slots, gradient, decay[:, None], self.vector, self.trained_of_items, step
        )
