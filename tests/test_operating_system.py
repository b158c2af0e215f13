"""The alternatives for what an operating system lacks: on Linux with these functions removed, elsewhere as it is."""

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from recbench.cli import doctor
from recbench.operating_system import guardians
from recbench.operating_system.guarantees import weaker_guarantees
from recbench.operating_system.pipes import incoming_pipe, wait_for_pipes
from recbench.operating_system.process_tree import ProcessTree
from recbench.operating_system.processor import available_cores
from recbench.records import store
from recbench.records.schema import Status
from recbench.runners.processes.output_pipe import OutputPipe
from tests.other_systems.sitecustomize import MISSING

MODELS = Path(__file__).parent / "portable_models.py"
OTHER_SYSTEMS = Path(__file__).parent / "other_systems"
ON_LINUX = sys.platform == "linux"
SYSTEMS = ["here", *(MISSING if ON_LINUX else [])]


def take_interruptions():
    """A shell's background jobs, and so a test run among them, ignore interruptions."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


OWN_GROUP = (
    {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    if sys.platform == "win32"
    else {"preexec_fn": take_interruptions}
)


def alternative(system):
    """The system whose alternatives a run uses: Linux as it is has tests of its own."""
    return system if ON_LINUX else "here"


def command(*arguments):
    return [sys.executable, "-m", "recbench", *arguments]


def surroundings(folder, system):
    path = [str(OTHER_SYSTEMS)] * (system != "here") + [os.environ.get("PYTHONPATH", ""), str(MODELS.parent.parent)]
    name = {} if system == "here" else {"RECBENCH_TEST_SYSTEM": system}
    return {**os.environ, **name, "PYTHONPATH": os.pathsep.join(filter(None, path)), "RECBENCH_HOME": f"{folder}/home"}


@pytest.fixture(params=SYSTEMS)
def system(request, monkeypatch):
    """Every system, in this process."""
    for name in MISSING.get(request.param, ()):
        for module in (os, signal, select):
            monkeypatch.delattr(module, name, raising=False)
    if request.param != "here":
        monkeypatch.setattr(guardians, "c_library", lambda: None)
    return request.param


def python(program, *arguments, **options):
    return ProcessTree([sys.executable, "-c", program, *arguments], os.environ, **options)


def is_gone(pid):
    """Whether a process is over; one that was killed is there until the system has cleared it away."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def number_in(file):
    return int(file.read_text(encoding="utf-8"))


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_ended_process_keeps_its_exit_code(system):
    tree = python("raise SystemExit(7)")
    wait_until(tree.has_ended)
    assert tree.kill() == 7
    assert tree.has_ended()


def test_a_process_ends_with_all_that_it_started(system, tmp_path):
    program = (
        "import sys; sys.path[:0] = [sys.argv[1]]; from tests.portable_models import Hangs; Hangs().fit(None, None)"
    )
    tree = python(program, str(MODELS.parent.parent), cwd=tmp_path)
    files = [tmp_path / name for name in ("orphan.pid", "child.pid")]
    wait_until(lambda: all(file.exists() and file.read_text(encoding="utf-8") for file in files))
    assert not tree.has_ended()
    tree.kill()
    for pid in (tree.process.pid, *map(number_in, files)):
        wait_until(lambda pid=pid: is_gone(pid))


def test_a_child_ends_with_a_process_that_is_gone_already(system, tmp_path):
    program = "import sys; sys.path[:0] = [sys.argv[1]]; from tests import portable_models as m; exec(m.LEAVES_A_CHILD)"
    program = program.replace("exec", "sys.argv[1] = m.SLEEPS; exec")
    tree = python(program, str(MODELS.parent.parent), cwd=tmp_path)
    wait_until(tree.has_ended)
    assert tree.kill() == 0
    wait_until(lambda: is_gone(number_in(tmp_path / "orphan.pid")))


