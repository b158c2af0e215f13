"""How the vectors of users and items make a score: by their inner product, or by the cosine of their angle."""

from typing import Literal

import numpy as np

from .tensorflow_alone import tf
from .tracing import compiled

SimilarityName = Literal["inner", "cosine"]

TINY = 1e-12
"""Added to a squared length, so that a vector of zeros has a direction: none."""


class Similarity:
    """The map from trained vectors to those whose inner product is the score, and the way of a gradient back.

    For ``inner`` the map changes nothing. For ``cosine`` it scales each vector to the length ``temperature`` ** -0.5:
    the inner product is then the cosine of the angle, divided by the temperature. Biases pass unchanged.

    Args:
        name: inner or cosine.
        temperature: What a cosine is divided by.
        vector: float32[width], 1 for the columns of the vector, 0 for those of biases.
    """

    def __init__(self, name: SimilarityName, temperature: float, vector: tf.Tensor) -> None:
        self._cosine = name == "cosine"
        self._scale = temperature**-0.5
        self._vector = vector

    def apply(self, trained: tf.Tensor) -> tf.Tensor:
        """Returns the vectors that score, float32[n, width], of ``trained``, float32[n, width]."""
        return _scaled(trained, self._vector, self._scale) if self._cosine else trained

    def scoring(self, trained: tf.Tensor) -> np.ndarray:
        """Returns ``apply(trained)``, float32[n, width]; NaN for a vector too long to have a direction in float32.

        If the square of the length overflows, ``apply`` gives zeros: the vector would never learn, and score nothing.
        """
        scoring: np.ndarray = self.apply(trained).numpy()
        if not self._cosine:
            return scoring
        squares = tf.reduce_sum(tf.square(self._vector * trained), 1).numpy()
        return np.where(np.isfinite(squares)[:, None], scoring, np.float32(np.nan))

    def gradient(self, trained: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        """Returns the gradient by ``trained``, from that by ``apply(trained)``; all are float32[n, width]."""
        return _gradient_of_scaled(trained, gradient, self._vector, self._scale) if self._cosine else gradient


@compiled(reduce_retracing=True)
def _scaled(trained: tf.Tensor, vector: tf.Tensor, scale: float) -> tf.Tensor:
    direction, _ = _direction(trained, vector)
    return scale * direction + (1 - vector) * trained


@compiled(reduce_retracing=True)
def _gradient_of_scaled(trained: tf.Tensor, gradient: tf.Tensor, vector: tf.Tensor, scale: float) -> tf.Tensor:
    direction, shrink = _direction(trained, vector)
    along = tf.reduce_sum(gradient * direction, 1, keepdims=True)
    across = vector * gradient - along * direction
    return scale * shrink * across + (1 - vector) * gradient


def _direction(trained: tf.Tensor, vector: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns unit vectors float32[n, width], 0 at biases, and one over the lengths float32[n, 1]."""
    vectors = vector * trained
    shrink = tf.math.rsqrt(tf.reduce_sum(vectors * vectors, 1, keepdims=True) + TINY)
    return shrink * vectors, shrink
