"""What models need: read from their source, named before anything is trained, by recbench's own requirements."""

import json
import platform
import re
import sys

import pytest

from recbench.errors import RecbenchError
from recbench.installations import other_installations
from recbench.registry.frameworks import check_frameworks, how_to_install, models_that_need, needed_modules
from recbench.registry.models import ModelReference, Origin, find_model, known_models
from recbench.registry.requested import request_models
from recbench.requirements import install_command, package_of, running_folder
from tests.absent_packages import broken, without
from tests.conftest import ROOT

WITH_TENSORFLOW = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="recbench does not offer to install TensorFlow for this Python"
)
FRAMEWORKS = {
    "implicit": ["als", "implicit-bpr", "itemknn"],
    "tensorflow": ["bpr", "lightgcn", "mf", "ncf"],
    "scipy": ["als", "ease", "gf-cf", "ials", "implicit-bpr", "itemknn", "rp3beta", "slim"],
    "keras": [],
}


@pytest.mark.parametrize(("package", "models"), FRAMEWORKS.items(), ids=FRAMEWORKS)
def test_the_source_of_the_builtin_models_names_their_frameworks(package, models):
    assert models_that_need(package) == models


def test_only_imports_that_always_run_count(tmp_path, monkeypatch):
    package = tmp_path / "plugged"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("import around_it")
    (package / "deep" / "__init__.py").touch()
    (package / "deep" / "layers.py").write_text("import json\nfrom .. import rates\nimport in_layers.sub as s")
    (package / "rates.py").write_text("from in_rates import x")
    (package / "unused.py").write_text("import not_used")
    (package / "net.py").write_text(
        "from .deep.layers import LAYERS\nimport plugged.rates\nimport recbench.protocol\n"
        "try:\n    import optional\nexcept ImportError:\n    pass\n"
        "with contextlib.suppress(ImportError):\n    import not_always\n"
        "with warnings.catch_warnings():\n    import in_a_block\n"
        "def f():\n    import later\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    reference = ModelReference("net", "plugged.net:Net", Origin.PLUGIN)
    assert needed_modules(reference) == ("around_it", "in_a_block", "in_layers", "in_rates")
    assert "plugged" not in sys.modules
    with pytest.raises(
        RecbenchError, match="net needs around_it, in_a_block, in_layers, in_rates, which are not"
    ) as caught:
        check_frameworks([reference])
    assert "pip install" not in caught.value.hint


@WITH_TENSORFLOW
def test_all_missing_frameworks_are_named_at_once(monkeypatch):
    for name in ("tensorflow", "keras", "implicit"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RecbenchError) as caught:
        request_models(["popularity", "bpr", "als", "ncf"])
    assert caught.value.message == (
        "bpr, ncf need tensorflow, which is not installed. als needs implicit, which is not installed."
    )
    assert re.fullmatch(r"Install them: pip install 'tensorflow>=[\d.]+' 'implicit>=[\d.]+'", caught.value.hint), (
        caught.value.hint
    )
    assert [model.title for model in request_models(["popularity"])] == ["popularity"]


@pytest.mark.parametrize(
    "line",
    [
        "shopnet>=2; (python_version < '3.9') and extra == 'shop'",
        "shopnet>=2; extra == 'shop' and python_version < '3.9'",
        "shopnet>=2 ; python_version < '3.9'",
    ],
)
def test_a_package_that_this_python_cannot_have_is_not_offered(monkeypatch, line):
    monkeypatch.setattr("recbench.requirements._all_lines", lambda: [line, "numpy>=1; python_version > '3.9'"])
    monkeypatch.setattr("recbench.requirements.declared", lambda: {"shopnet": "shopnet>=2", "numpy": "numpy>=1"})
    assert how_to_install(["shopnet", "numpy"]) == (
        "Install it: pip install 'numpy>=1'\n"
        f'shopnet can be installed where python_version < "3.9"; this is Python {platform.python_version()}.'
    )


@WITH_TENSORFLOW
def test_a_run_ends_before_it_trains_and_list_shows_which_models_can_run(recbench, tmp_path):
    environment = without(tmp_path / "absent", ["tensorflow", "keras"])
    done = recbench("run", "--models", "popularity,bpr", "--task", "synthetic", "--seeds", "1", **environment)
    assert done.returncode == 2
    assert "bpr needs tensorflow, which is not installed." in done.stderr
    assert f"Install it: {install_command(['tensorflow'])}\n" in done.stderr
    assert not (tmp_path / "results").exists()
    done = recbench("list", **environment)
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "needs tensorflow" in rows["bpr"]
    assert "builtin  yes" in rows["als"]
    assert install_command(["tensorflow"]) in done.stderr
    listed = json.loads(recbench("list", "--json", **environment).stdout)["models"]
    assert {entry["model"] for entry in listed if entry["missing"]} == {*FRAMEWORKS["tensorflow"]}


def test_a_framework_whose_import_fails_shows_its_own_error_and_its_models(recbench, tmp_path):
    folder = tmp_path.with_name(f"{tmp_path.name}-broken")
    broken(folder, "implicit", "RuntimeError('no AVX')")
    environment = broken(folder, "tensorflow", "ImportError('libcudart.so.12 is missing')")
    done = recbench("run", "--models", "bpr", "--task", "synthetic", "--seeds", "1", **environment)
    assert done.returncode == 2
    assert (
        "Model 'bpr' cannot be imported: the package tensorflow is installed, but its import fails: "
        "ImportError: libcudart.so.12 is missing.\nModels that cannot run because of it: bpr, lightgcn, mf, ncf.\n"
    ) in done.stderr
    facts = json.loads(recbench("doctor", "--json", **environment).stdout)["doctor"]
    assert facts["imports"]["implicit"]["result"] == "its import fails: RuntimeError: no AVX"
    assert {name for name, packages in facts["models_that_cannot_run"].items() if "implicit" in packages} == {
        *FRAMEWORKS["implicit"]
    }
    assert "popularity" not in facts["models_that_cannot_run"]


def test_the_error_of_a_model_that_calls_a_framework_is_the_model_s_own(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("import tomli_w\ntomli_w.dumps({'a': object()})\n")
    with pytest.raises(RecbenchError, match="own.py, line 2") as caught:
        find_model(f"{own}:Mine").load()
    assert caught.value.hint == "The error is in the code of the model."


def test_a_command_names_only_what_recbench_requires():
    assert package_of("keras") == "tensorflow"
    assert package_of("tomli_w") == "tomli-w"
    for module in ("torch", "yaml", "recbench", "recbench_models", "no_such_framework"):
        assert package_of(module) is None
        assert "pip" not in how_to_install([module])
    assert re.fullmatch(r"pip install 'dask>=[\d.]+' 'distributed>=[\d.]+'", install_command(["dask", "distributed"]))


def test_no_text_of_the_package_has_a_command_that_installs_another_project():
    commands = [
        (path.name, command)
        for folder in ("recbench", "models")
        for path in (ROOT / folder).rglob("*.py")
        for command in re.findall(r"pip3? install[^\n]*", path.read_text(encoding="utf-8"))
        if path != ROOT / "recbench" / "requirements.py"
    ]
    assert sorted((name, command[:25]) for name, command in commands) == [
        ("download.py", "pip install --upgrade pip"),
        # Another framework, by its name on the public index.
        ("installation.py", "pip install {lock.name}=="),
        # A hint: it installs the user's own project.
        ("own_environments.py", 'pip install -e .",'),
        ("pythons.py", 'pip install uv",'),
    ]
    others = (".gitlab/recbench.gitlab-ci.yml", "action.yml")
    for words in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / path for path in others)):
        text = words.read_text(encoding="utf-8")
        for command in re.findall(r"pip install([^\n&|;]*)", text):
            assert not any(re.match(r"""['"]?recbench\b""", word) for word in command.split()), (words, command)


def test_every_model_of_the_registry_is_looked_at():
    assert all(needed_modules(reference) for reference in known_models().values())


def test_another_recbench_on_the_path_is_found(tmp_path, monkeypatch):
    running = other_installations()
    copy, install, checkout = tmp_path / "copy", tmp_path / "site", tmp_path / "the checkout"
    for folder in (copy, checkout):
        (folder / "recbench").mkdir(parents=True)
        (folder / "recbench" / "__init__.py").touch()
    (install / "recbench-0.0.1.dist-info").mkdir(parents=True)
    (install / "recbench-0.0.1.dist-info" / "METADATA").write_text("Name: recbench\nVersion: 0.0.1\n")
    origin = {"dir_info": {"editable": True}, "url": checkout.as_uri()}
    (install / "recbench-0.0.1.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    for folder in (running_folder(), copy, install):
        monkeypatch.syspath_prepend(folder)
    assert {*other_installations()} - {*running} == {copy, checkout}
