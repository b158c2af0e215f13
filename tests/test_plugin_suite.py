"""The contract suite as the author of a plug-in uses it: from a wheel, in a project of its own."""

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from recbench.testing import RecommenderContract, checkerboard_task, synthetic_task
from tests.conftest import ROOT

MODEL = '''
import numpy as np


class Neighbours:
    """Scores an item by how many users it shares with the items of the user, shrunk."""

    def __init__(self, shrinkage: float = 1.0):
        if not shrinkage >= 0:
            raise ValueError("shrinkage must not be negative")
        self.shrinkage = shrinkage

    def fit(self, train, context):
        seen = np.zeros((train.n_users, train.n_items))
        seen[train.users, train.items] = 1
        shared = seen.T @ seen
        popularity = np.diag(shared)
        self.scores = seen @ (shared / (np.sqrt(np.outer(popularity, popularity)) + self.shrinkage))

    def score(self, users, items):
        return self.scores[users[:, None], items]
'''
SUITE = """
from recbench.testing import RecommenderContract

from shop.neighbours import Neighbours


class TestByClass(RecommenderContract):
    model = Neighbours
    uses_seed = False
    bad_parameters = [{"shrinkage": -1.0}]


class TestByName(RecommenderContract):
    model = "shop.neighbours:Neighbours"
    parameters = {"shrinkage": 5.0}
    uses_seed = False
    bad_parameters = [{"shrinkage": float("nan")}]
"""
BROKEN = """
import numpy as np

from recbench.testing import RecommenderContract


class Shortcut:
    \"\"\"Scores the first candidate highest, at random.\"\"\"

    def fit(self, train, context):
        train.users.flags.writeable = True

    def score(self, users, items):
        scores = np.random.random(items.shape)
        scores[:, 0] += 1
        return scores


class TestShortcut(RecommenderContract):
    model = Shortcut


class Popular:
    \"\"\"Counts rows, in two epochs.\"\"\"

    calls = 0

    def fit(self, train, context):
        counts = np.bincount(train.items, minlength=train.n_items)
        for epoch in range(1, 3):
            self.learned = counts * epoch + self.calls
            if not context.end_epoch():
                break

    def score(self, users, items):
        return self.learned[items].astype(float)


class LearnsInWarmUp(Popular):
    def warm_up(self, train, context):
        self.calls = np.arange(train.n_items)


class LearnsFromScoring(Popular):
    def warm_up(self, train, context):
        pass

    def score(self, users, items):
        self.calls += 1
        return super().score(users, items)


class PopularContract(RecommenderContract):
    n_epochs = 2
    personalises = uses_seed = False


class TestLearnsInWarmUp(PopularContract):
    model = LearnsInWarmUp


class TestLearnsFromScoring(PopularContract):
    model = LearnsFromScoring
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """The Python of an environment in which recbench is installed from a wheel; other packages are those of here."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling builds the wheel, and is not installed")
    folder = tmp_path_factory.mktemp("outside")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(folder / built.stdout.split()[-1])], check=True, capture_output=True)
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # After the wheel; editable installs that its .pth files name are not followed from here.
    others = [path for path in sys.path if Path(path).name == "site-packages"]
    (Path(purelib) / "others.pth").write_text("\n".join(others) + "\n")
    return python


@pytest.fixture
def project(tmp_path):
    """A project with a model and its suite."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "neighbours.py").write_text(MODEL)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_neighbours.py").write_text(SUITE)
    return tmp_path


def run(python, folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [python, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_project_inherits_the_suite_from_a_wheel(outside, project):
    where = "import recbench; print(recbench.__file__)"
    child = subprocess.run([outside, "-c", where], cwd=project, check=True, capture_output=True, text=True,
                           env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})  # fmt: skip
    assert "outside" in child.stdout
    done = run(outside, project, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    n_tests = sum(name.startswith("test_") for name in dir(RecommenderContract))
    assert f"{2 * (n_tests - 2)} passed, 4 skipped" in done.stdout


def test_a_broken_model_fails_with_messages_that_say_why(outside, project):
    (project / "tests" / "test_shortcut.py").write_text(BROKEN)
    done = run(outside, project, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_shortcut.py")
    assert done.returncode == 1
    failures = [line.split("::") for line in done.stdout.splitlines() if line.startswith("FAILED")]
    failed = {kind: {name.split(" ")[0] for _, of_kind, name in failures if of_kind == kind} for _, kind, _ in failures}
    assert failed["TestLearnsInWarmUp"] == {"test_warming_up_changes_nothing"}
    assert failed["TestLearnsFromScoring"] == {"test_scoring_during_training_changes_nothing"}
    assert failed["TestShortcut"] >= {
        "test_scoring_twice_gives_the_same",
        "test_one_seed_gives_the_same_scores_bit_for_bit",
        "test_it_leaves_its_inputs_alone",
    }
    for message in (
        "two fits with the same seed and one thread give different scores",
        "two calls with the same arguments give different scores",
        "fit() makes train.users writeable",
    ):
        assert message in done.stdout


def test_without_pytest_the_tasks_still_work():
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from recbench.testing import checkerboard_task\n"
        "print(checkerboard_task().n_train)\n"
        "from recbench.testing import RecommenderContract\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "528\n"
    assert "RecommenderContract needs pytest, which is not installed" in done.stderr


class MostRecent:
    """Fits only rows with ratings and times."""

    def fit(self, train, context):
        self.last = np.zeros(train.n_items)
        np.maximum.at(self.last, train.items, train.timestamps * (train.ratings > 0))

    def score(self, users, items):
        return self.last[items]


class TestMostRecent(RecommenderContract):
    model = MostRecent
    personalises = False
    uses_seed = False
    needs_ratings = True
    needs_timestamps = True


def test_the_tasks_are_what_they_say():
    board, synthetic = checkerboard_task(), synthetic_task()
    colours = board.test.items % 2
    assert (colours == board.test.users % 2).all()
    assert (board.test.negatives % 2 != colours[:, None]).all()
    assert synthetic.digest == synthetic.spec.digest