def test_a_pipe_is_read_without_waiting(system):
    waits = "import sys; print('one', end='', flush=True); sys.stdin.readline(); print('x' * 10**6 + 'end', end='')"
    tree = python(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pipe = incoming_pipe(tree.process.stdout)
    content = b""
    while not content:
        wait_for_pipes([pipe], 0.1)
        content = pipe.read()
    assert content == b"one"
    assert pipe.read() == b""
    tree.process.stdin.write(b"\n")
    tree.process.stdin.close()
    content = b""
    while not content.endswith(b"end"):
        wait_for_pipes([pipe], 0.1)
        content += pipe.read()
    wait_until(tree.has_ended)
    pipe.finish()
    assert pipe.read() == b""
    assert len(content) == 10**6 + 3
    tree.kill()
    tree.process.stdout.close()


def test_all_that_an_ended_process_sent_is_read(system):
    tree = python("print('x' * 50_000 + 'end', end='')", stdout=subprocess.PIPE)
    pipe = incoming_pipe(tree.process.stdout)
    wait_until(tree.has_ended)
    pipe.finish()
    content = b""
    while part := pipe.read():
        content += part
    assert content.endswith(b"end")
    tree.kill()
    tree.process.stdout.close()


def printing(program, folder, system="here", **options):
    """Starts a program whose output goes into a log."""
    output = OutputPipe()
    tree = ProcessTree(
        [sys.executable, "-c", program], surroundings(folder, system), stdout=output.writer, stderr=output.writer,
        **options,
    )  # fmt: skip
    output.close_writer()
    return tree, output


def test_output_is_read_while_it_is_written(tmp_path):
    program = "import sys; print('one', flush=True); sys.stdin.readline(); print('two')"
    tree, output = printing(program, tmp_path, stdin=subprocess.PIPE)
    wait_until(lambda: output.tail() == ("one",))
    log = tmp_path / "log"
    output.move_to(log)
    assert log.read_text(encoding="utf-8").split() == ["one"]
    tree.process.stdin.write(b"\n")
    tree.process.stdin.close()
    wait_until(tree.has_ended)
    tree.kill()
    output.close()
    assert output.tail() == ("one", "two")
    assert log.read_text(encoding="utf-8").split() == ["one", "two"]


def test_a_process_says_where_it_hangs(system, tmp_path):
    """It is asked by a signal, or has a timer."""
    program = """
from recbench.operating_system.stacks import print_stacks
import time
print_stacks(0.5)
def hanging():
    print("ready", flush=True)
    time.sleep(1000)
hanging()
"""
    tree, output = printing(program, tmp_path, system)
    wait_until(lambda: "ready" in output.tail())
    tree.await_stacks()
    wait_until(lambda: any("in hanging" in line for line in output.tail()))
    tree.kill()
    output.close()


IMPORTS_ALL = """
import importlib, pkgutil, sys
import psutil
sys.modules.update(dict.fromkeys(["fcntl", "grp", "pwd", "resource", "termios"]))
import recbench
for module in pkgutil.walk_packages(recbench.__path__, "recbench."):
    try:
        module.name.endswith("__main__") or importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed", "matplotlib", "optuna"):
            raise
"""


def test_every_module_can_be_imported_without_those_of_unix(tmp_path):
    done = subprocess.run([sys.executable, "-c", IMPORTS_ALL], env=surroundings(tmp_path, "here"), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    """Models that misbehave, and a good one, on a system without process groups and signals."""
    folder = tmp_path_factory.mktemp("bad")
    models = ",".join(f"{MODELS}:{name}" for name in ("Aborts", "ExitsHard", "Hangs", "Leaks", "Good"))
    done = subprocess.run(
        command("run", "--models", models, "--task", "synthetic", "--seeds", "1", "--timeout", "4",
                "--max-memory", "400MiB", "--jobs", str(min(2, available_cores())), "-o", "runs"),
        cwd=folder, env=surroundings(folder, alternative("windows")),
        capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    paths = (folder / "runs").glob("*.json")
    return folder, {record.model: record for record in map(store.load, paths)}


def test_every_end_becomes_a_record(bad_run):
    _, records = bad_run
    assert {name: record.status for name, record in records.items()} == {
        "Aborts": Status.FAILED, "ExitsHard": Status.FAILED, "Hangs": Status.TIMED_OUT, "Leaks": Status.OUT_OF_MEMORY,
        "Good": Status.DONE,
    }  # fmt: skip
    assert "exit code 7" in records["ExitsHard"].error
    assert records["ExitsHard"].output_tail[-1] == "last words"
    assert "about to fall" in records["Aborts"].output_tail
    assert any("portable_models.py" in line and "fit" in line for line in records["Hangs"].output_tail)


def test_nothing_is_left_behind(bad_run):
    folder, _ = bad_run
    wait_until(lambda: all(is_gone(number_in(folder / name)) for name in ("orphan.pid", "child.pid")))


def test_records_name_what_is_weaker(bad_run):
    _, records = bad_run
    weaker = {"ends-with-run", "ends-with-trial"} | (set() if sys.platform == "darwin" else {"stacks-at-timeout"})
    assert all(weaker <= set(record.environment.weaker_guarantees) for record in records.values())


def test_the_doctor_names_what_is_weaker(system, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_try_import", lambda *_: {"version": "1", "result": "imports", "seconds": 1.0})
    doctor.doctor(as_json=False)
    named = re.findall(r"weaker here: (\S+)", capsys.readouterr().out)
    assert named == list(weaker_guarantees())
    assert system != "windows" or named == ["ends-with-run", "ends-with-trial", "stacks-at-timeout"]


def start_sleeping(folder, system):
    """Starts a run, and returns it and its trial's processes once the trial has begun."""
    process = subprocess.Popen(
        command("run", "--models", f"{MODELS}:Sleeps", "--task", "synthetic", "--seeds", "1"),
        cwd=folder, env=surroundings(folder, alternative(system)), stderr=subprocess.PIPE, encoding="utf-8",
        **OWN_GROUP,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("[1/1]"):
            break
    time.sleep(1)
    return process, [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


def test_a_killed_run_takes_its_trials_along(tmp_path):
    process, trials = start_sleeping(tmp_path, "macos")
    assert trials
    process.kill()
    process.communicate()
    wait_until(lambda: all(map(is_gone, trials)))


def test_an_interrupted_run_says_what_is_kept(tmp_path):
    process, trials = start_sleeping(tmp_path, "windows")
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
    _, messages = process.communicate(timeout=60)
    assert process.returncode == (143 if sys.platform == "win32" else 130), messages
    assert "Interrupted. 0 of 1 trials are kept in" in messages
    wait_until(lambda: all(map(is_gone, trials)))


def test_a_thread_that_reads_a_pipe_ends_with_it(monkeypatch):
    monkeypatch.delattr(select, "poll", raising=False)
    before = threading.active_count()
    tree = python("pass", stdout=subprocess.PIPE)
    pipe = incoming_pipe(tree.process.stdout)
    tree.kill()
    pipe.finish()
    assert pipe.ended
    assert threading.active_count() == before
    tree.process.stdout.close()
