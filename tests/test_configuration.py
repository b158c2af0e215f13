from typing import Any

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.registry.hyperparameters import configure
from recbench.registry.models import ModelReference, Origin
from recbench.registry.parameter_values import as_text, read_text, recordable

REFERENCE = ModelReference("toy", "toy:Toy", Origin.MODULE)


class Toy:
    def __init__(
        self, factors: int = 8, rate: float = 0.1, fast: bool = False, loss: str = "bpr", cap: int | None = 3, free=1
    ):
        if factors < 1:
            raise ValueError(f"factors must be above 0, not {factors}")


def test_texts_are_read_by_the_constructors_types():
    texts = {"factors": "64", "rate": "1", "fast": "true", "loss": "top1", "cap": "none", "free": "2.5"}
    configuration = configure(REFERENCE, Toy, texts)
    assert configuration.parameters == {
        "factors": 64,
        "rate": 1.0,
        "fast": True,
        "loss": "top1",
        "cap": None,
        "free": 2.5,
    }
    assert isinstance(configuration.parameters["rate"], float)
    assert configure(REFERENCE, Toy, {}).parameters["factors"] == 8


def test_the_text_of_a_default_is_the_default():
    class Scaled:
        def __init__(self, scaling="none", other="log"):
            pass

    assert configure(REFERENCE, Scaled, {"scaling": "none"}).parameters["scaling"] == "none"
    assert configure(REFERENCE, Scaled, {"other": "none"}).parameters["other"] is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"factor": "8"}, "Unknown parameter of 'toy' 'factor'. Did you mean: factors"),
        ({"factors": "8.5"}, "toy.factors=8.5: Input should be a valid integer"),
        ({"rate": "quick"}, "toy.rate=quick: Input should be a valid number"),
        ({"fast": "perhaps"}, "toy.fast=perhaps"),
        ({"rate": "inf"}, "would have the value inf for 'rate'"),
        ({"free": "NaN"}, "would have the value nan for 'free'"),
    ],
)
def test_values_that_do_not_fit(texts, message):
    with pytest.raises(RecbenchError, match=message):
        configure(REFERENCE, Toy, texts)


def test_what_the_constructor_refuses_is_bad_input():
    with pytest.raises(RecbenchError, match="'toy' refuses its parameters: factors must be above 0, not 0") as caught:
        configure(REFERENCE, Toy, {"factors": "0"}).create()
    assert caught.value.hint == "Its parameters and their defaults: recbench list toy:Toy"


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        (ModelReference("toy", "shop.toy:Toy", Origin.PLUGIN), "recbench list toy"),
        (ModelReference("Toy", "my shop/toy.py:Toy", Origin.FILE), "recbench list 'my shop/toy.py:Toy'"),
        (ModelReference("Toy", "__main__:Toy (sent by value)", Origin.VALUE), "arguments of its constructor"),
    ],
)
def test_the_hint_names_the_model_as_the_command_takes_it(reference, hint):
    for given in ({"texts": {"factors": "x"}}, {"texts": {}, "values": {"factors": "x"}}):
        with pytest.raises(RecbenchError, match="Input should be a valid integer") as caught:
            configure(reference, Toy, **given)
        assert hint in caught.value.hint


def test_a_parameter_without_a_default_must_be_given():
    class Strict:
        def __init__(self, size: int):
            pass

    with pytest.raises(RecbenchError, match="needs a value for 'size'") as raised:
        configure(REFERENCE, Strict, {})
    assert "--param toy.size=VALUE, in Python Model(..., size=VALUE)" in raised.value.hint
    assert configure(REFERENCE, Strict, {"size": "3"}).parameters == {"size": 3}


def test_which_parameters_take_integers_and_no_other_numbers():
    class Mixed:
        def __init__(
            self,
            epochs: int = 10,
            depth: int | None = None,
            passes=3,
            shrink: float = 10,
            rate: int | float = 1,
            share=0.5,
            layers: list[int] | None = None,
            is_fast=True,
            flag: bool = False,
        ):
            pass

    assert configure(REFERENCE, Mixed, {}).integers == ("epochs", "depth", "passes")


