import pytest

from recbench.errors import RecbenchError
from recbench.registry import models
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
    monkeypatch.setattr(models, "entry_points", lambda group: [EntryPoint] if group == "recbench.models" else [])
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
    with pytest.raises(RecbenchError, match="cannot be imported from no_such_module"):
        find_model("no_such_module:Thing").load()
    own.write_text("import sys; sys.exit(0)")
    with pytest.raises(RecbenchError, match="SystemExit"):
        find_model(f"{own}:Mine").load()
    with pytest.raises(RecbenchError, match="there is no file"):
        find_model("x" * 300 + ".py:Mine")
    own.write_text("import no_such_framework")
    with pytest.raises(RecbenchError, match="No module named 'no_such_framework'"):
        find_model(f"{own}:Mine").load()


def test_a_package_of_the_users_called_models_hides_nothing_and_is_not_hidden(recbench, tmp_path):
    package = tmp_path / "models"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "own.py").write_text(OWN_MODEL)
    (tmp_path / "bench.py").write_text("from models.own import Mine\n\n\nclass Other(Mine):\n    pass\n")
    assert "popularity" in recbench("list").stdout
    for model in ("models.own:Mine", "bench.py:Other", "models/own.py:Mine"):
        done = recbench("run", "--models", f"popularity,{model}", "--task", "synthetic", "--seeds", "1")
        assert done.returncode == 0, done.stderr
