"""Random bits by hashing a counter: the same on every device, and several times as fast as TensorFlow's Philox here."""

from .tensorflow_alone import tf


def hash_bits(values: tf.Tensor) -> tf.Tensor:
    """Scrambles uint32 values, one to one, so that neighbours have nothing in common.

    Source: the function [16 21f0aaad 15 735a2d97 15] of hash-prospector (C. Wellons and contributors).
    """
    for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
        values = tf.bitwise.bitwise_xor(values, tf.bitwise.right_shift(values, tf.constant(shift, tf.uint32)))
        values *= tf.constant(factor, tf.uint32)
    return tf.bitwise.bitwise_xor(values, tf.bitwise.right_shift(values, tf.constant(15, tf.uint32)))


def random_bits(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Returns random uint32 of ``shape`` (int32 vector), the same for the same ``seed`` (int32 vector)."""
    key = tf.constant(0, tf.uint32)
    for word in tf.unstack(tf.bitcast(seed, tf.uint32)):
        key = hash_bits(key * tf.constant(0x9E3779B1, tf.uint32) + word + tf.constant(1, tf.uint32))
    counter = tf.cast(tf.range(tf.reduce_prod(shape)), tf.uint32)
    # Hashed twice with the key in between: two keys give two sequences, not the same one at another place.
    return tf.reshape(hash_bits(hash_bits(counter) + key), shape)


def below(bits: tf.Tensor, bound: tf.Tensor) -> tf.Tensor:
    """Maps random uint32 ``bits`` to whole numbers int32 in [0, ``bound``); uniform up to bound * 2**-32.

    Args:
        bits: uint32 of any shape.
        bound: int32 >= 0, of a shape that broadcasts; 0 gives 0.
    """
    product = tf.cast(bits, tf.uint64) * tf.cast(bound, tf.uint64)
    return tf.cast(tf.bitwise.right_shift(product, tf.constant(32, tf.uint64)), tf.int32)
