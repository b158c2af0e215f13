"""The example repository ``examples/shop``: its model, its baseline, and its workflow, as a reader would use them."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.composite_action import ACTION, FakeGh, Runner, search_path
from tests.conftest import ROOT
from tests.program_client import SOCKET_VARIABLE

SHOP = ROOT / "examples" / "shop"
README = (SHOP / "README.md").read_text("utf-8")
COMMANDS = [line.strip() for line in README.splitlines() if line.startswith("        ")]


def inputs_of_the_workflow():
    workflow = yaml.safe_load((SHOP / ".github" / "workflows" / "recbench.yml").read_text("utf-8"))
    return workflow["jobs"]["gate"]["steps"][-1]["with"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def accepted(home, program_server):
    """A copy of the example, with the baseline that the first commands of its README accept."""
    folder = home / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    # Else a bare 'git commit' asks for a name.
    script = "\n".join(
        [
            "git init -q -b main && git config user.name a && git config user.email a@example.org",
            "git add . && git commit -qm 'Add a shop'",
            *COMMANDS[:3],
        ]
    )
    program_server.start()
    variables = environment(home, program_server)
    subprocess.run(["bash", "-ec", script], cwd=folder, env=variables, check=True, capture_output=True)
    return folder


def environment(home, server):
    return {
        **os.environ,
        "RECBENCH_HOME": str(home / "cache"),
        "PATH": search_path(),
        SOCKET_VARIABLE: str(server.path),
    }


@pytest.fixture
def workspace(accepted, tmp_path):
    """What the platform checks out."""
    return shutil.copytree(accepted, tmp_path / "workspace")


def test_the_files_that_the_readme_names_exist():
    named = [line.split("`")[1] for line in README.splitlines() if line.startswith("| `")]
    assert len(named) == 5
    assert all((SHOP / name).is_file() for name in named)
    assert all(name in ACTION["inputs"] for name in inputs_of_the_workflow())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("shrink: float = 10.0", "shrink: float = 10.5", 0), ("together, norms", "together, 1.0", 1)],
)
def test_the_workflow_of_the_example_gates_a_change(old, new, code, workspace, home, tmp_path, program_server):
    model = workspace / "shop" / "neighbours.py"
    assert old in model.read_text()
    model.write_text(model.read_text().replace(old, new))
    gh = FakeGh(tmp_path / "gh", program_server.path)
    contexts = {"github.event.pull_request": "yes", "github.event.pull_request.number": "7"}
    runner = Runner(workspace, tmp_path / "runner", contexts, {**environment(home, program_server), **gh.environment})
    done = runner.run(**inputs_of_the_workflow(), baseline="main")
    assert runner.contexts["steps.gate.outputs.exit-code"] == str(code), done["Run and gate"].stderr
    assert "gated = ['hr', 'ndcg']" in runner.summary.replace('"', "'")
    ((_, _, comment),) = gh.written
    assert ("HR@10 regressed" in comment) is bool(code)


def test_the_contract_of_the_example_holds(workspace, home, program_server):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=workspace,
        env=environment(home, program_server),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
