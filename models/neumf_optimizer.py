"""What an optimiser knows of the steps of each of NeuMF's weights."""

from collections.abc import Sequence

from .optimizers import Optimizer
from .tensorflow_alone import tf


class NeuMFOptimizer(tf.Module):
    """An optimiser with the slots of all weights. A part of the network may take steps without the others.

    Args:
        optimizer: The optimiser.
        weights: The weights.
    """

    def __init__(self, optimizer: Optimizer, weights: Sequence[tf.Variable]) -> None:
        super().__init__()
        self._optimizer = optimizer
        self._places = {id(weight): place for place, weight in enumerate(weights)}
        self._slots = [[tf.Variable(tf.fill(weight.shape, first)) for first in optimizer.start] for weight in weights]
        self._steps = [tf.Variable(0.0) for _ in weights]

    def take_step(self, weights: Sequence[tf.Variable], gradients: Sequence[tf.Tensor]) -> None:
        """Updates weights, each with the gradient of its shape."""
        for weight, gradient in zip(weights, gradients, strict=True):
            place = self._places[id(weight)]
            slots, step = self._slots[place], self._steps[place].assign_add(1.0)
            before = [slot.read_value() for slot in slots]
            value, after = self._optimizer.update(weight.read_value(), before, gradient, step)
            weight.assign(value)
            for slot, new in zip(slots, after, strict=True):
                slot.assign(new)
