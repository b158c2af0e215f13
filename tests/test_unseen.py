import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recbench.protocol import TrainSet
from recbench_models import unseen as module
from recbench_models.hashing import random_bits
from recbench_models.pairs import Pairs
from recbench_models.unseen import popularity_weights, unseen_items


def train_set(n_users, n_items, share, seed=0):
    mask = np.random.default_rng(seed).random((n_users, n_items)) < share
    mask[:, 0] = True
    users, items = np.nonzero(mask)
    return TrainSet.from_rows(n_users, n_items, users.astype(np.int32), items.astype(np.int32)), mask


def draw(train, users, each, key, weights=None):
    """int32[each, n]"""
    unseen = unseen_items(train.indptr, train.indices, weights, train.n_items)
    bits = random_bits(tf.constant([each, len(users)]), tf.constant(key))
    return unseen.draw(tf.constant(users.astype(np.int32)), bits).numpy()


@pytest.fixture(params=["table", "search"])
def lookup(request, monkeypatch):
    if request.param == "search":
        monkeypatch.setattr(module, "TABLE_LIMIT", 0)
    return request.param


@pytest.mark.parametrize("each", [1, 3])
def test_draws_are_unseen(lookup, each):
    train, mask = train_set(30, 50, 0.6)
    drawn = draw(train, train.users, each, [1, 2])
    assert drawn.shape == (each, len(train))
    assert not mask[train.users, drawn].any()


def test_draws_are_uniform(lookup):
    train, mask = train_set(1, 12, 0.4)
    counts = np.bincount(draw(train, np.zeros(20_000), 1, [3, 4])[0], minlength=12)
    assert counts[mask[0]].sum() == 0
    assert stats.chisquare(counts[~mask[0]]).pvalue > 1e-4


def test_weighted_draws_are_in_proportion_to_the_weights():
    train, mask = train_set(2, 12, 0.4)
    weights = np.arange(12) * 10
    drawn = draw(train, np.repeat([0, 1], 20_000), 1, [3, 4], weights)[0].reshape(2, -1)
    for user in range(2):
        counts = np.bincount(drawn[user], minlength=12)
        expected = np.where(mask[user], 0, weights)
        assert (counts[expected == 0] == 0).all()
        possible = expected > 0
        shares = expected[possible] / expected.sum()
        assert stats.chisquare(counts[possible], shares * 20_000).pvalue > 1e-4


def test_weights_follow_popularity():
    items = np.repeat([0, 1, 3], [1, 4, 16])
    weights = popularity_weights(items, 4, 0.5)
    np.testing.assert_allclose(weights[[1, 2, 3]] / weights[0], [2, 1, 4], rtol=1e-6)
    assert popularity_weights(items, 4, 0.0) is None
    assert popularity_weights(items[:0], 4, 0.5).tolist() == [2**28] * 4


@given(st.integers(1, 200), st.integers(0, 200), st.floats(0.01, 4), st.integers(0, 2**31))
def test_items_without_rows_are_drawn_too_and_change_no_other_ratio(n_known, n_new, exponent, seed):
    counts = np.random.default_rng(seed).geometric(0.02, n_known)
    items = np.repeat(np.arange(n_known), counts)
    weights = popularity_weights(items, n_known + n_new, exponent)
    assert weights.sum() < 2**31
    powers = counts**exponent
    known = popularity_weights(items, n_known, exponent)
    assert np.array_equal(known, np.rint(powers * (2**30 / powers.sum())))
    # Whole numbers are off by up to a half.
    np.testing.assert_allclose(weights[:n_known] * known.sum(), known * weights[:n_known].sum(), atol=2**31)
    if n_new:
        new = weights[n_known:]
        assert (new == new[0]).all()
        assert new[0] >= weights[:n_known].sum() // len(items) - 1
        if exponent <= 1:
            rarest = counts.argmin()
            assert new[0] <= weights[rarest] + 1


