"""What is particular to the model bpr."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models import bpr, pooled_blocks
from recbench_models.block_training import Settings
from recbench_models.bpr import BPR
from recbench_models.dense_blocks import DenseTraining
from recbench_models.devices import choose_device
from recbench_models.own_negatives import POOL_SIZE, OwnNegativesTraining, draw_slots
from recbench_models.shared_negatives import SharedNegativesTraining
from recbench_models.user_blocks import UserBlocks

CLASSIC = {"loss": "bpr", "similarity": "inner"}
"""The model of the paper."""


def with_a_user_who_has_seen_everything():
    users = np.repeat(np.arange(4, dtype=np.int32), [6, 2, 3, 1])
    items = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 0], dtype=np.int32)
    return TrainSet.from_rows(4, 6, users, items)


@pytest.mark.parametrize("sparse", [0.0, 2.0], ids=["dense", "pooled"])
def test_pairs_without_a_negative_are_skipped_and_counted(sparse, monkeypatch):
    monkeypatch.setattr(bpr, "SPARSE", sparse)
    context = TimedContext(0, 1)
    model = BPR(epochs=3, negatives=2, factors=2, **CLASSIC)
    train = with_a_user_who_has_seen_everything()
    model.fit(train, context)
    by_the_user_who_has_seen_everything = 3 * 2 * 6
    if sparse:
        assert by_the_user_who_has_seen_everything <= context.facts["skipped_pairs"] < 3 * 2 * len(train)
    else:
        assert context.facts["skipped_pairs"] == by_the_user_who_has_seen_everything
    assert np.isfinite(model._users).all()


@pytest.mark.parametrize("sparse", [0.0, 2.0], ids=["dense", "pooled"])
def test_balance_says_what_a_users_rows_count(sparse, monkeypatch):
    monkeypatch.setattr(bpr, "SPARSE", sparse)
    degrees = np.array([1, 2, 4, 8, 0])
    items = np.concatenate([np.arange(degree) for degree in degrees]).astype(np.int32)
    train = TrainSet.from_rows(5, 12, np.repeat(np.arange(5, dtype=np.int32), degrees), items)

    def vectors(**parameters):
        """Of the users, after one step that takes all rows, in which the items are what they were at first."""
        settings = {"optimizer": "sgd", "regularization": 0.5, "negative_exponent": 0, "init_std": 0.1}
        model = BPR(factors=3, epochs=1, **CLASSIC, **settings, **parameters)
        model.fit(train, TimedContext(0, 1))
        return model._users[:, :3]

    at_first = vectors(learning_rate=1e-9)
    alike = vectors(learning_rate=0.1, balance=0.0) - at_first
    assert (np.abs(alike[:4]).sum(1) > 1e-3).all()
    for balance in (0.5, 1.0):
        weights = np.append(degrees[:4] ** -balance, 0)
        weights *= degrees.sum() / (weights @ degrees)
        balanced = vectors(learning_rate=0.1, balance=balance) - at_first
        assert balanced == pytest.approx(alike * weights[:, None], abs=1e-6)


@pytest.mark.parametrize("exponent", [0.0, 0.5])
@pytest.mark.parametrize("kind", [DenseTraining, OwnNegativesTraining, SharedNegativesTraining])
def test_what_is_compiled_before_the_clock_starts_has_the_shapes_of_training(kind, exponent, board):
    train = board.train_set()
    blocks = UserBlocks.deal(train, 64, 0, parts=2)
    training = kind(Settings(2, 0.1, 0.0, 1, exponent, "bpr", "sgd", 0.1, 0.0), blocks, train.n_items)
    rows, no_rows = training.rows(train, blocks), training.no_rows(train, blocks)
    for name, real, nothing in zip(rows._fields, rows, no_rows, strict=True):
        if name in ("unseen", "cumulative"):
            # Read as a whole; of the others a block at a time.
            assert [one.shape for one in tf.nest.flatten(real)] == [one.shape for one in tf.nest.flatten(nothing)]
        elif real.shape.rank > 1 or name == "item_decay":
            assert real.shape[1:] == nothing.shape[1:]


def test_pools_and_all_items_learn_alike(synthetic_task, monkeypatch):
    quality = []
    for sparse, kind in ((0.0, DenseTraining), (2.0, OwnNegativesTraining)):
        monkeypatch.setattr(bpr, "SPARSE", sparse)
        model = BPR(epochs=20, factors=16, batch_size=2048, learning_rate=0.1, **CLASSIC)
        train = synthetic_task.train_set()
        assert isinstance(model._build(train, UserBlocks.deal(train, 2048, 0)), kind)
        model.fit(train, TimedContext(0, 1))
        quality.append(ndcg(rank_cases(model, synthetic_task.test), 10).mean())
    assert quality[0] == pytest.approx(quality[1], abs=0.03)


@pytest.mark.parametrize("kind", [OwnNegativesTraining, SharedNegativesTraining])
def test_blocks_side_by_side_start_from_the_same_vectors_and_lose_no_update(kind, board):
    """With plain SGD, both blocks together move the vectors by the sum of what each alone moves them by."""
    train = board.train_set()
    blocks = UserBlocks.deal(train, 10**6, 0, parts=2)
    assert blocks.n_blocks == 2
    settings = Settings(4, 0.5, 0.0, 2, 0.0, "softmax", "sgd", 0.5, 0.0, shared_negatives=16)

    def moves(parts, chosen):
        training = kind(settings, replace(blocks, parts=parts), train.n_items)
        training.initialise(3)
        start = [training.users.numpy(), training.items.numpy()[:-1]]
        rows = training.rows(train, blocks)
        training._train_blocks(rows, [tf.constant(one) for one in chosen], tf.constant([3, 1]), tf.constant(1.0), ())
        return [after - before for after, before in zip([training.users, training.items[:-1]], start, strict=True)]

    for together, first, second in zip(moves(2, [1, 0]), moves(1, [0]), moves(1, [1]), strict=True):
        np.testing.assert_allclose(together, first + second, atol=1e-6)
    moved = [np.abs(items).sum(1) > 0 for _, items in (moves(1, [0]), moves(1, [1]))]
    assert (moved[0] & moved[1]).any(), "some items are moved by both blocks"


@pytest.mark.parametrize("kind", [OwnNegativesTraining, SharedNegativesTraining])
def test_what_is_drawn_ahead_is_what_each_step_would_draw(kind, board, monkeypatch):
    train = board.train_set()
    blocks = UserBlocks.deal(train, len(train) // 3, 0, parts=2)
    assert blocks.n_blocks >= 6
    settings = Settings(4, 0.5, 0.1, 2, 0.0, "softmax", "adagrad", 0.5, 0.0, shared_negatives=16)

    def trained():
        training = kind(settings, blocks, train.n_items)
        training.initialise(3)
        for epoch in (1, 2):
            training.epoch(training.rows(train, blocks), tf.constant([3, epoch]))
        return training.users.numpy(), training.items.numpy()[:-1]

    ahead = trained()
    monkeypatch.setattr(kind, "_look_ahead", lambda *_: ())
    for one, other in zip(ahead, trained(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_few_blocks_are_computed_side_by_side_where_there_are_few():
    users, items = np.divmod(np.arange(320 * 10, dtype=np.int32), 10)
    train = TrainSet.from_rows(320, 10, users, items)
    expected = {(100, 1): 1, (100, 2): 2, (100, 8): 2, (150, 2): 1, (10, 8): 8, (10**6, 4): 1}
    for (batch_size, threads), parts in expected.items():
        blocks = SharedNegativesTraining.deal(train, batch_size, 0, threads)
        assert blocks.parts == parts
        assert blocks.n_blocks == pytest.approx(max(len(train) / batch_size, 1), abs=parts)
        assert blocks.n_blocks % parts == 0
    # Few users, and so few blocks, however many rows.
    for n_users, parts in ((1, 1), (31, 1), (32, 2)):
        users, items = np.divmod(np.arange(n_users * 300, dtype=np.int32), 300)
        few = TrainSet.from_rows(n_users, 300, users, items)
        assert SharedNegativesTraining.deal(few, 10, 0, 8).parts == parts


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_negatives_from_pools_are_drawn_from_all_unseen_items_in_proportion(exponent):
    """Over many blocks, whatever the pool and what the user has seen of it."""
    n_items = 700
    counts = np.arange(n_items) % 4 + 1
    others = np.repeat(np.arange(1, 5), n_items)[np.tile(counts, 4) >= np.repeat(np.arange(1, 5), n_items)]
    items_of_others = np.concatenate([np.flatnonzero(counts >= user) for user in range(1, 5)])
    seen = np.arange(0, n_items, 7)
    users = np.concatenate([np.zeros(len(seen)), others]).astype(np.int32)
    items = np.concatenate([seen, items_of_others]).astype(np.int32)
    train = TrainSet.from_rows(5, n_items, users, items)
    blocks = UserBlocks.deal(train, 10**6, 0)
    training = OwnNegativesTraining(Settings(2, 0.1, 0.0, 8, exponent, "bpr", "sgd", 0.1, 0.0), blocks, n_items)
    rows = training.rows(train, blocks)
    own = blocks.padded((blocks.users == blocks.place[0]).astype(np.int32))[0] > 0
    drawn = np.zeros(n_items)

    # Compiled: 300 draws, one operation after the other, take several seconds.
    @tf.function
    def draw(step):
        met = training.meet(rows, tf.constant(0), tf.stack([0, step]))
        return met.items[-POOL_SIZE:], *draw_slots(8, POOL_SIZE, rows.users[0], met.places, met.key)

    for step in tf.range(300):
        pool, slots, found = draw(step)
        chosen = pool.numpy()[slots.numpy()[:, own][found.numpy()[:, own]]]
        # One negative a step and user: those of one pool are not independent.
        drawn[chosen[0]] += 1
    assert drawn[seen].sum() == 0
    unseen = np.setdiff1d(np.arange(n_items), seen)
    weights = np.bincount(items, minlength=n_items)[unseen] ** exponent
    groups = np.arange(len(unseen)) * 10 // len(unseen)
    by_popularity = np.bincount(items, minlength=n_items)[unseen]
    for labels in (groups, by_popularity):
        found = np.bincount(labels, weights=drawn[unseen])
        expected = np.bincount(labels, weights=weights) / weights.sum() * drawn.sum()
        assert stats.chisquare(found[expected > 0], expected[expected > 0]).pvalue > 1e-4


@pytest.mark.parametrize("similarity", ["inner", "cosine"])
def test_an_update_with_shared_negatives_follows_the_gradient_of_the_softmax(similarity):
    """One step of SGD on one block of all users, against TensorFlow's own gradient."""
    rate, decay, temperature, n_items, factors, n_negatives = 0.1, 0.05, 0.5, 8, 3, 40
    train = with_a_user_who_has_seen_everything()
    train = TrainSet.from_rows(4, n_items, train.users.copy(), train.items.copy())
    blocks = UserBlocks.deal(train, 10**6, 0)
    settings = Settings(
        factors,
        rate,
        decay,
        1,
        0.0,
        "softmax",
        "sgd",
        0.5,
        0.0,
        similarity=similarity,
        temperature=temperature,
        shared_negatives=n_negatives,
    )
    training = SharedNegativesTraining(settings, blocks, n_items)
    training.initialise(7)
    rows = training.rows(train, blocks)
    seed = tf.constant([7, 1])
    bits = pooled_blocks.random_bits(tf.constant([n_negatives]), tf.constant([7, 1, 0, 0]))
    pool = pooled_blocks.below(bits, tf.constant(n_items)).numpy()
    assert len(set(pool.tolist())) == n_items, "every item is drawn, some repeatedly"
    start_users, start_items = training.users.numpy(), training.items.numpy()[:n_items]
    p, q = tf.Variable(start_users[:, :factors]), tf.Variable(start_items[:, :factors])
    bias = tf.Variable(tf.zeros(n_items))
    at = blocks.place[train.users]
    unseen = np.ones((4, n_items), dtype=bool)
    unseen[at, train.items] = False
    with tf.GradientTape() as tape:
        if similarity == "cosine":
            directions = [tf.math.l2_normalize(one, 1, epsilon=0.0) for one in (p, q)]
            scores = tf.matmul(*directions, transpose_b=True) / temperature + bias
        else:
            scores = tf.matmul(p, q, transpose_b=True) + bias
        own = tf.gather_nd(scores, np.stack([at, train.items], 1))
        others = tf.reduce_sum(tf.where(unseen[:, pool], tf.exp(tf.gather(scores, pool, axis=1)), 0.0), 1)
        loss = tf.reduce_sum(tf.math.log(tf.exp(own) + tf.gather(others, at)) - own)
        as_negative = len(train) / n_negatives * np.bincount(pool, minlength=n_items)
        costs = [np.bincount(at, minlength=4), np.bincount(train.items, minlength=n_items) + as_negative]
        squares = [
            tf.reduce_sum(cost[:, None].astype(np.float32) * one**2) for cost, one in zip(costs, (p, q), strict=True)
        ]
        gradients = tape.gradient(loss + decay / 2 * tf.add_n(squares), [p, q, bias])
    expected = [start - rate * gradient for start, gradient in zip([p, q, bias], gradients, strict=True)]
    mean_loss, skipped = training.epoch(rows, seed)
    assert float(mean_loss) == pytest.approx(float(loss) / len(train), rel=1e-5)
    assert int(skipped) == 0
    for found, right in zip(
        [training.users[:, :factors], training.items[:n_items, :factors], training.items[:n_items, factors]],
        expected,
        strict=True,
    ):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)
    of_users, of_items = training.scoring_vectors(blocks.place)
    if similarity == "cosine":
        cosines = of_users[:, :factors] @ of_items[:, :factors].T * temperature
        assert np.abs(cosines).max() <= 1 + 1e-5
        np.testing.assert_allclose(np.linalg.norm(of_items[:, :factors], axis=1), temperature**-0.5, rtol=1e-5)


def test_a_user_who_has_seen_everything_takes_no_part_in_shared_negatives():
    context = TimedContext(0, 1)
    model = BPR(epochs=3, factors=2, loss="sampled_softmax", shared_negatives=64)
    model.fit(with_a_user_who_has_seen_everything(), context)
    assert context.facts["skipped_pairs"] == 3 * 6
    assert np.isfinite(model._users).all()


def test_a_loss_that_is_not_finite_ends_the_training(board):
    with pytest.raises(FloatingPointError, match="epoch 1 "):
        BPR(epochs=5, factors=4, learning_rate=1e30, optimizer="sgd", batch_size=64).fit(
            board.train_set(), TimedContext(0, 1)
        )


def test_the_device():
    assert choose_device("auto", []) == "/CPU:0"
    assert choose_device("cpu", ["/device:GPU:0"]) == "/CPU:0"
    assert choose_device("auto", ["/device:GPU:0", "/device:GPU:1"]) == "/device:GPU:0"
    with pytest.raises(ValueError, match="GPU"):
        choose_device("gpu", [])
