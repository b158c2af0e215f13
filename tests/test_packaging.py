"""The builtin models are one package in every layout: in the checkout, in an editable install and in a wheel."""

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from hatchling.builders.wheel import WheelBuilder

from hatch_build import ModelsHook
from recbench.records import store
from recbench.records.schema import TaskIdentity, stem
from recbench.registry.code_version import source_code
from tests.conftest import ROOT

SHOWN = """
import json
from recbench.records.tuned_settings import builtin_settings_path
from recbench.registry.code_version import model_code
from recbench.registry.models import known_models
from recbench.tuning.spaces import own_spaces_path
models = known_models()
versions = {name: model_code(models[name].load()).version for name in ("popularity", "ease", "slim")}
print(json.dumps([versions, builtin_settings_path("ml-100k").is_file(), own_spaces_path().is_file()]))
"""


def shown(path, folder, program=SHOWN):
    environment = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture
def wheel(tmp_path):
    """The two packages as a wheel unpacks them."""
    for source, name in (("recbench", "recbench"), ("models", "recbench_models")):
        shutil.copytree(ROOT / source, tmp_path / "site" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "site"


def test_all_layouts_have_the_same_models_settings_and_versions(wheel, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    expected = shown(ROOT, tmp_path)
    assert expected[1:] == [True, True]
    assert None not in expected[0].values()
    assert shown(wheel, tmp_path) == expected


def test_a_program_imports_a_builtin_model_in_all_layouts(wheel, tmp_path):
    program = "import recbench\nfrom recbench_models.item_gram import __name__ as name\nprint(f'\"{name}\"')"
    assert shown(ROOT, tmp_path, program) == shown(wheel, tmp_path, program) == "recbench_models.item_gram"


def test_requirements_come_from_the_metadata_of_the_recbench_that_runs(wheel, tmp_path):
    program = "import json\nfrom recbench.requirements import install_command\n"
    program += "print(json.dumps(install_command(['optuna'])))"
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (optuna,) = declared["optional-dependencies"]["tune"]
    assert shown(ROOT, tmp_path, program) == f"pip install '{optuna}'"
    metadata = "Name: recbench\nVersion: 0.1.0\nRequires-Dist: optuna<9,>=7; extra == 'tune'\n"
    for folder in (wheel, tmp_path / "another"):
        (folder / "recbench-0.1.0.dist-info").mkdir(parents=True)
        (folder / "recbench-0.1.0.dist-info" / "METADATA").write_text(metadata.replace(">=7", f">={len(folder.name)}"))
    path = f"{tmp_path / 'another'}{os.pathsep}{wheel}"
    assert shown(path, tmp_path, program) == "pip install 'optuna<9,>=4'"
    shutil.rmtree(wheel / "recbench-0.1.0.dist-info")
    assert shown(path, tmp_path, program) == "pip install 'optuna'"


def test_an_editable_install_exposes_one_package_only():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert settings["dev-mode-exact"]
    assert settings["targets"]["wheel"]["packages"] == ["recbench"]


def test_a_wheel_holds_the_models_under_their_own_name(tmp_path):
    hook = ModelsHook.__new__(ModelsHook)
    for version, expected in (("standard", {"models": "recbench_models"}), ("editable", {})):
        data = {"force_include": {}}
        hook.initialize(version, data)
        assert data["force_include"] == expected


def test_a_wheel_holds_the_templates_of_the_report_page():
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    templates = [path for path in (ROOT / "recbench").rglob("templates/*") if path.is_file()]
    assert len(templates) >= 5
    assert {path.relative_to(ROOT).as_posix() for path in templates} <= packed


def test_a_version_does_not_depend_on_the_name_of_the_package(tmp_path):
    old, new = tmp_path / "models", tmp_path / "recbench_models"
    for folder in (old, new):
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "checks.py").write_text("LIMIT = 3\n")
    (old / "own.py").write_text("import numpy as np\n\nfrom models.checks import LIMIT\n\nx = [LIMIT]\n")
    own = "import numpy as np\n\nfrom .checks import LIMIT\n\nx = [LIMIT]  # type: ignore[list-item]\n"
    (new / "own.py").write_text(own)
    before = source_code("models.own", old / "own.py").version
    assert source_code("recbench_models.own", new / "own.py").version == before
    (new / "checks.py").write_text("LIMIT = 4\n")
    assert source_code("recbench_models.own", new / "own.py").version != before


def test_records_of_before_the_renaming_keep_their_names():
    accepted = {path: store.load(path) for path in (ROOT / "results" / "baselines").rglob("*--seed0.json")}
    assert all(record.stem() == path.stem for path, record in accepted.items())
    older = {path: record for path, record in accepted.items() if record.reference.startswith("models.")}
    assert older
    for path, record in older.items():
        renamed = record.model_copy(update={"reference": f"recbench_{record.reference}"})
        assert renamed.stem() == path.stem


def test_a_label_is_part_of_the_name_of_a_record_only_where_there_is_one():
    task = TaskIdentity(name="toy", digest="sha256:0")
    names = [stem(task, "bpr", "m:B", {}, 0, threads=1, device="cpu", label=label) for label in ("", "big", "small")]
    assert len(set(names)) == 3
    assert names[0] == stem(task, "bpr", "m:B", {}, 0, threads=1, device="cpu")


@pytest.mark.parametrize(
    ("arguments", "shown"), [("['-m']", ""), ("['']", "ImportError: ")], ids=["python -m recbench", "import recbench"]
)
def test_an_older_python_is_told_which_one_is_needed(arguments, shown):
    program = f"import sys; sys.version_info = (3, 10, 13); sys.argv = {arguments}; import recbench"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    message = f"{shown}recbench needs Python 3.11 or newer. This is Python 3.10: {sys.executable}"
    assert done.stderr.splitlines()[-1] == message
    assert bool(shown) or done.stderr.count("\n") == 1
