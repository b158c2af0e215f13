"""Optimisers as pure functions of dense values, for fusing into a compiled step; the formulas are those of Keras."""

from collections.abc import Sequence
from typing import Literal

from .tensorflow_alone import tf

OptimizerName = Literal["adagrad", "adam", "sgd"]


class Optimizer:
    """One of ``adagrad``, ``adam``, ``sgd``.

    Args:
        name: Which.
        learning_rate: Its learning rate.

    Attributes:
        start: What each of the slots (accumulators of a value's shape) begins with.
    """

    def __init__(self, name: OptimizerName, learning_rate: float) -> None:
        self._update = {"adagrad": self._adagrad, "adam": self._adam, "sgd": self._sgd}[name]
        self.start = {"adagrad": (0.1,), "adam": (0.0, 0.0), "sgd": ()}[name]
        self._learning_rate = learning_rate

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
        return self._update(value, slots, gradient, step)

    def _adagrad(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        squares = slots[0] + gradient * gradient
        return value - self._learning_rate * gradient * tf.math.rsqrt(squares + 1e-7), [squares]

    def _adam(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        first = 0.9 * slots[0] + 0.1 * gradient
        second = 0.999 * slots[1] + 0.001 * gradient * gradient
        rate = self._learning_rate * tf.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        return value - rate * first / (tf.sqrt(second) + 1e-7), [first, second]

    def _sgd(
        self, value: tf.Tensor, slots: Sequence[tf.Tensor], gradient: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return value - self._learning_rate * gradient, []
