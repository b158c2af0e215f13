"""Runs that are ended from outside, at any moment, and disks that take no more: what is left is whole, or absent."""

import contextlib
import ctypes
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from recbench.evaluation.ranking import Ranks
from recbench.records import store
from recbench.records.interruption import Terminated, interruptible
from recbench.records.schema import Status
from recbench.records.selection import read_records
from recbench.records.store import TrialRanks
from recbench.runners import schedule
from recbench.runners.processes.local import wait_for
from recbench.runners.schedule import run_plan
from recbench.trials.conditions import TrialOutcome
from tests.examples import a_record
from tests.forked_program import ForkedProgram

COMMAND = (sys.executable, "-m", "recbench", "run", "--models", "popularity", "--task", "synthetic")
TRIALS_STARTED = {"PYTHONHASHSEED": "0"}
"""A variable of Python's that the server does not have: a forked run starts its trials' processes as usual."""
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def start(folder: Path, *arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **options.pop("env", {})},
        **options,
    )


@pytest.fixture
def fork(program_server):
    """Does what ``start`` does, without Python's own start."""

    def forked(folder: Path, *arguments: str, **environment: str) -> ForkedProgram:
        return program_server.popen([*COMMAND[3:], *arguments], folder, {**os.environ, **environment})

    return forked


