import pytest

from recbench.errors import RecbenchError
from recbench.registry.hyperparameters import configure, parse_assignments
from recbench.registry.models import ModelReference, Origin

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
    with pytest.raises(RecbenchError, match="'toy' refuses its parameters: factors must be above 0, not 0"):
        configure(REFERENCE, Toy, {"factors": "0"}).create()


def test_a_parameter_without_a_default_must_be_given():
    class Strict:
        def __init__(self, size: int):
            pass

    with pytest.raises(RecbenchError, match="needs a value for 'size'"):
        configure(REFERENCE, Strict, {})
    assert configure(REFERENCE, Strict, {"size": "3"}).parameters == {"size": 3}


@pytest.mark.parametrize("default", [(64, 32), float("nan"), object()])
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


def test_assignments():
    parsed = parse_assignments(["bpr.factors=64", "my.file.py:Mine.slope=a=b"], ["bpr", "my.file.py:Mine", "ncf"])
    assert parsed == {"bpr": {"factors": "64"}, "my.file.py:Mine": {"slope": "a=b"}, "ncf": {}}
    assert parse_assignments(["Mine.slope=2"], ["my.file.py:Mine"]) == {"my.file.py:Mine": {"slope": "2"}}
    for bad in ("factors=3", "bpr.factors", "bpr.=3", ".factors=3"):
        with pytest.raises(RecbenchError, match="not of the form MODEL.NAME=VALUE"):
            parse_assignments([bad], ["bpr"])
    with pytest.raises(RecbenchError, match="Unknown model in --param 'bprr'. Did you mean: bpr"):
        parse_assignments(["bprr.factors=3"], ["bpr"])
