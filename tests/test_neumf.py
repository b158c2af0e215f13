"""What is particular to the model ncf."""

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
