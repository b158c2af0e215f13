"""Trials in processes of their own: the same ranks, times and memory of their own, several at a time."""

import json
import os
import re
from pathlib import Path

import pytest

from recbench import temporary_files
from recbench.records import store
from recbench.records.selection import read_records

OWN = """
import os
import sys
import numpy as np

ON_IMPORT = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "MKL_NUM_THREADS")}


class Own:
    runs = 0

    def __init__(self, megabytes: int = 0):
        self.megabytes = megabytes

    def fit(self, train, context):
        Own.runs += 1
        self.kept = np.ones(self.megabytes * 2**17)
        context.report(process=os.getpid(), runs=Own.runs, threads=ON_IMPORT["OMP_NUM_THREADS"],
                       tf=ON_IMPORT["TF_NUM_INTRAOP_THREADS"], head=os.getsid(0) == os.getpid(),
                       frameworks=sum(name in sys.modules for name in ("tensorflow", "implicit", "scipy.stats")))

    def score(self, users, items):
        return np.random.default_rng(0).random(items.shape)
"""
several_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own_model.py").write_text(OWN)
    return "own_model.py:Own"


def records(folder):
    return [trial.record for trial in read_records(str(folder)).trials]


def test_a_process_each_whose_threads_are_set_before_it_loads_anything(recbench, own, tmp_path):
    done = recbench("run", "--models", own, "--task", "synthetic", OMP_NUM_THREADS="7")
    assert done.returncode == 0, done.stderr
    run_records = records(tmp_path / "results" / "runs")
    assert len({record.facts["process"] for record in run_records}) == 3
    for record in run_records:
        expected = {"runs": 1, "threads": "1", "tf": "1", "head": True, "frameworks": 0}
        assert {name: record.facts[name] for name in expected} == expected
        assert 0 < record.start_seconds < 30
        assert record.concurrent_trials == 1


LEAVING = """
import os
import tempfile
import numpy as np


class Leaving:
    def __init__(self, code: int = 0):
        self.code = code

    def fit(self, train, context):
        descriptor, self.name = tempfile.mkstemp()
        os.close(descriptor)
        mode = os.stat(os.path.dirname(self.name)).st_mode & 0o777
        context.report(mode=mode, variables=os.environ["TMPDIR"] == os.environ["TEMP"] == os.path.dirname(self.name))
        if self.code:
            os._exit(self.code)

    def score(self, users, items):
        assert os.path.exists(self.name)
        return np.random.default_rng(0).random(items.shape)
"""


@pytest.mark.parametrize("code", [0, 3])
def test_what_a_model_leaves_in_the_temporary_folder_is_removed(recbench, tmp_path, code):
    (tmp_path / "leaving.py").write_text(LEAVING)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = ("run", "--models", "leaving.py:Leaving", "--task", "synthetic", "--seeds", "2", "--param")
    done = recbench(*command, f"Leaving.code={code}", TMPDIR=str(temporary))
    assert done.returncode == (3 if code else 0), done.stderr
    assert not list(temporary.iterdir())
    if not code:
        for record in records(tmp_path / "results" / "runs"):
            assert (record.facts["mode"], record.facts["variables"]) == (0o700, True)


def test_what_lies_in_the_temporary_folder_of_all_programs_is_no_input(recbench, tmp_path_factory):
    (shared := tmp_path_factory.mktemp("shared")).joinpath("data.txt").write_text("x")
    (work := tmp_path_factory.mktemp("work")).joinpath("reading.py").write_text(
        f"import numpy as np\n\n\nclass Reading:\n    def fit(self, train, context):\n"
        f"        open({str(shared / 'data.txt')!r}).close()\n\n"
        "    def score(self, users, items):\n        return np.random.default_rng(0).random(items.shape)\n"
    )
    command = ("run", "--models", f"{work / 'reading.py'}:Reading", "--task", "synthetic", "--seeds", "1", "-o")
    for temporary, inputs in ((shared, set()), (work, {"data.txt"})):
        output = work / f"runs-{temporary.name}"
        done = recbench(*command, str(output), TMPDIR=str(temporary))
        assert done.returncode == 0, done.stderr
        (record,) = records(output)
        assert {Path(name).name for name in record.sources.data} == inputs


def test_without_a_temporary_folder_a_process_gets_none(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary_files.tempfile, "gettempdir", lambda: str(tmp_path / "none"))
    with temporary_files.own_temporary_folder() as variables:
        assert variables == {}


def test_peak_memory_is_a_trials_own(recbench, own, tmp_path):
    base = ("run", "--models", own, "--task", "synthetic", "--seeds", "1")
    for megabytes in ("300", "0"):
        assert recbench(*base, "--param", f"Own.megabytes={megabytes}").returncode == 0
    peaks = {
        record.parameters["megabytes"]: record.process_peak_rss_bytes
        for record in records(tmp_path / "results" / "runs")
    }
    assert 290 < (peaks[300] - peaks[0]) / 2**20 < 350


