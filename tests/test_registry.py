import os
import sys
from importlib import metadata

import pytest

from recbench.errors import RecbenchError
from recbench.evaluation import metric_names
from recbench.registry import models
from recbench.registry.code_version import model_code
from recbench.registry.models import Origin, describe, find_model, known_models

OWN_MODEL = '''
import numpy as np


class Mine:
    """Likes large item numbers."""

    def __init__(self, slope: float = 1.0, *, shift=0):
        self.slope = slope

    def fit(self, train, context):
        pass

    def score(self, users, items):
        return items * self.slope


class NotAModel:
    pass
'''


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN_MODEL)
    return path


def test_every_builtin_model_is_described_without_being_imported():
    known = known_models()
    assert {"bpr", "implicit-bpr", "ncf", "popularity", "random"} <= set(known)
    for reference in known.values():
        description = describe(reference)
        assert description.summary.endswith(".")
        assert "(required)" not in description.parameters.values()
    assert describe(known["bpr"]).parameters["batch_size"] == "16384"


def test_a_model_in_a_file(own):
    reference = find_model(f"{own}:Mine")
    assert (reference.name, reference.origin) == ("Mine", Origin.FILE)
    assert describe(reference).summary == "Likes large item numbers."
    assert describe(reference).parameters == {"slope": "1.0", "shift": "0"}
    assert reference.load().__name__ == "Mine"


def test_a_model_in_a_module(own, monkeypatch):
    monkeypatch.syspath_prepend(str(own.parent))
    reference = find_model("own:Mine")
    assert reference.origin is Origin.MODULE
    assert reference.load().__name__ == "Mine"


def test_a_model_file_may_import_its_neighbours(own):
    (own.parent / "neighbour.py").write_text("SLOPE = 2.0")
    own.write_text("from neighbour import SLOPE\n" + OWN_MODEL)
    assert find_model(f"{own}:Mine").load().__name__ == "Mine"


def test_a_plugin_is_found_by_its_entry_point(own, monkeypatch):
    class EntryPoint:
        name, value = "from-plugin", "own:Mine"

    monkeypatch.syspath_prepend(str(own.parent))
    monkeypatch.setattr(models, "entry_points_of", lambda group: [EntryPoint] if group == "recbench.models" else [])
    assert find_model("from-plugin").origin is Origin.PLUGIN
    assert find_model("from-plugin").load().__name__ == "Mine"


def test_unknown_and_broken_models(own, tmp_path):
    with pytest.raises(RecbenchError, match="Unknown model 'bprr'. Did you mean: bpr") as caught:
        find_model("bprr")
    assert "popularity" in caught.value.hint
    with pytest.raises(RecbenchError, match="there is no file"):
        find_model(f"{tmp_path}/absent.py:Mine")
    with pytest.raises(RecbenchError, match=r"Unknown class in .*own.py 'Mind'. Did you mean: Mine"):
        find_model(f"{own}:Mind").load()
    with pytest.raises(RecbenchError, match=r"is not a model: it has no method fit\(\)"):
        find_model(f"{own}:NotAModel").load()
    with pytest.raises(
        RecbenchError, match="'Thing' cannot be imported: there is no module 'no_such_module'"
    ) as caught:
        find_model("no_such_module:Thing").load()
    assert "Check the spelling" in caught.value.hint
    own.write_text("import sys; sys.exit(0)")
    with pytest.raises(RecbenchError, match="SystemExit"):
        find_model(f"{own}:Mine").load()
    with pytest.raises(RecbenchError, match="there is no file"):
        find_model("x" * 300 + ".py:Mine")


FAULTS = {
    "a missing framework": ("import no_such_framework", "ModuleNotFoundError: No module named 'no_such_framework'", 1),
    "an exception": ("one = 1\nmany = one / 0", "ZeroDivisionError: division by zero", 2),
    "a missing name": ("\nfrom json import no_such_name", "ImportError: cannot import name 'no_such_name'", 2),
    "no Python": ("class Mine:\n    def fit(", "SyntaxError: '(' was never closed", 2),
    "an exit": ("import sys\nsys.exit('no licence')", "SystemExit: no licence", 2),
    "an error inside a library": ("import json\njson.loads('{')", "JSONDecodeError: Expecting property name", 2),
}


@pytest.mark.parametrize(("source", "message", "line"), FAULTS.values(), ids=FAULTS)
def test_an_error_of_the_models_own_code_is_shown_with_its_line(own, source, message, line):
    own.write_text(source)
    with pytest.raises(RecbenchError) as caught:
        find_model(f"{own}:Mine").load()
    assert f"Model 'Mine' cannot be imported: {message}" in caught.value.message
    assert f"({own}, line {line})" in caught.value.message
    assert "spelling" not in caught.value.hint


