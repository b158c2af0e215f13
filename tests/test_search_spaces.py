"""The search spaces beside the models name parameters that exist, and hold what the models do without them."""

import ast
import inspect
import tomllib
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import recbench_models
from recbench.registry.models import find_model
from recbench.tuning.space_check import first_setting, outside, settings_to_check
from recbench.tuning.space_proposal import proposed_space, python_form, toml_form
from recbench.tuning.spaces import KNOWN, Choices, Range, own_spaces_path, read_spaces, spaces_of

SPACES = tomllib.loads((Path(recbench_models.__file__).parent / "search_spaces.toml").read_text(encoding="utf-8"))
WITHOUT_PARAMETERS = {"popularity", "random"}


def test_every_model_with_parameters_has_one():
    assert set(SPACES) == set(recbench_models.MODELS) - WITHOUT_PARAMETERS


@pytest.mark.parametrize("model", SPACES)
def test_it_holds_the_defaults(model):
    model_class = find_model(model).load()
    signature = inspect.signature(model_class).parameters
    for name, space in SPACES[model].items():
        if name == KNOWN:
            continue
        default = signature[name].default
        if "choices" in space:
            assert set(space) == {"choices"}
            assert default in space["choices"]
            assert len(set(space["choices"])) == len(space["choices"]) > 1
            ends = space["choices"]
        else:
            assert set(space) <= {"low", "high", "log", "integer"}
            assert space["low"] <= default <= space["high"]
            assert space["low"] < space["high"]
            assert space["low"] > 0 or not space.get("log")
            assert space.get("integer", False) == isinstance(default, int)
            ends = [space["low"], space["high"]]
        for end in ends:
            assert type(end) is type(default)
            model_class(**{name: end})


REGULARIZATION = {"regularization", "layer_regularization", "l1", "l2"}
WEIGHTS = {"unobserved_ratio", "k1", "alpha"}
SCALES = (
    {"learning_rate", "init_std", "negatives", "shared_negatives", "overlap", "temperature"} | REGULARIZATION | WEIGHTS
)
SHARES = {"negative_exponent", "balance", "b"}
EXPONENTS = {("rp3beta", "alpha"), ("rp3beta", "beta")}
SIZES = {"batch_size", "mlp_factors"}


def expected_space(model, name, default, annotation):
    """Returns the space that the rules in the head of the file give, as it stands in the file."""
    if isinstance(default, bool):
        return Choices(choices=(True, False))
    if isinstance(default, str):
        return Choices(choices=get_args(annotation))
    whole = isinstance(default, int)
    if name in SHARES or (model, name) in EXPONENTS:
        return Range(low=0, high=1)
    if name in SCALES:
        low = max(1, -(-default // 10)) if whole else float(f"{default / 10:.12g}")
        return Range(low=low, high=float(f"{default * 10:.12g}"), log=True, integer=whole)
    if name in SIZES:
        return Choices(choices=(default // 4, default // 2, default, default * 2, default * 4))
    rules = {
        "factors": Range(low=16, high=256, log=True, integer=True),
        "epochs": Range(low=default // 2, high=default * 2, log=True, integer=True),
        "layers": Range(low=1, high=default * 2, integer=True),
    }
    assert name in rules, f"Say which kind {name} is: in the head of search_spaces.toml, and in this test."
    return rules[name]


@pytest.mark.parametrize("model", SPACES)
def test_all_spaces_are_equally_wide(model):
    signature = inspect.signature(find_model(model).load(), eval_str=True).parameters
    for name, space in read_spaces(own_spaces_path())[model].parameters.items():
        expected = expected_space(model, name, signature[name].default, signature[name].annotation)
        if isinstance(space, Choices):
            assert set(space.choices) == set(expected.choices), f"{name}: the rules give {expected.text()}"
        else:
            assert space == expected, f"{name}: the rules give {expected.text()}"


def test_known_settings_are_settings_of_the_models():
    spaces = read_spaces(own_spaces_path())
    known = [(name, configuration.setting) for name, space in spaces.items() for configuration in space.known]
    assert known
    for name, setting in known:
        find_model(name).load()(**setting)


DEFAULTS = {"factors": 8, "rate": 0.5, "loss": "bce", "layers": [8], "most": None, "flag": True}


@pytest.mark.parametrize(
    ("space", "settings"),
    [
        ({"factors": Range(low=4, high=64, integer=True), "rate": Range(low=0, high=1)}, []),
        ({"rate": Range(low=0, high=2, integer=True), "loss": Choices(choices=("bce", "bpr"))}, []),
        ({"factors": Range(low=4, high=64)}, [{"factors": pytest.approx(26.92)}]),
        ({"factors": Range(low=4, high=4)}, []),
        ({"loss": Range(low=4, high=64, integer=True)}, [{"loss": 4}]),
        ({"flag": Choices(choices=(0, 1))}, [{"flag": 0}, {"flag": 1}]),
        (
            {"factors": Choices(choices=(4, "many", 0.5)), "most": Range(low=1, high=9, integer=True)},
            [{"factors": "many", "most": 1}, {"factors": 0.5}],
        ),
    ],
)
def test_values_of_another_type_than_the_default_are_checked_before_any_trial(space, settings):
    assert settings_to_check(space, DEFAULTS) == settings


def test_a_proposed_space_is_read_as_it_is_written():
    defaults = {**DEFAULTS, "shift": -2.0, "offset": 0, "similarity": "it's", "depth": None}
    proposed = {"Net": proposed_space(defaults, ["factors", "offset", "depth"]), "cornac:MF": {}}
    # Neither a list nor None says between which values to search.
    assert set(proposed["Net"]) == set(defaults) - {"layers", "most"}
    assert not outside({name: space for name, space in proposed["Net"].items() if name != "depth"}, defaults)
    assert proposed["Net"]["factors"] == Range(low=2, high=32, log=True, integer=True)
    for content in (
        tomllib.loads(toml_form(proposed)),
        ast.literal_eval(python_form(proposed).removeprefix("spaces=")),
    ):
        read = spaces_of(content, "the test")
        assert {model: space.parameters for model, space in read.items()} == proposed
        assert not any(space.undecided for space in read.values())


def test_ranges_that_do_not_say_what_lies_between_integers():
    content = {
        "Net": {
            "whole": {"low": 1, "high": 9},
            "numpy": {"low": np.int64(1), "high": 9},
            "real": {"low": 1.0, "high": 9},
            "said": {"low": 1, "high": 9, "integer": False},
            "kind": {"choices": [1, 2]},
        }
    }
    space = spaces_of(content, "the test")["Net"]
    assert space.undecided == {"whole", "numpy"}
    decided = space.decided(["whole", "real", "said"])
    assert {name for name, values in decided.parameters.items() if getattr(values, "integer", False)} == {"whole"}
    # Storages of searches name the space: the others are the same text as before.
    assert decided.parameters["numpy"].text() == "{ low = 1.0, high = 9.0 }"


def test_defaults_outside_of_the_space_are_tried_first_if_they_are_numbers():
    space = {
        "factors": Range(low=16, high=64, integer=True),
        "rate": Range(low=1, high=2, log=True),
        "loss": Choices(choices=("bpr", "softmax")),
        "most": Range(low=1, high=9),
        "flag": Choices(choices=(True, False)),
    }
    assert first_setting(space, DEFAULTS) == {"factors": 8, "rate": 0.5, "flag": True}
    assert outside(space, DEFAULTS) == {"factors": 8, "rate": 0.5, "loss": "bce", "most": None}
    impossible = {"factors": 8.5, "rate": -1.0, "flag": True}
    assert first_setting(space, impossible) == {"flag": True}
