"""Functions as TensorFlow graphs, without AutoGraph.

``tf.function`` has AutoGraph rewrite the source of every function that it meets. That takes half of the time of a first
warm-up, in every process that trains a model. No function here needs it: no branch depends on a tensor, and ``repeat``
is the loop.
"""

from collections.abc import Callable, Sequence
from functools import partial

from .tensorflow_alone import tf

traced = partial(tf.function, autograph=False)  # noqa: TID251
"""Makes a graph of a function."""

compiled = partial(traced, jit_compile=True)
"""Makes a graph of a function, and has XLA compile it."""


def repeat(
    times: tf.Tensor, step: Callable[..., Sequence[tf.Tensor]], state: Sequence[tf.Tensor]
) -> Sequence[tf.Tensor]:
    """Takes steps one after the other, inside a graph.

    Args:
        times: int32 scalar, how many.
        step: Takes the number of the step from 0, int32 scalar, and the state; returns the next state.
        state: The first state.

    Returns:
        The last state.
    """

    def next_state(number: tf.Tensor, *state: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return number + 1, *step(number, *state)

    _, *last = tf.while_loop(lambda number, *_: number < times, next_state, (tf.constant(0), *state))
    return last
