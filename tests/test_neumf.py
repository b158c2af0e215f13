"""What is particular to the model ncf."""

import numpy as np
import pytest

from models.ncf import NeuMF
from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext


def test_pretrained_vectors_are_not_undone_by_the_first_steps_of_the_whole(synthetic_task):
    """Were the optimiser to begin anew, they would be: Adagrad's first steps are its longest.

    Such a pass moves them 2.4 times as far as the first one does, here.
    """
    model = NeuMF(factors=8, mlp_factors=4, pretraining_epochs=8, epochs=1, batch_size=512)
    train, context, vectors = synthetic_task.train_set(), TimedContext(0, 1), []
    model.warm_up(train, context)
    network = model._ready[0]
    vectors.append(network.gmf_users.numpy())
    context.on_epoch = lambda epoch, loss: vectors.append(network.gmf_users.numpy())
    model.fit(train, context)
    first, last = (np.abs(vectors[i + 1] - vectors[i]).mean() for i in (0, -2))
    assert len(vectors) == 1 + 8 + 8 + 1
    assert last < 1.7 * first


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