RELATIVE = "from .layers import SLOPE\nfrom .deep import DEPTH\n" + OWN_MODEL


@pytest.mark.parametrize("init", [True, False], ids=["with __init__.py", "without"])
def test_a_model_file_of_a_package_may_use_relative_imports(tmp_path, monkeypatch, init):
    package = tmp_path / f"shop_{init}" / "models"
    (package / "deep").mkdir(parents=True)
    (package / "layers.py").write_text("from ..rates import RATE\nSLOPE = RATE" if init else "SLOPE = 2.0")
    (package / "deep" / "__init__.py").write_text("from ..layers import SLOPE as DEPTH")
    (package / "two_tower.py").write_text(RELATIVE)
    if init:
        (package / "__init__.py").touch()
        (package.parent / "__init__.py").touch()
        (package.parent / "rates.py").write_text("RATE = 3.0")
    monkeypatch.setattr("sys.path", [*sys.path])
    model_class = find_model(f"{package}/two_tower.py:Mine").load()
    assert model_class.__module__ == ("shop_True.models.two_tower" if init else "models.two_tower")
    assert model_code(model_class).version is not None
    before = model_code(model_class).version
    (package / "layers.py").write_text("SLOPE = 4.0")
    assert model_code(model_class).version != before
    sys.modules.pop("models", None)


def test_two_packages_of_one_name_in_one_process_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path])
    for folder in ("one", "other"):
        package = tmp_path / folder / "twice"
        package.mkdir(parents=True)
        (package / "layers.py").write_text("SLOPE = 1.0")
        (package / "net.py").write_text("from .layers import SLOPE\n" + OWN_MODEL)
    find_model(f"{tmp_path}/one/twice/net.py:Mine").load()
    with pytest.raises(RecbenchError, match="its package 'twice' has the name of a module that is already imported"):
        find_model(f"{tmp_path}/other/twice/net.py:Mine").load()


def test_the_users_folders_come_first_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path])
    (tmp_path / "work").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "here" / "first.py").write_text(OWN_MODEL)
    find_model("../here/first.py:Mine").load()
    assert sys.path[:2] == [str(tmp_path / "here"), str(tmp_path / "work")]


def test_a_known_model_with_something_else_than_a_value():
    with pytest.raises(RecbenchError, match="'64' is not a hyper-parameter of 'bpr' with its value"):
        find_model("bpr:64")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("own.py", "own.py is a file; a model is a class in it", "Name the class: own.py:CLASS"),
        ("own.py:", "'own.py:' names no class", "path/to/file.py:Class"),
        (":Mine", "':Mine' names no module or file", "path/to/file.py:Class"),
        ("./shop:Mine", "./shop is a folder, and a file is expected", "Give the file: ./shop/FILE.py:Mine"),
        ("own.py:Mine:slope", "'slope' is not a hyper-parameter of 'own.py:Mine'", "MODEL:NAME=VALUE"),
        ("bpr:", "'' is not a hyper-parameter of 'bpr'", "MODEL:NAME=VALUE"),
    ],
)
def test_a_name_that_lacks_a_part(own, tmp_path, monkeypatch, name, message, hint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    with pytest.raises(RecbenchError, match=message) as caught:
        find_model(name)
    assert hint in caught.value.hint


def test_a_module_that_does_not_exist_has_no_description(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src" / "shopp").mkdir(parents=True)
    (tmp_path / "src" / "shopp" / "net.py").write_text(OWN_MODEL)
    with pytest.raises(RecbenchError, match="there is no module 'shopp'") as caught:
        describe(find_model("shopp.net:Mine"))
    assert caught.value.hint == "Give the file instead of the module: src/shopp/net.py:Mine"


def test_entry_points_are_scanned_again_only_after_an_installation(tmp_path, monkeypatch):
    scans = []
    scan = metadata.entry_points
    monkeypatch.setattr(metadata, "entry_points", lambda: scans.append(1) or scan())
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "shop-net" not in known_models()
    metric_names.entry_points_of(metric_names.GROUP)
    known_models()
    assert len(scans) == 1
    info = tmp_path / "shop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[recbench.models]\nshop-net = shop.net:Net\n")
    # A clock may be too coarse for two changes that follow each other.
    os.utime(tmp_path, ns=(1, 1))
    assert "shop-net" in known_models()
    assert len(scans) == 2
