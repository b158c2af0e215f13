import json
import threading

import pytest

from recbench.cli.sweep import parse_sweep
from recbench.errors import RecbenchError
from recbench.registry.model_entries import ModelEntry, parse_assignment, parse_entry, split_entries
from recbench.registry.models import Origin
from recbench.registry.requested import Model, request_models
from recbench_models.ease import EASE
from tests.bad_models import Good

ENTRIES = {
    "bpr": ModelEntry("bpr"),
    "bpr:factors=128": ModelEntry("bpr", "", {"factors": "128"}),
    "big=bpr:factors=128:epochs=20": ModelEntry("bpr", "big", {"factors": "128", "epochs": "20"}),
    "a/b=c/net.py:Net": ModelEntry("a/b=c/net.py:Net"),
    "my label=shop.net:Net:rate=0.1": ModelEntry("shop.net:Net", "my label", {"rate": "0.1"}),
    "net.py:Net:layers=[64,32]:url=a:b": ModelEntry("net.py:Net", "", {"layers": "[64,32]", "url": "a:b"}),
    "bpr:loss=": ModelEntry("bpr", "", {"loss": ""}),
}


@pytest.mark.parametrize(("text", "entry"), ENTRIES.items())
def test_entries(text, entry):
    assert parse_entry(text) == entry


def test_commas_in_brackets_do_not_split():
    assert split_entries("bpr, ncf:layers=[64,32],a=m.py:N:x=[1,[2,3]],,popularity ") == [
        "bpr", "ncf:layers=[64,32]", "a=m.py:N:x=[1,[2,3]]", "popularity",
    ]  # fmt: skip


def test_a_sweep_takes_lists():
    assert parse_sweep(["layers=[64,32],[64]", "epochs=3"], ["x"]) == ("layers", ["[64,32]", "[64]"], {"epochs": "3"})


@pytest.mark.parametrize("text", ["", ":factors=3", "big=", "big=:factors=3"])
def test_entries_without_a_model(text):
    with pytest.raises(RecbenchError, match="names no model"):
        parse_entry(text)


@pytest.mark.parametrize("text", ["factors", "bpr.factors", "bpr.=3", ".factors=3", "=3"])
def test_assignments_of_another_form(text):
    with pytest.raises(RecbenchError, match="not of the form MODEL.NAME=VALUE"):
        parse_assignment(text)


def texts_of(models, assignments):
    return {model.title: model.texts for model in request_models(models, assignments)}


def test_a_model_may_occur_in_several_configurations():
    entries = ["bpr", "bpr:factors=8", "bpr:factors=16:epochs=3", "bpr:factors=16:epochs=4", "x=bpr", "y=bpr", "bpr"]
    assert [model.title for model in request_models(entries)] == [
        "bpr", "bpr factors=8", "bpr factors=16,epochs=3", "bpr factors=16,epochs=4", "x", "y",
    ]  # fmt: skip
    assert [model.title for model in request_models(["bpr:factors=8"])] == ["bpr"]


def test_assignments_go_to_a_label_or_to_all_models_of_a_name():
    entries = ["bpr", "bpr:factors=8", "big=bpr:factors=128"]
    assert texts_of(entries, ["big.epochs=2", "bpr.epochs=a=b"]) == {
        "bpr": {"epochs": "a=b"},
        "bpr factors=8": {"factors": "8", "epochs": "a=b"},
        "big": {"factors": "128", "epochs": "2"},
    }
    assert texts_of(["tests/bad_models.py:Good"], ["Good.x=1"]) == {"Good": {"x": "1"}}
    assert texts_of(["tests/bad_models.py:Good"], ["tests/bad_models.py:Good.x=1"]) == {"Good": {"x": "1"}}


CONFLICTS = {
    "one value twice in an entry": (["bpr:factors=8:factors=9"], [], "gives 'factors' twice"),
    "in the entry and in --param": (["bpr:factors=8"], ["bpr.factors=9"], "gets 'factors' twice"),
    "twice in --param": (["bpr"], ["bpr.factors=9", "bpr.factors=9"], "gets 'factors' twice"),
    "no such model in --param": (["bpr"], ["bprr.factors=3"], "Unknown model in --param 'bprr'. Did you mean: bpr"),
    "a model that has a label": (["big=bpr"], ["bpr.factors=3"], "Unknown model in --param 'bpr'"),
    "two models of one label": (["x=bpr", "x=ncf"], [], "share the name x"),
    "a label that is another model's name": (["ncf=bpr", "ncf"], [], "share the name ncf"),
    "two classes of one name": (["tests/bad_models.py:Good", "tests.bad_models:Good"], [], "share the name Good"),
    "an unknown model": (["big=bprr"], [], "Unknown model 'bprr'. Did you mean: bpr"),
}


