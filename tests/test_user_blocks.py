import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.protocol import TrainSet
from recbench_models.user_blocks import UserBlocks, weights_of_rows


@st.composite
def train_sets(draw):
    n_users, n_items = draw(st.integers(1, 30)), draw(st.integers(1, 12))
    share = draw(st.floats(0, 1))
    mask = np.random.default_rng(draw(st.integers(0, 99))).random((n_users, n_items)) < share
    users, items = np.nonzero(mask)
    return TrainSet.from_rows(n_users, n_items, users.astype(np.int32), items.astype(np.int32))


@given(train_sets(), st.integers(1, 200), st.integers(0, 5))
def test_every_user_has_a_place_and_every_row_is_there_once(train, batch_size, seed):
    blocks = UserBlocks.deal(train, batch_size, seed)
    assert len(set(blocks.place.tolist())) == train.n_users
    assert blocks.place.max() < blocks.n_blocks * blocks.size
    user_at = dict(zip(blocks.place.tolist(), range(train.n_users), strict=True))
    pairs = sorted((user_at[place], item) for place, item in zip(blocks.users, blocks.indices, strict=True))
    assert pairs == sorted(zip(train.users.tolist(), train.items.tolist(), strict=True))
    assert blocks.rows.sum() == len(train)
    assert blocks.rows.max() <= blocks.capacity
    padded = blocks.padded(blocks.indices + 1)
    assert padded.shape == (blocks.n_blocks, blocks.capacity)
    assert np.array_equal(padded[padded > 0], blocks.indices + 1)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40), st.floats(0, 1e308))
def test_rows_weigh_one_in_the_mean_whatever_the_balance(degrees, balance):
    degrees = np.array(degrees)
    weights = weights_of_rows(degrees, balance)
    assert weights @ degrees == pytest.approx(degrees.sum(), rel=1e-4)
    assert (weights[degrees == 0] == 0).all()
    if degrees.any():
        fewest = degrees[degrees > 0].min()
        assert (weights[degrees == fewest] == weights.max()).all()
    if balance < 100:
        powers = np.where(degrees > 0, np.maximum(degrees, 1.0) ** -balance, 0.0)
        factor = degrees.sum() / (powers @ degrees) if degrees.any() else 1.0
        assert np.array_equal(weights, (powers * factor).astype(np.float32))


def test_blocks_are_nearly_equal():
    rng = np.random.default_rng(0)
    degrees = np.minimum((rng.pareto(1.0, 1000) * 10).astype(int) + 1, 300)
    users = np.repeat(np.arange(1000, dtype=np.int32), degrees)
    items = np.concatenate([np.arange(degree) for degree in degrees]).astype(np.int32)
    blocks = UserBlocks.deal(TrainSet.from_rows(1000, 300, users, items), 2000, 0)
    assert blocks.n_blocks == round(len(users) / 2000)
    assert blocks.rows.max() / blocks.rows.mean() < 1.05


def test_a_batch_larger_than_the_data_is_one_block():
    users = np.arange(5, dtype=np.int32)
    blocks = UserBlocks.deal(TrainSet.from_rows(5, 2, users, users % 2), 10**9, 0)
    assert (blocks.n_blocks, blocks.size, blocks.capacity) == (1, 5, 5)
