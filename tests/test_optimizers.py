from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from recbench_models.optimizers import Optimizer, OptimizerName


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_each_steps_as_the_one_of_keras_does(name):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3)).astype(np.float32)
    theirs = tf.Variable(start)
    reference = keras.optimizers.get(name)
    reference.learning_rate = 0.05
    own = Optimizer(name, 0.05)
    value, slots = tf.constant(start), [tf.fill(start.shape, first) for first in own.start]
    for step in range(1, 6):
        gradient = tf.constant(rng.normal(size=start.shape).astype(np.float32))
        reference.apply([gradient], [theirs])
        value, slots = own.update(value, slots, gradient, tf.constant(float(step)))
        np.testing.assert_allclose(value, theirs, rtol=1e-4, atol=1e-6)