@pytest.mark.parametrize("default", [(64, (32,)), float("nan"), object()])
def test_a_default_that_a_record_cannot_hold_is_refused_before_training(default):
    class Odd:
        def __init__(self, layers=default):
            pass

    with pytest.raises(RecbenchError, match="would have the value .* for 'layers'"):
        configure(REFERENCE, Odd, {})


def test_a_constructor_that_fails_in_any_way_is_bad_input():
    class Broken:
        def __init__(self):
            raise RuntimeError("no device")

    with pytest.raises(RecbenchError, match="no device"):
        configure(REFERENCE, Broken, {}).create()


class Layers:
    def __init__(
        self,
        sizes: list[int] = (64, 32),
        rates: tuple[float, ...] = (0.5,),
        names: list[str] | None = None,
        free=(1, 2),
        text: str = "",
        any_list=None,
    ):
        self.given = (sizes, rates, names, free, text, any_list)


def test_lists_are_read_by_the_constructors_types():
    texts = {"sizes": "[8, 4]", "rates": "[1,0.25]", "names": "[relu,tanh]", "free": "[3]", "text": "[a]",
             "any_list": "[true, 2, x]"}  # fmt: skip
    configuration = configure(REFERENCE, Layers, texts)
    assert configuration.parameters == {
        "sizes": [8, 4],
        "rates": [1.0, 0.25],
        "names": ["relu", "tanh"],
        "free": [3],
        "text": "[a]",
        "any_list": ["true", "2", "x"],
    }
    assert configuration.create().given == (
        (8, 4), (1.0, 0.25), ["relu", "tanh"], (3,), "[a]", ["true", "2", "x"],
    )  # fmt: skip


def test_tuples_of_the_constructor_are_lists_in_the_record_only():
    configuration = configure(REFERENCE, Layers, {})
    assert configuration.parameters["rates"] == [0.5]
    assert configuration.create().given[1] == (0.5,)
    again = configure(REFERENCE, Layers, {}, configuration.parameters)
    assert (again.parameters, again.arguments) == (configuration.parameters, configuration.arguments)


def test_a_model_that_changes_its_list_changes_nothing_else():
    configuration = configure(REFERENCE, Layers, {"names": "[relu]"})
    configuration.create().given[2].append("tanh")
    assert configuration.create().given[2] == ["relu"]


def test_values_from_python_are_checked_as_texts_are():
    values = {"factors": np.int64(16), "rate": 1, "cap": None, "fast": True}
    plain = {name: recordable("toy", name, value) for name, value in values.items()}
    assert configure(REFERENCE, Toy, {"factors": "8"}, plain).parameters == {
        "factors": 16, "rate": 1.0, "fast": True, "loss": "bpr", "cap": None, "free": 1,
    }  # fmt: skip
    with pytest.raises(RecbenchError, match="Did you mean: factors"):
        configure(REFERENCE, Toy, {}, {"factor": 8})
    with pytest.raises(RecbenchError, match=r"toy.factors=8.5: Input should be a valid integer"):
        configure(REFERENCE, Toy, {}, {"factors": 8.5})
    with pytest.raises(RecbenchError, match=r"toy.sizes=\[8, x\]: Input should be a valid integer"):
        configure(REFERENCE, Layers, {"sizes": "[8, x]"})


@pytest.mark.parametrize("value", [[1, [2]], [None], [float("nan")], {"a": 1}, np.zeros((2, 2)), object()])
def test_values_that_a_record_cannot_hold(value):
    with pytest.raises(RecbenchError, match="which a record cannot hold"):
        recordable("toy", "layers", value)


@pytest.mark.parametrize("value", [True, None, 3, 0.1, "bpr", [64, 32], ["a b", "c"]])
def test_a_value_written_as_text_is_read_as_the_same_value(value):
    assert read_text("toy", "free", as_text(value), Any) == value