@given(st.integers(1, 100), st.integers(0, 50), st.floats(4, 1e308), st.integers(0, 2**31))
def test_weights_of_any_exponent_are_those_of_the_ratios_of_counts(n_known, n_new, exponent, seed):
    counts = np.random.default_rng(seed).geometric(0.02, n_known)
    weights = popularity_weights(np.repeat(np.arange(n_known), counts), n_known + n_new, exponent)
    with np.errstate(over="ignore"):
        powers = np.exp(exponent * np.log(counts / counts.max()))
        one_row = np.exp(-exponent * np.log(counts.max()))
    powers = np.append(powers, [max(one_row, powers.sum() / counts.sum())] * n_new)
    np.testing.assert_allclose(weights, 2**30 * powers / powers.sum(), rtol=1e-9, atol=0.6)


def test_powers_that_overflow_keep_their_ratios():
    items = np.repeat([0, 1, 2, 3], [998, 999, 1000, 1])
    weights = popularity_weights(items, 5, 400.0)
    ratios = np.array([0.998**400, 0.999**400, 1, 0, sum(x**400 for x in (0.998, 0.999, 1)) / 2998])
    np.testing.assert_allclose(weights, 2**30 * ratios / ratios.sum(), atol=1)


def test_weighted_draws_pass_over_users_and_items_at_the_ends():
    """Seen first and last items, unseen items of weight 0, a user without rows, a user who has seen all of weight."""
    train = TrainSet.from_rows(
        3, 6, np.array([0, 0, 0, 2, 2, 2], dtype=np.int32), np.array([0, 1, 5, 0, 2, 5], dtype=np.int32)
    )
    weights = np.array([5, 0, 7, 0, 0, 3])
    drawn = draw(train, np.repeat([0, 1, 2], 500), 1, [7, 8], weights)[0].reshape(3, -1)
    assert set(drawn[0]) == {2}
    assert set(drawn[1]) == {0, 2, 5}
    assert ((drawn[2] >= 0) & (drawn[2] < 6)).all()


@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 2**31), st.sampled_from([2, 2**12, 2**31 - 1]))
def test_each_target_finds_the_item_that_a_list_of_unseen_weights_holds_there(n_users, n_items, seed, top):
    random = np.random.default_rng(seed)
    mask = random.random((n_users, n_items)) < 0.5
    mask[0, 0] = True
    users, items = np.nonzero(mask)
    train = TrainSet.from_rows(n_users, n_items, users.astype(np.int32), items.astype(np.int32))
    weights = random.integers(0, max(top // n_items, 2), n_items)
    unseen = unseen_items(train.indptr, train.indices, weights, n_items)
    bits = random.integers(0, 2**32, (50, n_users), dtype=np.uint32)
    drawn = unseen.draw(tf.range(n_users), tf.constant(bits)).numpy()
    for user in range(n_users):
        others = np.flatnonzero(~mask[user])
        total = int(weights[others].sum())
        assert unseen.total.numpy()[user] == total
        if total:
            targets = (bits[:, user].astype(np.uint64) * np.uint64(total)) >> np.uint64(32)
            expected = others[np.searchsorted(np.cumsum(weights[others]), targets.astype(np.int64), side="right")]
            assert np.array_equal(drawn[:, user], expected)


def test_looking_up_and_searching_find_the_same_items(monkeypatch):
    train, _ = train_set(40, 30, 0.5)
    table = draw(train, train.users, 2, [5, 6])
    monkeypatch.setattr(module, "TABLE_LIMIT", 0)
    assert np.array_equal(table, draw(train, train.users, 2, [5, 6]))


def test_a_pass_holds_every_row_once_and_leaves_out_users_without_a_negative(lookup):
    train, mask = train_set(20, 15, 0.5)
    full = TrainSet.from_rows(
        21,
        15,
        np.concatenate([train.users, np.full(15, 20, dtype=np.int32)]),
        np.concatenate([train.items, np.arange(15, dtype=np.int32)]),
    )
    users, items, negatives = Pairs.of(full, 0.0).epoch(tf.constant([0, 1]), 2)
    epoch_pairs = sorted(zip(users.numpy().tolist(), items.numpy().tolist(), strict=True))
    assert epoch_pairs == sorted(zip(train.users.tolist(), train.items.tolist(), strict=True))
    assert not mask[users.numpy()[:, None], negatives.numpy()].any()
    other_order, *_ = Pairs.of(full, 0.0).epoch(tf.constant([0, 2]), 2)
    assert not np.array_equal(users, other_order)
