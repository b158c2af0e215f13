"""The search spaces beside the models name parameters that exist, and hold what the models do without them."""

import inspect
import tomllib
from pathlib import Path

import pytest

import recbench_models
from recbench.registry.models import find_model
from recbench.tuning.spaces import KNOWN, own_spaces_path, read_spaces

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


def test_known_settings_are_settings_of_the_models():
    spaces = read_spaces(own_spaces_path())
    known = [(name, one.setting) for name, space in spaces.items() for one in space.known]
    assert known
    for name, setting in known:
        find_model(name).load()(**setting)
