"""The update of a factor matrix: our fused one against that of Keras, the measurement that justifies the former."""

import pytest

SHAPE = (3_706, 65)


@pytest.mark.parametrize("name", ["adagrad", "adam", "sgd"])
@pytest.mark.parametrize("whose", ["own", "keras"])
def bench_update(benchmark, whose, name):
    import keras
    import tensorflow as tf

    from recbench_models.optimizers import Optimizer

    gradient, value = tf.random.normal(SHAPE), tf.Variable(tf.random.normal(SHAPE))
    if whose == "keras":
        optimizer = keras.optimizers.get(name)
        optimizer.build([value])

        @tf.function
        def steps():
            for _ in tf.range(100):
                optimizer.apply([gradient], [value])
    else:
        own = Optimizer(name, 0.001)
        slots = [tf.Variable(tf.fill(SHAPE, start)) for start in own.start]
        update = tf.function(own.update, jit_compile=True)

        @tf.function
        def steps():
            for step in tf.range(1.0, 101.0):
                new, new_slots = update(value.read_value(), [slot.read_value() for slot in slots], gradient, step)
                value.assign(new)
                for slot, new_slot in zip(slots, new_slots, strict=True):
                    slot.assign(new_slot)

    steps()
    benchmark(steps)
