import numpy as np
import tensorflow as tf

from recbench_models.row_sums import row_sums, rows_of


def test_rows_with_the_same_place_are_summed():
    values = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], dtype=np.float32)
    places = np.array([[2, 0], [2, 3]], dtype=np.int32)
    assert row_sums(values, places, 5).numpy().tolist() == [[3, 4], [0, 0], [6, 8], [7, 8], [0, 0]]


def test_rows_of_a_table_have_the_gradient_of_gather():
    table = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
    places, weights = tf.constant([[3, 1], [3, 3]]), np.random.default_rng(0).random((2, 2, 3), dtype=np.float32)
    found = {}
    for lookup in (rows_of, tf.gather):
        with tf.GradientTape() as tape:
            rows = lookup(table, places)
            total = tf.reduce_sum(rows**2 * weights)
        found[lookup] = rows.numpy(), tf.convert_to_tensor(tape.gradient(total, table)).numpy()
    for own, known in zip(found[rows_of], found[tf.gather], strict=True):
        np.testing.assert_array_equal(own, known)
    assert not found[rows_of][1][0].any()
    assert found[rows_of][1][3].all()
