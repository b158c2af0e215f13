"""Which packages a record lists."""

import importlib
import sys
from importlib import metadata

import pytest

from recbench.records.environments import merged
from recbench.registry.distributions import distributions_of
from recbench.trials.machine import ALWAYS_LISTED, package_versions
from tests.examples import ENVIRONMENT


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    for name, version, files in (
        ("scikit-toy", "1.2", ("toylearn/__init__.py", "toylearn/core.py")),
        ("toyspace-a", "3", ("toyspace/a/__init__.py",)),
        ("toyspace-b", "4", ("toyspace/b/__init__.py",)),
        ("unused-toy", "9", ("toyunused.py",)),
    ):
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text("".join(f"{file},sha256=x,0\n" for file in files))
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_distributions_whose_modules_were_imported(site):
    before = set(sys.modules)
    for module in ("toylearn.core", "toyspace.a", "json"):
        importlib.import_module(module)
    loaded = set(sys.modules) - before
    assert distributions_of(loaded) == {"scikit-toy": "1.2", "toyspace-a": "3"}
    assert package_versions(loaded).keys() - set(ALWAYS_LISTED) == {"scikit-toy", "toyspace-a"}


def test_it_finds_what_the_standard_library_finds():
    tops = {name.partition(".")[0] for name in sys.modules}
    expected = metadata.packages_distributions()
    for top in ("numpy", "pydantic", "pytest", "_pytest"):
        assert top in tops
        (name,) = set(expected[top])
        assert distributions_of([top]) == {name: metadata.version(name)}


def test_environments_of_one_machine_are_merged_unless_a_version_differs():
    first, other, newer, elsewhere = (
        ENVIRONMENT.model_copy(update={"packages": packages, "cpu": cpu})
        for packages, cpu in (
            ({"numpy": "2", "torch": "1"}, "A"),
            ({"numpy": "2", "jax": "1"}, "A"),
            ({"numpy": "3"}, "A"),
            ({"numpy": "2"}, "B"),
        )
    )
    together = first.model_copy(update={"packages": {"jax": "1", "numpy": "2", "torch": "1"}})
    assert merged([first, other, newer, elsewhere]) == [together, newer, elsewhere]
