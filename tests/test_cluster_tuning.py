"""``recbench tune --cluster`` on a real Dask cluster of this machine."""

import json
import re
import signal
import sqlite3
import time

import psutil
import pytest

from recbench.records.tuned_settings import load
from recbench.tasks import task_file
from recbench.tasks.tuning_task import tuning_task
from tests.dask_cluster import Cluster, Proxy, Run, trial_processes
from tests.tuned_models import SOURCE

pytest.importorskip("distributed")

OWN = (
    "import glob\nimport os\nimport time\n"
    + SOURCE
    + '''

class Meets(Known):
    """Does not begin before another trial has begun as well."""

    def fit(self, train, context):
        open(f"begun-{os.getpid()}", "w").close()
        while len(glob.glob("begun-*")) < 2:
            time.sleep(0.02)
        super().fit(train, context)


class Waits(Known):
    """Is scored after its second epoch, and then waits for a file."""

    def fit(self, train, context):
        self.context = context
        super().fit(train, self)

    def end_epoch(self):
        going_on = self.context.end_epoch()
        self.ended = getattr(self, "ended", 0) + 1
        while self.ended == 2 and not os.path.exists("go"):
            time.sleep(0.02)
        return going_on
'''
)
SPACES = """
[Meets]
good = { low = 0.0, high = 1.0 }
epochs = { low = 4, high = 8, integer = true }

[Waits]
good = { low = 0.0, high = 1.0 }
epochs = { low = 4, high = 8, integer = true }
"""
STORAGE = "results/tuning/synthetic.db"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    for _ in range(2):
        found.add_worker()
    yield found
    found.end()


@pytest.fixture(autouse=True)
def files(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "spaces.toml").write_text(SPACES)


def tuning(cluster, folder, model, trials, address=""):
    wanted = ("--models", f"own.py:{model}", "--trials", str(trials), "--budget", "100", "--spaces", "spaces.toml")
    return Run(cluster, folder, *wanted, "-o", "s.toml", "--json", command="tune", address=address)


def result(run):
    document = json.loads(run.end(0))
    return document["results"][0]


def scores_told(folder):
    with sqlite3.connect(folder / STORAGE) as storage:
        return storage.execute("SELECT count(*) FROM trial_intermediate_values").fetchone()[0]


def both_wait(run, folder):
    """Lets both workers' trials come to the place where they wait."""
    run.wait_for(r"Waits: trial 0 on tcp://\S+ \.\.\.")
    run.wait_for(r"Waits: trial 1 on tcp://\S+ \.\.\.")
    deadline = time.monotonic() + 60
    while scores_told(folder) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_workers_tune_at_a_time_on_what_holds_no_test_case(cluster, tmp_path, synthetic_task):
    run = tuning(cluster, tmp_path, "Meets", 12)
    found = result(run)
    # The first two would still wait for each other otherwise.
    assert found["trials"]["completed"] + found["trials"]["pruned"] == sum(found["trials"].values()) == 12
    assert found["trials"]["pruned"] >= 1
    assert len(set(re.findall(r"trial [01] on (\S+) \.\.\.", run.messages))) == 2
    assert re.search(r"Meets \[12/12\] trial \d+: .*NDCG@10 0\.\d{4}", run.messages)
    assert load(tmp_path / "s.toml").models["Meets"].parameters == found["params"]
    assert found["validation_score"] > found["default_score"]
    shipped = list(cluster.folder.glob("home*/tasks/shipped/*"))
    seen = tuning_task(synthetic_task)
    assert [task_file.load(path).digest for path in shipped] == [seen.digest] * 2
    assert seen.digest != synthetic_task.digest


def test_a_worker_that_is_killed_in_the_middle_of_a_trial(cluster, tmp_path):
    run = tuning(cluster, tmp_path, "Waits", 4)
    both_wait(run, tmp_path)
    cluster.workers[-1].kill()
    lost = run.wait_for(r"Worker tcp://\S+ is gone, and with it Waits trial ([01]), seed 0\.")
    (tmp_path / "go").touch()
    found = result(run)
    assert found["trials"]["completed"] == sum(found["trials"].values()) == 4
    assert [one["trial"] for one in found["history"]] == [0, 1, 2, 3]
    assert run.messages.count(f"trial {lost[1]} on tcp") == 1
    assert "is already reported" not in run.messages
    cluster.add_worker()


@pytest.mark.parametrize("how", ["interrupted", "cut off"])
def test_it_goes_on_where_it_was(cluster, tmp_path, how):
    proxy = Proxy(cluster.port)
    run = tuning(cluster, tmp_path, "Waits", 3, f"tcp://127.0.0.1:{proxy.port}")
    both_wait(run, tmp_path)
    running = trial_processes(cluster)
    assert len(running) == 2
    if how == "interrupted":
        run.process.send_signal(signal.SIGINT)
        run.end(130)
        assert f"Interrupted. 0 of 3 trials are kept in {STORAGE}. Resume with:" in run.messages
    else:
        proxy.cut()
        run.end(2)
        assert run.messages.count("is lost.") == 1
        assert "When the cluster can be reached again, run the same command to resume" in run.messages
    assert not psutil.wait_procs(running, timeout=20)[1]
    (tmp_path / "go").touch()
    found = result(tuning(cluster, tmp_path, "Waits", 3))
    history = found["history"]
    assert [one["end"] for one in history] == ["interrupted"] * 2 + ["completed"] * 3
    assert [one["params"] for one in history[:2]] == [one["params"] for one in history[2:4]]
    assert all(one["seconds"] > 0 for one in history)