def take_interruptions():
    """A shell's background jobs, and so a test run among them, ignore interruptions; below nohup also SIGHUP."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def children_of(process: subprocess.Popen | ForkedProgram) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def processes_in(folder: Path) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(folder)]


def whole_records(folder: Path) -> int:
    """Reads every record and its ranks, and checks that they belong together; returns how many there are."""
    if not list(folder.glob("*.json")):
        return 0
    return len(read_records(str(folder)).trials)


def ranks_for(luck: int) -> tuple[TrialRanks, float]:
    better = np.random.default_rng(luck).integers(0, 20, 5000).astype(np.int32)
    zeros = np.zeros(5000, dtype=np.int32)
    users = np.arange(5000, dtype=np.int32)
    return TrialRanks(Ranks(users, zeros + 100, better, zeros)), float((better < 10).mean())


def save_for_ever(folder: Path) -> None:
    """Repeats two trials again and again, with another result each time."""
    luck = os.getpid()
    while True:
        luck += 1
        ranks, hr = ranks_for(luck)
        store.save(a_record("toy", luck % 2, hr=hr, n_cases=5000, n_users=5000, metrics=metrics_of(hr)), ranks, folder)


def metrics_of(hr: float):
    from recbench.records.schema import MetricValue

    return {"hr@10": MetricValue(mean=hr, user_mean=hr, optimistic=hr, pessimistic=hr)}


def start_writer(folder: Path) -> int:
    if (pid := os.fork()) == 0:
        try:
            save_for_ever(folder)
        finally:
            os._exit(1)
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def test_sixty_kills_while_records_are_written(tmp_path):
    """Or more, until enough of them have come in the middle of a file, and some record was whole before."""
    chance = random.Random(0)
    kills, in_a_file, whole = 0, 0, 0
    while kills < 60 or in_a_file < 10 or not whole:
        assert kills < 1000
        writer = start_writer(tmp_path)
        # A slow machine gets more time for a record, little by little.
        time.sleep(chance.uniform(0.002, 0.06 + kills / 1000))
        kill(writer)
        kills += 1
        whole = whole_records(tmp_path)
        in_a_file += len(list(tmp_path.glob(".*.tmp"))) > 0
        store.tidy(tmp_path)
        assert not list(tmp_path.glob(".*.tmp"))


def test_two_writers_of_the_same_records(tmp_path):
    """One of them is killed, perhaps while it holds the lock; the other goes on."""
    writers = [start_writer(tmp_path) for _ in range(2)]
    time.sleep(0.5)
    kill(writers.pop())
    with store.locked(tmp_path):
        assert whole_records(tmp_path) >= 1
    kill(writers.pop())


def test_a_killed_run_takes_its_processes_along_and_is_continued(tmp_path, fork):
    chance = random.Random(1)
    with_workers = 0
    folder = tmp_path / "results" / "runs"
    (tmp_path / "whole").mkdir()
    began = time.monotonic()
    whole = fork(tmp_path / "whole", **TRIALS_STARTED)
    assert "popularity" in whole.communicate(timeout=120)[0]
    seconds = time.monotonic() - began
    for _ in range(6):
        process = fork(tmp_path, "--force", **TRIALS_STARTED)
        time.sleep(chance.uniform(0, seconds))
        workers = children_of(process)
        process.kill()
        process.communicate()
        with_workers += bool(workers)
        # And those that it started between the look and its end.
        workers += processes_in(tmp_path)
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert not alive
        whole_records(folder)
    assert with_workers
    before = whole_records(folder)
    done = fork(tmp_path)
    _, messages = done.communicate(timeout=120)
    assert done.returncode == 0, messages
    assert whole_records(folder) == 3
    if before:
        assert f"{before} of 3 trials are kept" in messages
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]


def test_neither_a_hanging_process_nor_its_daemon_outlives_a_killed_run(tmp_path, fork):
    model = Path(__file__).parent / "bad_models.py"
    process = fork(tmp_path, "--seeds", "1", "--models", f"{model}:HangsBesideADaemon", **TRIALS_STARTED)
    while not (tmp_path / "daemon.pid").exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    workers = [*children_of(process), psutil.Process(int((tmp_path / "daemon.pid").read_text()))]
    process.kill()
    process.communicate()
    assert len(workers) > 2
    assert not psutil.wait_procs(workers, timeout=10)[1]


@pytest.mark.parametrize(
    ("number", "code", "delay"),
    [
        *((signal.SIGINT, 130, delay) for delay in (0.4, 1.5)),
        *((signal.SIGTERM, 143, delay) for delay in (0.4, 1.5)),
        (signal.SIGHUP, 143, 1.5),
    ],
)
def test_an_ended_run_says_so_and_ends_at_once(tmp_path, number, code, delay):
    process = start(tmp_path, "--seeds", "40", preexec_fn=take_interruptions)
    time.sleep(delay)
    assert process.stderr.readline().startswith("Task synthetic")
    workers = children_of(process)
    began = time.monotonic()
    process.send_signal(number)
    output, messages = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == code, messages
    assert output == ""
    assert "Traceback" not in messages
    found = re.search(r"Interrupted\. (?:No trial ran|(\d+) of 40 trials are kept in results/runs)\.", messages)
    assert found
    assert "recbench run --models popularity --task synthetic --seeds 40" in messages
    assert whole_records(tmp_path / "results" / "runs") == int(found[1] or 0)
    assert not psutil.wait_procs(workers, timeout=5)[1]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param('exec("signal.raise_signal(signal.SIGINT)")', id="dataclass"),  # runs methods that it writes
        pytest.param('type("Made", (), {"name": SetsName()})', id="set_name"),  # raises RuntimeError until Python 3.12
        pytest.param("raise_another_error()", id="no reference"),  # as pydantic does
    ],
)
def test_an_interruption_while_a_class_is_made_has_its_exit_code(tmp_path, statement):
    """As it may while modules are imported."""
    program = """
import signal
from pathlib import Path
from recbench.cli import app
from recbench.cli.shared import interruption
from recbench.cli.shared.later_commands import LaterCommand

class SetsName:
    def __set_name__(self, owner, name):
        signal.raise_signal(signal.SIGINT)

def raise_another_error():
    text = ""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt as interruption:
        text = repr(interruption)
    raise ValueError(text)

def make_a_class():
    with interruption.interruption_message(Path("results")):
        STATEMENT

app.COMMANDS["make-a-class"] = LaterCommand("__main__:make_a_class", "Makes a class.")
app.main()
"""
    (tmp_path / "program.py").write_text(program.replace("STATEMENT", statement))
    done = subprocess.run(
        [sys.executable, "-m", "program", "make-a-class"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=take_interruptions,
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.startswith("Interrupted. No trial ran. Resume with:")


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 143)], ids=["SIGINT", "SIGTERM", "SIGHUP"]
)
@pytest.mark.parametrize("when", ["it runs", "its error is printed"])
def test_an_interruption_of_any_command_has_its_exit_code(tmp_path, name, code, when):
    """Also of one without trials, which leaves nothing to resume."""
    program = f"""
import signal
from recbench.cli import app
from recbench.cli.shared.later_commands import LaterCommand
from recbench.errors import RecbenchError

