"""Exponents of negatives and of users' weights so large that most items and users have a weight of 0."""

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.registry.models import find_model
from recbench.trials.clock import TimedContext
from recbench_models import bpr
from recbench_models.learnable_rows import require_pairs

MODELS = ["bpr", "mf", "lightgcn", "ncf"]


def rows(*items_of_users, n_items=6):
    users = np.repeat(np.arange(len(items_of_users), dtype=np.int32), [len(items) for items in items_of_users])
    items = np.array([item for items in items_of_users for item in items], dtype=np.int32)
    return TrainSet.from_rows(len(items_of_users), n_items, users, items)


@pytest.fixture
def train():
    """Every user has interacted with item 0, which has the most rows; all have unseen items."""
    return rows([0, 1, 2], [0, 2, 3], [0, 1], [0, 4, 5])


def fit(name, train, **parameters):
    context = TimedContext(0, 1)
    model = find_model(name).load()(epochs=1, **parameters)
    model.fit(train, context)
    return model, context.facts["skipped_pairs"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("exponent", [40.0, 400.0, 1e308])
def test_a_model_that_could_draw_no_negative_fails(train, name, exponent):
    with pytest.raises(ValueError, match="no train row can be learned from") as caught:
        fit(name, train, negative_exponent=exponent)
    assert f"negative_exponent={exponent:g} draws negatives from 1 of 6 items" in str(caught.value)
    assert str(caught.value).endswith("; use a lower negative_exponent or balance")


@pytest.mark.parametrize(
    ("name", "sparse"),
    [("bpr", 0.0), ("bpr", 2.0), ("lightgcn", None), ("ncf", None)],
    ids=["dense bpr", "pooled bpr", "lightgcn", "ncf"],
)
def test_with_a_very_large_exponent_the_most_popular_item_is_the_negative(monkeypatch, name, sparse):
    """The powers overflow, but their ratios do not."""
    if sparse is not None:
        monkeypatch.setattr(bpr, "SPARSE", sparse)
    popular = [[0, item] for item in (2, 3, 4)] * 100
    train = rows([1, 2], [1, 3], *popular, n_items=5)
    _, skipped = fit(name, train, negative_exponent=400.0)
    assert 600 <= skipped < 600 * 4 + 16, "all but the four rows of the two users who have not interacted with item 0"


@pytest.mark.parametrize("name", ["bpr", "ncf"])
def test_with_a_very_large_balance_the_users_with_the_fewest_rows_count(train, name):
    """Each weight is below the smallest float64, but their ratios are not."""
    same = {"negative_exponent": 0.0, "regularization": 0.0}
    everyone = np.arange(4, dtype=np.int32)
    before = fit(name, train, learning_rate=1e-30, balance=1000.0, **same)[0].score_all(everyone)
    first, second = (
        fit(name, train, learning_rate=0.1, balance=balance, **same)[0].score_all(everyone)
        for balance in (1000.0, 1e308)
    )
    assert np.abs(first - before).max() > 1e-3
    assert np.array_equal(first, second)


def test_the_users_whose_rows_count_are_those_who_need_a_negative():
    """Item 0 has all the weight. Users 2 and 3 have not interacted with it, but have more rows than those who have."""
    train = rows([0], [0], [1, 2], [2, 3], [0], [0], n_items=4)
    require_pairs(train, 400.0)
    require_pairs(train, 0.0, 400.0)
    with pytest.raises(ValueError, match=r"balance=400 gives a weight to the rows of 4 of 6 users"):
        require_pairs(train, 400.0, 400.0)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 400.0])
@pytest.mark.parametrize("balance", [0.0, 1000.0])
def test_data_without_any_negative_are_no_fault_of_the_hyperparameters(exponent, balance):
    require_pairs(rows(range(6), range(6)), exponent, balance)
    require_pairs(rows([], []), exponent, balance)
    require_pairs(rows(range(6), []), exponent, balance)


def test_an_item_without_rows_can_be_drawn():
    require_pairs(rows([0, 1], [0, 2], n_items=4), 400.0)


@pytest.mark.parametrize("name", [*MODELS, "als", "itemknn", "rp3beta"])
@pytest.mark.parametrize("first", ["warm_up", "fit"])
def test_a_train_set_without_rows_is_refused(name, first):
    model = find_model(name).load()()
    if not hasattr(model, first):
        pytest.skip(f"{name} has no {first}")
    with pytest.raises(ValueError, match="has no rows, so there is nothing to learn from"):
        getattr(model, first)(rows([], []), TimedContext(0, 1))