@pytest.mark.parametrize(("models", "assignments", "message"), CONFLICTS.values(), ids=CONFLICTS)
def test_conflicts(models, assignments, message):
    with pytest.raises(RecbenchError, match=message) as caught:
        request_models(models, assignments)
    assert caught.value.hint


def test_models_from_python():
    class Own(Good):
        def __init__(self, factors=8, layers=(4, 2)):
            self.factors = factors
            self._layers = layers

    requested = request_models(
        [
            EASE,
            EASE(l2=3.0),
            Model("bpr", factors=32, label="bpr-32"),
            Good,
            Own,
            Model(Own(7), layers=[1], label="own"),
        ]
    )
    assert [(model.title, model.reference.origin, model.values) for model in requested] == [
        ("ease", Origin.BUILTIN, {}),
        ("ease l2=3.0", Origin.BUILTIN, {"l2": 3.0}),
        ("bpr-32", Origin.BUILTIN, {"factors": 32}),
        ("Good", Origin.MODULE, {}),
        ("Own", Origin.VALUE, {}),
        ("own", Origin.VALUE, {"factors": 7, "layers": [1]}),
    ]
    assert requested[3].reference.target == "tests.bad_models:Good"
    assert requested[4].reference.target.endswith("Own (sent by value)")
    assert requested[4].reference.load()().factors == 8


def test_what_from_python_is_no_model():
    class NoFit:
        def score(self, users, items):
            return items

    class Hidden(Good):
        def __init__(self, size=3):
            pass

    with pytest.raises(RecbenchError, match=r"NoFit is not a model: it has no method fit\(\)"):
        request_models([NoFit])
    with pytest.raises(RecbenchError, match=r"is not a model"):
        request_models([3])
    with pytest.raises(RecbenchError, match="'size' of this Hidden cannot be read") as caught:
        request_models([Hidden()])
    assert "Model(Hidden, size=...)" in caught.value.hint
    with pytest.raises(RecbenchError, match="Did you mean: bpr"):
        request_models(["bprr"])
    with pytest.raises(RecbenchError, match="cannot be the label"):
        request_models([Model("bpr", label="two\nlines")])
    with pytest.raises(AttributeError):
        Model("bpr").label = "other"


LOCK = threading.Lock()


def test_a_class_that_cannot_be_pickled_names_the_object():
    class Locked(Good):
        def fit(self, train, context):
            with LOCK:
                pass

    with pytest.raises(
        RecbenchError, match=r"'Locked' cannot be sent .* the global variable 'LOCK' of type lock"
    ) as caught:
        request_models([Locked])
    assert "my_model.py:Locked" in caught.value.hint


def test_two_configurations_in_one_run(recbench):
    models = "random,small=itemknn:overlap=0.5,itemknn:overlap=2.0,itemknn"
    base = ("run", "--models", models, "--task", "synthetic", "--seeds", "1", "-o", "runs")
    planned = json.loads(recbench(*base, "--dry-run", "--json").stdout)["plan"]
    assert [trial["model"] for trial in planned] == ["random", "small", "itemknn overlap=2.0", "itemknn"]
    assert [trial["params"].get("overlap") for trial in planned[:3]] == [None, 0.5, 2.0]


def test_one_configuration_written_in_two_ways(recbench):
    done = recbench("run", "--models", "ease,ease:l2=474", "--task", "synthetic", "--dry-run")
    assert done.returncode == 2
    assert "'ease' and 'ease l2=474' are the same configuration" in done.stderr


def test_an_assignment_without_a_model_is_for_the_only_model():
    (model,) = request_models(["bpr"], ["factors=3"])
    assert model.texts == {"factors": "3"}
    with pytest.raises(RecbenchError, match="names no model, and there are 2 models"):
        request_models(["bpr", "ncf"], ["factors=3"])
