"""Optimisers as pure functions of dense values, for fusing into a compiled step; the formulas are those of Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .tensorflow_alone import tf
from .tracing import compiled

OptimizerName = Literal["adagrad", "adam", "sgd"]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimiser. Equal ones share what TensorFlow compiles.

    Attributes:
        name: Which.
        learning_rate: Its learning rate.
    """

    name: OptimizerName
    learning_rate: float

    @property
    def start(self) -> tuple[float, ...]:
        """What each of the slots (accumulators of a value's shape) begins with."""
        return {"adagrad": (0.1,), "adam": (0.0, 0.0), "sgd": ()}[self.name]

    def update(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the new value and the new slots.

        Args:
            value: float32 of any shape.
            slots: As many as ``start`` has, of the same shape.
            gradient: Of the same shape.
            step: float32 scalar, counts this value's updates from 1.
        """
        update = {"adagrad": self._adagrad, "adam": self._adam, "sgd": self._sgd}[self.name]
        return update(value, slots, gradient, step)

    def _adagrad(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        squares = slots[0] + gradient * gradient
        return value - self.learning_rate * gradient * tf.math.rsqrt(squares + 1e-7), [squares]

    def _adam(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        first = 0.9 * slots[0] + 0.1 * gradient
        second = 0.999 * slots[1] + 0.001 * gradient * gradient
        rate = self.learning_rate * tf.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        return value - rate * first / (tf.sqrt(second) + 1e-7), [first, second]

    def _sgd(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return value - self.learning_rate * gradient, []


@compiled
def regularised_update(
    optimizer: Optimizer,
    value: tf.Tensor,
    slots: Sequence[tf.Tensor],
    gradient: tf.Tensor,
    decay: tf.Tensor,
    vector: tf.Tensor,
    trained: tf.Tensor,
    step: tf.Tensor,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Returns the new rows of a table and their new slots; compiled.

    Args:
        optimizer: The optimiser.
        value: float32[n, width].
        slots: As many as ``optimizer.start`` has, of the same shape.
        gradient: float32[n, width], that of the loss.
        decay: float32[n, 1], regularisation of each row.
        vector: float32[width], 1 for columns that are regularised, otherwise 0.
        trained: float32[width], 1 for columns that are trained, otherwise 0.
        step: float32 scalar, counts the updates from 1.
    """
    return optimizer.update(value, slots, (gradient + decay * vector * value) * trained, step)
