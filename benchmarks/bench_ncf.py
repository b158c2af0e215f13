"""ncf against what one would write first: the same network by ``keras.Model.fit``, batches of 256 fed from numpy."""

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext

FACTORS = [8, 16, 32]
"""Eight are the paper's first choice, 32 are the default here."""

NEGATIVES = 4
ROWS = 20_000
"""Of the train rows, for Keras: an epoch of all of them would take long and tell the same."""


@pytest.mark.parametrize("factors", FACTORS)
def bench_ncf(benchmark, task, threads, factors):
    from recbench_models.ncf import NeuMF

    train, context = task.train_set(), TimedContext(0, threads)

    def warm():
        model = NeuMF(factors=factors, mlp_factors=factors, negatives=NEGATIVES, epochs=1)
        model.warm_up(train, context)
        return (model,), {}

    benchmark.pedantic(lambda model: model.fit(train, context), setup=warm, rounds=3)
    benchmark.extra_info["interactions_per_second"] = len(train) / benchmark.stats.stats.median


@pytest.mark.parametrize("factors", FACTORS)
def bench_keras_fit(benchmark, task, factors):
    train = task.train_set()
    model = network(train, factors)
    rng = np.random.default_rng(0)

    def epoch():
        rows = rng.permutation(len(train))[:ROWS]
        users = np.repeat(train.users[rows], 1 + NEGATIVES)
        items = np.repeat(train.items[rows], 1 + NEGATIVES).reshape(-1, 1 + NEGATIVES)
        # Negatives without a look at what was seen: to the advantage of Keras.
        items[:, 1:] = rng.integers(0, train.n_items, (len(rows), NEGATIVES))
        labels = np.zeros(items.shape, dtype=np.float32)
        labels[:, 0] = 1
        model.fit([users, items.ravel()], labels.ravel(), batch_size=256, verbose=0)

    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    benchmark.extra_info["interactions_per_second"] = min(ROWS, len(train)) / benchmark.stats.stats.median


def network(train: TrainSet, factors: int):
    """The network of the NCF paper with its settings."""
    import keras
    from keras import layers

    def vectors(n, width, index):
        initial = keras.initializers.RandomNormal(stddev=0.01)
        return layers.Embedding(n, width, embeddings_initializer=initial)(index)

    user, item = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    gmf = layers.Multiply()([vectors(train.n_users, factors, user), vectors(train.n_items, factors, item)])
    hidden = layers.Concatenate()(
        [vectors(train.n_users, 4 * factors, user), vectors(train.n_items, 4 * factors, item)]
    )
    for units in (4 * factors, 2 * factors, factors):
        hidden = layers.Dense(units, activation="relu")(hidden)
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([gmf, hidden]))
    model = keras.Model([user, item], output)
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    return model