def is_interrupted():
    signal.raise_signal(signal.{name})

def fails():
    app.fail = lambda error: is_interrupted()
    raise RecbenchError("It is wrong.")

app.COMMANDS["own"] = LaterCommand("__main__:{"is_interrupted" if when == "it runs" else "fails"}", "Ends.")
app.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "own"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, preexec_fn=take_interruptions,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr


class OneTrial:
    """A ``Runner`` whose trial is over at once."""

    def run(self, trials, folder):
        yield trials[0], TrialOutcome(a_record("popularity", 0), None)


def test_no_interruption_comes_between_a_record_and_its_count(tmp_path, monkeypatch):
    save, kept = store.save, []

    def interrupted_save(*arguments):
        stored = save(*arguments)
        signal.raise_signal(signal.SIGTERM)
        return stored

    monkeypatch.setattr(store, "save", interrupted_save)
    monkeypatch.setattr(schedule, "with_own_files_checked", lambda record, model: record)
    trial = SimpleNamespace(label="popularity, seed 0", model=None)
    with pytest.raises(Terminated), interruptible():
        run_plan(OneTrial(), [trial], tmp_path, lambda event: kept.append(event.result))
    assert [one.path for one in kept] == list(tmp_path.glob("*.json"))


def lose_an_interruption():
    """As Python does in ``__del__``."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


class LosesAnInterruption:
    """A ``Runner`` that loses an interruption, and goes on."""

    def run(self, trials, folder):
        lose_an_interruption()
        for trial in trials:
            yield trial, TrialOutcome(a_record("popularity", 0), None)


def test_a_run_ends_though_its_interruption_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "with_own_files_checked", lambda record, model: record)
    trials, kept = [SimpleNamespace(label="popularity, seed 0", model=None)] * 40, []
    with pytest.raises(Terminated), interruptible():
        run_plan(LosesAnInterruption(), trials, tmp_path, kept.append)
    assert len(kept) == 1
    run_plan(OneTrial(), trials[:1], tmp_path, kept.append)


def test_waiting_for_a_trial_ends_though_an_interruption_was_lost():
    with interruptible():
        lose_an_interruption()
        with pytest.raises(Terminated):
            wait_for([])


def test_two_runs_share_a_folder(tmp_path, fork):
    fork(tmp_path, "--seeds", "1", "--dry-run").communicate(timeout=60)  # builds the task once
    both = [fork(tmp_path, "--seeds", "2") for _ in range(2)]
    for process in both:
        _, messages = process.communicate(timeout=120)
        assert process.returncode == 0, messages
    assert whole_records(tmp_path / "results" / "runs") == 2


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))


def test_a_disk_that_takes_no_more(tmp_path, fork):
    """The limit lets logs and locks be, and is less than a record needs."""
    fork(tmp_path, "--seeds", "1", "--dry-run").communicate(timeout=60)
    process = start(tmp_path, preexec_fn=limit_file_size)
    output, messages = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output == ""
    assert re.search(r"Cannot write results/runs/synthetic--popularity\S+: File too large", messages)
    assert "Traceback" not in messages
    assert not [path for path in (tmp_path / "results" / "runs").iterdir() if path.name not in (".lock", "logs")]


def without_override():
    """Root may write anywhere, unless it loses that right."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def test_a_folder_that_is_read_only(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir(mode=0o555)
    process = start(tmp_path, "-o", "runs", preexec_fn=without_override)
    output, messages = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Cannot write to the output folder runs: Permission denied" in messages
    assert "Choose another folder with -o" in messages
    assert output == ""
    assert not list(folder.iterdir())


def test_a_clock_that_goes_backwards(tmp_path):
    """In the run and in the trials' processes; nothing waits for it, and nothing is timed by it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nnow = [2e9]\ndef backwards():\n    now[0] -= 3600\n    return now[0]\ntime.time = backwards\n"
    )
    process = start(tmp_path, "--seeds", "1", "--timeout", "60", env={"PYTHONPATH": str(tmp_path)})
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 0, messages
    for trial in read_records(str(tmp_path / "results" / "runs")).trials:
        assert trial.record.status is Status.DONE
        assert 0 < trial.record.fit_seconds < 60
        assert 0 < trial.record.start_seconds < 60