def test_in_one_process_the_ranks_are_the_same(recbench, own, tmp_path):
    base = ("run", "--models", f"popularity,random,{own}", "--task", "synthetic", "--seeds", "2")
    assert recbench(*base, "-o", "apart").returncode == 0
    assert recbench(*base, "-o", "together", "--in-process").returncode == 0
    apart, together = (sorted((tmp_path / name).glob("*.json")) for name in ("apart", "together"))
    assert [path.name for path in apart] == [path.name for path in together]
    assert len(apart) == 6
    for apart_path, together_path in zip(apart, together, strict=True):
        assert apart_path.with_suffix(".npz").read_bytes() == together_path.with_suffix(".npz").read_bytes()
        assert store.load(apart_path).metrics == store.load(together_path).metrics
    assert [store.load(path).facts["runs"] for path in together if "Own" in path.name] == [1, 2]


@several_cores
def test_several_at_a_time_are_marked(recbench, own, tmp_path):
    done = recbench("run", "--models", f"{own},popularity", "--task", "synthetic", "--jobs", "2", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert all(result["shared_machine"] for result in document["results"])
    assert [result["seeds"] for result in document["results"]] == [[0, 1, 2]] * 2
    assert {record.concurrent_trials for record in records(tmp_path / "results" / "runs")} == {2}
    starts = re.findall(r"\[(\d)/6\] .* \.\.\.", done.stderr)
    assert starts == list("123456")


BAD = {
    "more jobs than cores": (["--jobs", "4096"], "--jobs 4096 with --threads 1 need 4096 cores"),
    "jobs without processes": (["--in-process", "--jobs", "2"], "need a process for each trial"),
    "a limit without processes": (["--in-process", "--timeout", "2"], "need a process for each trial"),
    "memory of no size": (["--max-memory", "much"], "--max-memory 'much' is not an amount of memory"),
    "memory of no bytes": (["--max-memory", "0GB"], "--max-memory '0GB' is not an amount of memory"),
    "no time": (["--timeout", "0"], "--timeout '0' is not a number from 0.001 up"),
    "repeated and not run": (["--force", "--collect"], "Use only one of them"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input(recbench, tmp_path, arguments, message):
    done = recbench("run", "--models", "popularity", "--task", "synthetic", *arguments)
    assert done.returncode == 2
    assert message in re.sub(r"\s+", " ", done.stderr)
    assert not (tmp_path / "results").exists()


def test_a_task_that_changes_meanwhile(recbench, home, tmp_path):
    (tmp_path / "digs.py").write_text(
        "import numpy as np\n"
        "from pathlib import Path\n"
        "class Digs:\n"
        "    def fit(self, train, context):\n"
        f"        (task,) = Path({str(home)!r}).glob('tasks/built/*')\n"
        "        other = task.with_name('other')\n"
        # More than the padding after the last array, which nobody would miss.
        "        other.write_bytes(task.read_bytes()[:-(2**17)])\n"
        "        other.replace(task)\n"
        "    def score(self, users, items):\n"
        "        return np.zeros(items.shape)\n"
    )
    done = recbench("run", "--models", "digs.py:Digs", "--task", "synthetic", "--seeds", "2")
    assert done.returncode == 3
    assert re.search(r"Digs, seed 1: failed: \S+ (is not a task file that can be read|was changed)", done.stderr)


def test_the_first_words_come_before_the_slow_imports(own, tmp_path):
    import subprocess
    import sys

    waits = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.01)\n"
    (tmp_path / "slow.py").write_text(waits + OWN)
    with subprocess.Popen(
        [sys.executable, "-m", "recbench", "run", "--models", "slow.py:Own", "--task", "synthetic", "--seeds", "1"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr.readline() == "Task synthetic; models slow.py:Own\n"
        finally:
            (tmp_path / "go").touch()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_model_that_imports_slowly_is_waited_for_beside_others(recbench, tmp_path):
    source = """
import time

import numpy as np

time.sleep(1)


class Slow:
    def __init__(self, level=0.5):
        self.level = level

    def fit(self, train, context):
        pass

    def score(self, users, items):
        return np.full(items.shape, self.level)
"""
    (tmp_path / "slow.py").write_text(source, encoding="utf-8")
    done = recbench(
        "run", "--models", "slow.py:Slow,popularity", "--task", "synthetic", "--seeds", "1", "--timeout", "30", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert [result["params"] for result in json.loads(done.stdout)["results"]] == [{"level": 0.5}, {}]
