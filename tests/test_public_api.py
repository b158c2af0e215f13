"""The public names of recbench and their signatures; ``--accept-golden`` accepts a change."""

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

import recbench
from tests.golden_files import check_golden

ROOT = Path(recbench.__file__).parent
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "pyarrow",
    "tensorflow",
    "keras",
    "implicit",
    "optuna",
    "matplotlib",
    "distributed",
)


def described(name):
    """Returns a name with its signature, and for a class those of its public methods and properties."""
    value = getattr(recbench, name)
    if not callable(value):
        return [f"{name}: {type(value).__name__}"]
    lines = [f"{name}{signature(value)}"]
    if inspect.isclass(value) and not issubclass(value, Exception):
        for member, attribute in sorted(vars(value).items()):
            if member.startswith("_"):
                continue
            if inspect.isfunction(attribute) or isinstance(attribute, classmethod | staticmethod):
                lines.append(f"    {member}{signature(getattr(value, member))}")
            elif isinstance(attribute, property) or type(attribute).__name__ == "cached_property":
                lines.append(f"    {member}")
    return lines


def signature(value):
    """Returns names, kinds and defaults of the parameters; how types are written depends on the version of Python."""
    plain = []
    for parameter in inspect.signature(value).parameters.values():
        default = parameter.default
        if default is not parameter.empty:
            default = default.value if isinstance(default, Enum) else default
            default = default.as_posix() if isinstance(default, Path) else default
        plain.append(parameter.replace(annotation=parameter.empty, default=default))
    return str(inspect.Signature(plain))


def test_the_public_names_and_signatures_are_those_accepted(request):
    lines = [line for name in sorted(recbench.__all__) for line in described(name)]
    check_golden("public-api.txt", "\n".join(lines) + "\n", request)


def test_every_public_name_has_a_docstring():
    for name in recbench.__all__:
        if name != "__version__":
            assert inspect.getdoc(getattr(recbench, name)), name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'recbench' has no attribute 'runn'"):
        recbench.runn  # noqa: B018
    assert dir(recbench) == recbench.__all__


def test_importing_loads_no_numeric_library():
    code = f"import sys, recbench; dir(recbench); print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_is_typed():
    assert (ROOT / "py.typed").exists()


def modules_with_examples():
    for path in sorted(ROOT.rglob("*.py")):
        if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE):
            components = path.relative_to(ROOT.parent).with_suffix("").parts
            yield ".".join(part for part in components if part != "__init__")


START_TRIALS = ("recbench", "recbench.experiments.api", "recbench.experiments.comparison")
"""Their examples run where the processes of trials are forked; see ``tests/forked_workers.py``."""
EXAMPLES = """
import doctest, importlib

result = doctest.testmod(importlib.import_module({name!r}))
assert result.attempted
raise SystemExit(int(result.failed > 0))
"""


@pytest.mark.parametrize("name", sorted({*modules_with_examples()} - {*START_TRIALS}))
def test_the_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("name", START_TRIALS)
def test_the_examples_that_start_trials_run(name, python):
    done = python(EXAMPLES.format(name=name))
    assert done.returncode == 0, done.stdout + done.stderr
