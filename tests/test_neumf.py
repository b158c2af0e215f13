"""What is particular to the model ncf."""

from pathlib import Path

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models.ncf import FUSED_SHARE, NeuMF
from recbench_models.neumf_network import NeuMFNetwork
from recbench_models.neumf_optimizer import NeuMFOptimizer
from recbench_models.neumf_training import NeuMFTraining
from recbench_models.optimizers import Optimizer
from recbench_models.pairs import Pairs
from recbench_models.tensorflow_alone import tf


def test_what_the_optimiser_learned_in_pretraining_is_kept_for_the_whole(synthetic_task):
    """Were it to begin anew, pre-trained vectors would be moved farther: Adagrad's first steps are its longest."""
    train = synthetic_task.train_set()

    def moved(*, anew):
        """How far the first pass of the whole moves the users' vectors of GMF."""
        model = NeuMF(factors=8, mlp_factors=4, pretraining_epochs=8, epochs=1, batch_size=512)
        network, trainings = model._build(train, seed=0)
        if anew:
            optimizer = NeuMFOptimizer(Optimizer("adagrad", 0.1), network.weights("both"))
            trainings[-1] = NeuMFTraining(network, "both", optimizer, train, trainings[-1]._settings)
        model._ready = network, trainings
        context, vectors = TimedContext(0, 1), []
        context.on_epoch = lambda epoch, loss: vectors.append(network.gmf_users.numpy())
        model.fit(train, context)
        assert len(vectors) == 8 + 8 + 1
        # The whole begins with vectors that hold GMF's share of the logits.
        return np.abs(vectors[-1] - FUSED_SHARE**0.5 * vectors[-2]).mean()

    assert moved(anew=False) < 0.8 * moved(anew=True)


def test_the_whole_begins_as_the_weighted_mean_of_its_parts():
    network = NeuMFNetwork(5, 7, factors=3, mlp_factors=2, init_std=0.5, seed=0)
    network.gmf_bias.assign(np.linspace(-1, 1, 7))
    network.mlp_bias.assign(0.3)
    users, items = np.arange(5, dtype=np.int32), np.tile(np.arange(7, dtype=np.int32), (5, 1))
    gmf, mlp = (network.scores[part](users, items).numpy() for part in ("gmf", "mlp"))
    network.fuse(0.8)
    np.testing.assert_allclose(network.scores["both"](users, items).numpy(), 0.8 * gmf + 0.2 * mlp, rtol=1e-5)
    all_items = network.scores_of_range["both"](users, network.item_shares(), 0, 7).numpy()
    np.testing.assert_allclose(all_items, 0.8 * gmf + 0.2 * mlp, rtol=1e-5)


def test_balance_says_what_a_users_rows_count():
    degrees = np.array([1, 2, 4, 8])
    items = np.concatenate([np.arange(degree) for degree in degrees]).astype(np.int32)
    train = TrainSet.from_rows(4, 12, np.repeat(np.arange(4, dtype=np.int32), degrees), items)

    def steps(balance):
        """Of the users' vectors, in one update that takes all rows."""
        model = NeuMF(
            factors=3,
            mlp_factors=2,
            epochs=1,
            optimizer="sgd",
            regularization=0.5,
            negative_exponent=0,
            balance=balance,
        )
        context = TimedContext(0, 1)
        model.warm_up(train, context)
        network = model._ready[0]
        before = [table.numpy() for table in (network.gmf_users, network.mlp_users)]
        model.fit(train, context)
        return [table.numpy() - old for table, old in zip((network.gmf_users, network.mlp_users), before, strict=True)]

    weights = degrees**-0.5 * degrees.sum() / (degrees**0.5).sum()
    for alike, balanced in zip(steps(0.0), steps(0.5), strict=True):
        assert (np.abs(alike).sum(1) > 1e-3).all()
        assert balanced == pytest.approx(alike * weights[:, None], abs=1e-6)


