"""What works without the extras, and what works with the requirements of a gate only.

Also runs in an environment that has no extras. Where they are installed, the processes of these tests do not find them.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from recbench.requirements import gate_requirements
from tests.absent_packages import without
from tests.conftest import ROOT
from tests.environment_size import closure

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HARNESS = {"recbench", "recbench_models", "_editable_impl_recbench", "editables"}
OWN = """\
import numpy as np

class Own:
    def __init__(self, power: float = 1.0):
        self.power = power

    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items) ** self.power

    def score(self, users, items):
        return self.counts[items] * 1.0
"""


def names(lines):
    return {canonicalize_name(Requirement(line).name) for line in lines}


def modules_beyond(requirements):
    """Returns the installed top-level modules that neither these requirements nor theirs provide."""
    allowed = closure(names(requirements))
    return {
        module
        for module, owners in packages_distributions().items()
        if module not in HARNESS and not allowed & {canonicalize_name(owner) for owner in owners}
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("light")


@pytest.fixture(scope="module")
def light(folder):
    """Runs recbench without the extras."""
    return runner(folder, without(folder / "light", modules_beyond(PROJECT["dependencies"])))


@pytest.fixture(scope="module")
def gate_only(folder):
    """Runs recbench with the requirements of a gate only."""
    return runner(folder, without(folder / "gate", modules_beyond(gate_requirements())))


def runner(folder, environment):
    environment = {**os.environ, **environment, "RECBENCH_HOME": str(folder / "home"), "COLUMNS": "200"}

    def run(*arguments, code=0):
        command = [sys.executable, "-m", "recbench", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    return run


@pytest.fixture(scope="module")
def records(folder, light):
    """Records of two runs of a model of the user's own."""
    (folder / "own.py").write_text(OWN)
    run = ("run", "--models", "own.py:Own", "--task", "synthetic", "--seeds", "1")
    light(*run, "-o", "base")
    light(*run, "-o", "current", "--param", "Own.power=0.5")
    return folder


@pytest.mark.parametrize("which", ["light", "gate_only"])
def test_records_are_compared_gated_and_accepted(records, request, which):
    recbench = request.getfixturevalue(which)
    assert "Unchanged: Own." in recbench("compare", "base", "current")
    assert "Gate passed" in recbench("gate", "base", "current", "--format", "markdown")
    recbench("baseline", "accept", "current", "--force")
    assert "Own on synthetic" in recbench("history")
    assert "results/README.md" in recbench("baseline", "render")
    assert "results/synthetic.md" in recbench("leaderboard", "base")


def test_a_task_is_built_shown_and_scored_without_the_extras(records, light):
    rows = [f"u{user},i{(5 * user + 33 * step) % 300},2024-01-{step + 1:02}" for user in range(60) for step in range(9)]
    (records / "ratings.csv").write_text("\n".join(["user,item,timestamp", *rows]))
    light("task", "build", "shop", "--ratings", "ratings.csv")
    assert json.loads(light("task", "show", "shop", "--json"))["task"]["n_users"] == 60
    assert "shop" in light("task", "list")
    assert "ml-100k" in light("data", "list")
    assert "Own" in light("run", "--models", "own.py:Own", "--task", "shop", "--seeds", "1", "-o", "shop")
    scores = [f"u{user},i{item},{item % 7}" for user in range(60) for item in range(300)]
    (records / "scores.csv").write_text("\n".join(["user,item,score", *scores]))
    assert "theirs" in light("score-file", "scores.csv", "--name", "theirs", "--task", "shop", "-o", "shop")


def test_what_is_missing_is_named_with_the_command_that_installs_it(records, light, gate_only):
    assert "'optuna>=" in light("tune", "--models", "popularity", code=2)
    assert "'matplotlib>=" in light("plot", "base", "-o", "speed.png", code=2)
    (records / "few.csv").write_text("user,item\na,b\n")
    error = gate_only("task", "build", "few", "--ratings", "few.csv", code=2)
    assert "Error: This command needs pyarrow, which is not installed.\n" in error
    assert re.search(r"Install it: pip install 'pyarrow>=[\d.]+'\n", error)


def test_frameworks_are_extras_and_all_holds_every_extra():
    extras = PROJECT["optional-dependencies"]
    assert not {"tensorflow", "keras", "implicit", "scipy", "optuna", "dask", "matplotlib", "pip"} & names(
        PROJECT["dependencies"]
    )
    (every,) = extras["all"]
    # Those of exports and of CO2 are large, and few users need them.
    assert Requirement(every).extras == extras.keys() - {"all", "energy", "mlflow", "wandb"}


def test_the_requirements_of_a_gate_are_requirements_of_recbench():
    lines = gate_requirements()
    assert {*lines} < {*PROJECT["dependencies"]}
    done = subprocess.run(
        [sys.executable, "-S", "-m", "recbench.cli.gate_requirements"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == lines
