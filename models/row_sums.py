"""Sums of rows with the same index, and rows of a table whose gradient is such sums."""

from .tensorflow_alone import tf
from .tracing import compiled


@compiled
def row_sums(values: tf.Tensor, places: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the sums of the rows with the same place; compiled, several times as fast as TensorFlow's operation.

    Args:
        values: float32[..., width], or another floating-point type.
        places: int32[...], in any order.
        size: Number of sums.

    Returns:
        float32[size, width].
    """
    flat = tf.cast(tf.reshape(values, [-1, values.shape[-1]]), tf.float32)
    return tf.math.unsorted_segment_sum(flat, tf.reshape(places, [-1]), size)


def rows_of(table: tf.Tensor | tf.Variable, places: tf.Tensor) -> tf.Tensor:
    """Returns rows of a table as ``tf.gather`` does, with a dense gradient by ``row_sums``.

    Args:
        table: float32[size, width], or another floating-point type. Gradients are summed in float32.
        places: int32[...].
    """

    @tf.custom_gradient
    def rows(table: tf.Tensor) -> tf.Tensor:
        return tf.gather(table, places), lambda upstream: tf.cast(
            row_sums(upstream, places, table.shape[0]), table.dtype
        )

    return rows(tf.convert_to_tensor(table))
