"""What models do when hyper-parameters leave nothing finite, or nothing at all, to be learned."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from recbench.registry.models import find_model
from recbench.trials.clock import TimedContext
from recbench_models import ease, ridge_batches
from recbench_models.learned import finite, finite_products, not_all_zero, suspects
from recbench_models.neumf_network import NeuMFNetwork
from recbench_models.similarities import Similarity

NOT_FINITE = [
    ("als", {"regularization": 1e30}),
    ("als", {"unobserved_ratio": 1e-30}),
    ("bpr", {"learning_rate": 1e30}),
    ("bpr", {"regularization": 1e30, "optimizer": "sgd"}),
    ("gf-cf", {"alpha": 1e39}),
    ("ials", {"regularization": 1e30}),
    ("ials", {"regularization": 1e300}),
    ("ials", {"unobserved_ratio": 1e30}),
    ("ials", {"init_std": 1e30}),
    ("ials", {"regularization_exponent": 1000.0}),
    ("implicit-bpr", {"learning_rate": 1e30}),
    ("implicit-bpr", {"regularization": 1e30}),
    ("lightgcn", {"learning_rate": 1e30}),
    ("mf", {"learning_rate": 1e20}),
    ("ncf", {"learning_rate": 1e30}),
    ("slim", {"l1": 1e38}),
    ("slim", {"l2": 1e39}),
]
ONE_EPOCH = {"bpr", "implicit-bpr", "lightgcn", "mf", "ncf"}
"""In one epoch, a loss that is not finite has not yet been seen."""


def fit(name, train, **parameters):
    more = {"epochs": 1} if name in ONE_EPOCH else {}
    model = find_model(name).load()(**more, **parameters)
    model.fit(train, TimedContext(0, 1))
    return model


@pytest.mark.parametrize(("name", "parameters"), NOT_FINITE, ids=[f"{name}-{values}" for name, values in NOT_FINITE])
def test_a_fit_without_finite_scores_fails_and_names_the_hyperparameter(board, name, parameters):
    extreme, value = next(iter(parameters.items()))
    with pytest.raises(FloatingPointError) as caught:
        fit(name, board.train_set(), **parameters)
    message = str(caught.value)
    assert f"{extreme}={value:g}" in message
    assert f"too {'small' if value < 1 else 'large'}" in message
    assert message.endswith("; use values closer to the defaults")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("ease", {"l2": 1e300}), ("slim", {"l2": 1e30}), ("rp3beta", {"alpha": 5000.0})],
    ids=["ease", "slim", "rp3beta"],
)
def test_a_fit_in_which_all_weights_vanish_fails_and_names_the_hyperparameter(synthetic_task, name, parameters):
    ((extreme, value),) = parameters.items()
    wanted = re.escape(f"{extreme}={value:g}")
    with pytest.raises(ValueError, match=rf"all weights between items are 0.*{wanted}.* too large"):
        fit(name, synthetic_task.train_set(), **parameters)


def test_a_large_l1_makes_all_weights_zero_by_intent(board):
    model = fit("slim", board.train_set(), l1=1e30)
    assert not model._transposed.any()


def test_an_l2_beyond_float32_does_not_ask_for_a_larger_one(board, monkeypatch):
    monkeypatch.setattr(ease, "DOUBLE_PRECISION_ITEMS", 0)
    with pytest.raises(FloatingPointError, match=r"l2=1e\+39 may be too large; "):
        fit("ease", board.train_set(), l2=1e39)


def test_the_exact_solutions_of_ials_are_looked_at_too(board, monkeypatch):
    monkeypatch.setattr(ridge_batches, "CELLS", 1)
    with pytest.raises(FloatingPointError, match=r"regularization=1e\+300"):
        fit("ials", board.train_set(), regularization=1e300)


@pytest.mark.parametrize("name", ["als", "implicit-bpr", "ncf"])
def test_a_training_that_was_stopped_early_is_looked_at_too(board, name):
    parameters = {
        "als": {"unobserved_ratio": 1e-30},
        "implicit-bpr": {"learning_rate": 1e30},
        "ncf": {"learning_rate": 1e30, "pretraining_epochs": 1},
    }

    class Stopped(TimedContext):
        def end_epoch(self, loss=None):
            super().end_epoch(loss)
            return False

    context = Stopped(0, 1)
    with pytest.raises(FloatingPointError, match="use values closer to the defaults"):
        find_model(name).load()(epochs=9, **parameters[name]).fit(board.train_set(), context)
    assert context.epochs == 1


@pytest.mark.parametrize("name", ["bpr", "ials", "lightgcn", "mf", "ncf"])
@pytest.mark.parametrize("value", [1e-45, 1e39])
def test_initial_vectors_that_float32_cannot_hold_are_refused(name, value):
    with pytest.raises(ValueError, match=re.escape(f"between 1.2e-38 and 3.4e+38 (float32), not {value}")):
        find_model(name).load()(init_std=value)


@pytest.mark.parametrize("name", ["bpr", "lightgcn"])
@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_a_temperature_that_float32_cannot_hold_is_refused(name, value):
    with pytest.raises(ValueError, match=r"temperature must be between 1.2e-38 and 3.4e\+38 \(float32\)"):
        find_model(name).load()(similarity="cosine", temperature=value)


def test_suspects():
    assert suspects(large={"a": 1e30}) == "a=1e+30 may be too large; use values closer to the defaults"
    assert suspects(large={"a": 1, "b": 0.1, "c": 2}, small={"d": 3}).startswith(
        "a=1, b=0.1 or c=2 may be too large, or d=3 may be too small; "
    )
    assert suspects(large={"a": 1}, e=5, f=6).startswith("e=5 or f=6 may be too large or too small, or a=1 may be ")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_found(bad):
    values = np.ones((3, 4), dtype=np.float32)
    finite("they", values, cause="")
    finite("they", np.full((3, 4), np.finfo(np.float32).max), cause="")
    values[2, 1] = bad
    with pytest.raises(FloatingPointError, match="they are not finite; a=1"):
        finite("they", np.ones(2), values, cause="a=1")
    for users, items in [(values, np.zeros((2, 4), np.float32)), (np.zeros((2, 4), np.float32), values)]:
        with pytest.raises(FloatingPointError, match="vectors are not finite"):
            finite_products(users, items, "")


@given(st.integers(0, 2**31), st.lists(st.floats(-25, 37), min_size=6, max_size=6))
def test_vectors_that_pass_have_finite_products(seed, exponents):
    random = np.random.default_rng(seed)
    users = random.normal(size=(5, 3)) * 10.0 ** np.array(exponents[:3])
    items = random.normal(size=(4, 3)) * 10.0 ** np.array(exponents[3:])
    users, items = users.astype(np.float32), items.astype(np.float32)
    sizes = np.abs(users).max(0).astype(float) * np.abs(items).max(0)
    if sizes.sum() > np.finfo(np.float32).max:
        with pytest.raises(FloatingPointError, match="may overflow"):
            finite_products(users, items, "")
    else:
        finite_products(users, items, "")
        assert np.isfinite(users @ items.T).all()


def test_a_large_bias_is_no_large_vector():
    """A bias is multiplied by 1: its size does not count against those of the vectors."""
    users, items = np.float32([[1e10, 1]]), np.float32([[1e10, 1e30]])
    finite_products(users, items, "")


def test_weights_may_be_zero_where_no_items_have_a_user_in_common(board):
    train = board.train_set()
    with pytest.raises(ValueError, match="all weights between items are 0"):
        not_all_zero(np.zeros(3), train, "")
    not_all_zero(np.eye(3), train, "")
    first = train.indptr[:-1][np.diff(train.indptr) > 0]
    alone = type(train).from_rows(train.n_users, train.n_items, train.users[first].copy(), train.items[first].copy())
    not_all_zero(np.zeros(3), alone, "")


def test_a_vector_too_long_to_have_a_direction_has_no_score():
    similarity = Similarity("cosine", 1.0, tf.constant([1.0, 1.0, 0.0]))
    trained = np.float32([[3, 4, 7], [0, 0, 1], [2e19, 2e19, 0], [1, 1, 1e30]])
    scoring = similarity.scoring(tf.constant(trained))
    assert np.isnan(scoring[2]).all()
    np.testing.assert_allclose(scoring[[0, 1, 3]], [[0.6, 0.8, 7], [0, 0, 1], [0.5**0.5, 0.5**0.5, 1e30]], rtol=1e-6)
    assert np.array_equal(Similarity("inner", 1.0, tf.ones([3])).scoring(tf.constant(trained)), trained)


@pytest.mark.parametrize("part", ["gmf", "mlp", "both"])
def test_no_logit_of_neumf_is_above_its_bound(part):
    network = NeuMFNetwork(6, 7, factors=3, mlp_factors=2, init_std=2.0, seed=1)
    random = np.random.default_rng(0)
    for variable in network.weights("both"):
        variable.assign(random.normal(size=variable.shape))
    users, items = np.arange(6, dtype=np.int32), np.tile(np.arange(7, dtype=np.int32), (6, 1))
    largest = np.abs(network.scores[part](users, items).numpy()).max()
    bound = network.largest_logit(part)
    assert largest < bound < 1e6
    for variable in network.weights(part):
        before = variable.numpy()
        broken = np.array(before)
        broken.flat[0] = np.nan
        variable.assign(broken)
        assert np.isnan(network.largest_logit(part))
        variable.assign(before)
    assert network.largest_logit(part) == bound
