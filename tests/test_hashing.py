import numpy as np
import tensorflow as tf
from scipy import stats

from recbench_models.hashing import below, random_bits


def bits(n, *seed):
    return random_bits(tf.constant([n]), tf.constant(seed)).numpy()


def test_the_same_seed_gives_the_same_bits_whatever_else_is_drawn():
    assert np.array_equal(bits(100, 1, 2), bits(100, 1, 2))
    assert np.array_equal(bits(50, 1, 2), bits(100, 1, 2)[:50])


def test_every_word_of_the_seed_counts():
    first = bits(1000, 1, 2, 3)
    for other in ((1, 2, 4), (1, 3, 3), (2, 2, 3), (-1, 2, 3), (3, 2, 1)):
        assert (first == bits(1000, *other)).mean() < 0.01


def test_bits_of_neighbouring_seeds_and_places_are_uniform_and_unrelated():
    drawn = np.stack([bits(4096, 0, epoch, 7) for epoch in range(64)])
    for part in (drawn >> 24, drawn & 255, drawn ^ np.roll(drawn, 1, axis=0), drawn ^ np.roll(drawn, 1, axis=1)):
        counts = np.bincount((part.ravel() & 255).astype(np.int64), minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-4
    uniform = drawn / 2**32
    for axis in (0, 1):
        correlation = np.corrcoef(uniform.ravel(), np.roll(uniform, 1, axis=axis).ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(drawn.size)


def test_numbers_below_a_bound():
    drawn = below(tf.constant(bits(60_000, 5, 6)), tf.constant(6)).numpy()
    assert stats.chisquare(np.bincount(drawn, minlength=6)).pvalue > 1e-4
    extremes = tf.constant([0, 2**32 - 1], tf.uint32)
    assert below(extremes, tf.constant(2**31 - 1)).numpy().tolist() == [0, 2**31 - 2]
    assert below(extremes, tf.constant(0)).numpy().tolist() == [0, 0]