@pytest.mark.parametrize("pretraining_epochs", [0, 1])
def test_warming_up_runs_every_size_of_batch_and_leaves_no_trace(synthetic_task, pretraining_epochs):
    train = synthetic_task.train_set()
    sizes = {"factors": 4, "mlp_factors": 2, "batch_size": len(train) // 2 - 1}
    model = NeuMF(**sizes, pretraining_epochs=pretraining_epochs, optimizer="adam")
    network, trainings = model._build(train, seed=0)
    model.warm_up(train, TimedContext(0, 1))
    warmed, _ = model._ready
    for known, own in zip(network.variables, warmed.variables, strict=True):
        np.testing.assert_array_equal(known.numpy(), own.numpy())
    states = [optimizer.variables for optimizer in (trainings[0].optimizer, model._ready[1][0].optimizer)]
    for known, own in zip(*states, strict=True):
        np.testing.assert_array_equal(known.numpy(), own.numpy())
    pairs = Pairs.of(train, 0.5)
    assert len(pairs.one_of_each_size(len(train)).users) == len(train)
    assert len(pairs.one_of_each_size(len(train) // 2 - 1).users) == len(train) // 2 - 1 + 2 + len(train) % 2


def test_an_optimiser_counts_the_steps_of_each_weight():
    """Were the steps of one part counted for the other too, Adam would believe its moments to be well known."""
    first, second = tf.Variable([1.0]), tf.Variable([1.0])
    optimizer = NeuMFOptimizer(Optimizer("adam", 0.1), [first, second])
    for _ in range(3):
        optimizer.take_step([first], [tf.constant([2.0])])
    optimizer.take_step([second], [tf.constant([2.0])])
    # Adam's step is the learning rate, as long as all gradients are the same.
    np.testing.assert_allclose([first.numpy(), second.numpy()], [[0.7], [0.9]], rtol=1e-4)


def gradients(network, dtype):
    """The logits of 12,000 pairs, and the gradients of their loss by all weights."""
    rng = np.random.default_rng(0)
    users = rng.integers(0, network.gmf_users.shape[0], 3000, dtype=np.int32)
    items = rng.integers(0, network.gmf_items.shape[0], [3000, 4], dtype=np.int32)
    with tf.GradientTape() as tape:
        logits = network.logits("both", tf.constant(users), tf.constant(items), shared=True, dtype=dtype)
        loss = tf.reduce_sum(tf.nn.softplus(logits))
    return logits, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, network.weights("both"))]


# Few users or items have thousands of pairs each.
@pytest.mark.parametrize(("n_users", "n_items"), [(200, 8), (2, 200)])
def test_gradients_in_bfloat16_are_those_in_float32_but_for_rounding(n_users, n_items):
    """Sums in bfloat16 would come to a standstill: from 256 on, adding 1 changes nothing."""
    network = NeuMFNetwork(n_users, n_items, factors=4, mlp_factors=16, init_std=0.5, seed=0)
    (logits, exact), (rounded_logits, rounded) = (gradients(network, dtype) for dtype in (tf.float32, tf.bfloat16))
    assert logits.dtype == rounded_logits.dtype == tf.float32
    assert 0 < np.abs(logits - rounded_logits).max() < 0.02 * np.abs(logits).max()
    for one, other in zip(exact, rounded, strict=True):
        assert other.dtype == tf.float32
        assert np.linalg.norm(one - other) < 0.1 * np.linalg.norm(one)


def test_scores_are_float32_whatever_the_precision_of_training(board, monkeypatch):
    monkeypatch.setattr("recbench_models.devices.multiplies_bfloat16", lambda: True)
    model = NeuMF(epochs=20, factors=4, mlp_factors=4, batch_size=64, precision="bfloat16")
    model.fit(board.train_set(), TimedContext(0, 1))
    cases = board.test
    scores = model.score(cases.users, np.column_stack([cases.items, cases.negatives]))
    assert (scores[:, :1] > scores[:, 1:]).all(1).mean() > 0.95
    # Few of them are bfloat16, whose last 16 bits are zeros.
    assert scores.dtype == np.float32
    assert (scores.view(np.uint32) % 2**16 == 0).mean() < 0.01


@pytest.mark.parametrize(
    ("flags", "known"),
    [
        ("fpu avx512f avx512_bf16", True),
        ("fpu amx_bf16", True),
        ("fpu avx512f avx512_bf16x", False),
        (None, False),
    ],
)
def test_a_processor_without_bfloat16_is_named(board, monkeypatch, flags, known):
    text = "model name\t: Old One\n" + (f"flags\t\t: {flags}\n" if flags else "")
    monkeypatch.setattr(Path, "read_text", lambda path, **_: text if path == Path("/proc/cpuinfo") else None)
    model = NeuMF(epochs=1, factors=2, mlp_factors=2, precision="bfloat16")
    if known:
        model.fit(board.train_set(), TimedContext(0, 1))
    else:
        with pytest.raises(ValueError, match="AMX, and Old One is not known to have them: leave precision"):
            model.fit(board.train_set(), TimedContext(0, 1))
