"""Whatever a model does to its process, the others run, and what is left on disk is whole."""

import io
import json
import os
import re
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from recbench.errors import RecbenchError
from recbench.records import ranks_file, store
from recbench.records.schema import Record, Status
from recbench.registry.parameter_values import recordable
from recbench.registry.requested import request_models
from recbench.runners.base import Assignment
from recbench.runners.limits import Limits
from recbench.runners.processes import local, worker_process
from recbench.runners.processes.local import LocalProcesses
from recbench.runners.processes.messages import AnswerReader, Ended, Happened, MessageError
from recbench.runners.processes.worker_process import WorkerProcess
from recbench.tasks import task_file
from recbench.trials import logs
from recbench.trials.conditions import Conditions
from recbench.trials.events import Event, EventKind
from recbench.trials.identity import TaskFacts
from tests.examples import a_record

BAD_MODELS = Path(__file__).parent / "bad_models.py"
DONE, FAILED, TIMED_OUT, OUT_OF_MEMORY = Status.DONE, Status.FAILED, Status.TIMED_OUT, Status.OUT_OF_MEMORY

ENDS = {
    "Good": (DONE, None, None),
    "Segfaults": (FAILED, "SIGSEGV", "its process was ended by SIGSEGV; in fit, after epoch 2"),
    "Killed": (FAILED, "SIGKILL", r"ended by SIGKILL \(the system does this when memory runs out\); in fit"),
    "Aborts": (FAILED, "SIGABRT", "ended by SIGABRT; in score"),
    "Exits": (FAILED, None, "SystemExit: 5"),
    "ExitsHard": (FAILED, None, "its process ended with exit code 7 before the trial was over; in fit"),
    "InterruptsItself": (FAILED, "SIGINT", "ended by SIGINT; in fit"),
    "HangsInNativeCode": (TIMED_OUT, None, "took longer than 4 s; in fit"),
    "HangsInAnotherProcess": (TIMED_OUT, None, "took longer than 4 s; in fit"),
    "Leaks": (OUT_OF_MEMORY, None, r"used [\d,]+ MiB of memory; the limit is 400 MiB; in fit"),
    "LeaksInAnotherProcess": (OUT_OF_MEMORY, None, r"used [\d,]+ MiB of memory; the limit is 400 MiB; in fit"),
    "TooLarge": (
        OUT_OF_MEMORY,
        None,
        r"^not started: .* 400 items needs 524,288\.0 GiB of memory, and .* are available",
    ),
    "AboveTheLimit": (
        OUT_OF_MEMORY,
        None,
        r"needs 500\.0 MiB of memory, and .* of the limit of 400\.0 MiB are left",
    ),
    "Prints": (DONE, None, None),
    "Forks": (DONE, None, None),
    "LeavesThreads": (DONE, None, None),
    "ChangesItsSurroundings": (DONE, None, None),
    "ClosesAll": (FAILED, None, "its process closed the pipe to recbench; in fit"),
    "Reads": (FAILED, None, "EOFError: EOF when reading a line"),
    "TalksNonsense": (FAILED, None, r"wrote to recbench's pipe is not a message: it begins with b'nonsense'"),
    "LeavesADaemon": (DONE, None, None),
    "KillsItsGuardian": (FAILED, "SIGKILL", "ended by SIGKILL"),
    "SignalsItsParents": (DONE, None, None),
    "EndsByANamelessSignal": (FAILED, "signal 40", "ended by signal 40; in fit"),
    "RaisesItsOwn": (FAILED, None, r"Own: \(its message cannot be shown: SystemExit\)"),
    "SaysTooMuch": (FAILED, None, r"^ValueError: x+\[\.\.\. 29,99\d,\d{3} more \.\.\.\]x+$"),
    "ClosesSome": (FAILED, None, "its process closed the pipe to recbench; in fit"),
    "HangsInFlush": (DONE, None, None),
    "SharesMemory": (DONE, None, None),
    "popularity": (DONE, None, None),
}
STARTED = ("Segfaults", "HangsInNativeCode", "HangsInAnotherProcess", "KillsItsGuardian")
"""Their processes are started, all others are forked, see ``tests/forked_workers.py``.

The stack of a forked process is longer than what a record keeps. What outlives a guardian is found by the variables
that its process was started with, and those of a forked process are the server's.
"""


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory, program_server):
    """All of them, and a good one at the end of each run; returns the processes and the folder."""
    folder = tmp_path_factory.mktemp("bad")
    jobs = str(min(2, len(os.sched_getaffinity(0))))
    environment = {**os.environ, "RECBENCH_HOME": str(folder / "home")}

    def arguments(*names):
        models = ",".join(name if name.islower() else f"{BAD_MODELS}:{name}" for name in names)
        return ["run", "--models", models, "--task", "synthetic", "--seeds", "1",
                "--timeout", "4", "--max-memory", "400MiB", "--jobs", jobs, "--json", "-o", "runs"]  # fmt: skip

    forked = arguments(*(name for name in ENDS if name not in STARTED))
    started = subprocess.run(
        [sys.executable, "-m", "recbench", *arguments(*STARTED, "popularity"), "--force"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return [started, program_server.run([*forked, "--force"], folder, environment, timeout=300)], folder


def record_of(folder: Path, model: str) -> tuple[Record, Path]:
    (path,) = (folder / "runs").glob(f"*--{model}--*.json")
    return store.load(path), path


def log_of(path: Path) -> str:
    return (path.parent / "logs" / f"{path.stem}.log").read_text(errors="replace")


@pytest.mark.parametrize("model", ENDS)
def test_every_end_becomes_a_record(bad_run, model):
    status, signal_name, error = ENDS[model]
    record, path = record_of(bad_run[1], model)
    assert record.status is status, record.error
    assert record.signal == signal_name
    assert error is None or re.search(error, record.error), record.error
    assert path.with_suffix(".npz").exists() == (status is DONE)
    if status is DONE:
        good, _ = record_of(bad_run[1], "Good")
        assert record.metrics == good.metrics


def test_the_run_ends_well_and_leaves_nothing_behind(bad_run):
    runs, folder = bad_run
    messages = "".join(done.stderr for done in runs)
    assert [done.returncode for done in runs] == [3, 3], messages
    assert "Traceback" not in messages
    results = [one for done in runs for one in json.loads(done.stdout)["results"]]
    assert len(results) == len(ENDS) + 1
    assert {one["model"]: one["status"] for one in results} == {
        name: status.value for name, (status, _, _) in ENDS.items()
    }
    names = {path.name for path in (folder / "runs").iterdir() if path.suffix not in (".json", ".npz")}
    assert names == {".lock", "logs"}
    told = re.findall(r"Log of (\w+), seed 0: (\S+)", messages)
    assert {name for name, _ in told} == {name for name, (status, _, _) in ENDS.items() if status is not DONE}
    assert all((folder / path).exists() for _, path in told)
    left = [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(folder)]
    # One that has been killed is there until the system has cleared it away.
    assert not psutil.wait_procs(left, timeout=10)[1]
    assert re.search(r"TooLarge, seed 0: needs 524,288\.0 GiB of memory, .* are available", messages)
    for name in ("child.pid", "daemon.pid", "orphan.pid"):
        assert not psutil.pid_exists(int((folder / name).read_text())), name
    assert {(folder / f"mine{number}").read_text() for number in range(8)} == {""}


def test_a_crash_is_explained_by_what_was_printed_last(bad_run):
    record, _ = record_of(bad_run[1], "Segfaults")
    assert "about to fall" in record.output_tail
    assert any("Fatal Python error: Segmentation fault" in line for line in record.output_tail)
    assert any("bad_models.py" in line and "fit" in line for line in record.output_tail)
    assert record.epochs == 2
    assert record_of(bad_run[1], "ExitsHard")[0].output_tail[-1] == "last words"


def test_a_hang_is_explained_by_where_it_was(bad_run):
    for model in ("HangsInNativeCode", "HangsInAnotherProcess"):
        record, path = record_of(bad_run[1], model)
        assert any("bad_models.py" in line and "fit" in line for line in record.output_tail), log_of(path)


def test_a_leak_is_ended_near_the_limit(bad_run):
    for model in ("Leaks", "LeaksInAnotherProcess"):
        record, _ = record_of(bad_run[1], model)
        assert 400 < record.process_peak_rss_bytes / 2**20 < 1500


def test_a_log_keeps_its_beginning_and_its_end(bad_run):
    _, path = record_of(bad_run[1], "Prints")
    text = log_of(path)
    assert text.startswith("the first line\n")
    assert text.endswith("the last line\n")
    assert re.search(r"\[\.\.\. \d+ bytes left out \.\.\.\]", text)
    assert len(text) < 10 * 2**20


def test_a_log_never_outgrows_its_bound(tmp_path, monkeypatch):
    """Neither in memory nor in its file, however fast a model prints."""
    for name, value in {"MOST_BYTES": 8000, "KEPT_BYTES": 1000, "TAIL_BYTES": 500}.items():
        monkeypatch.setattr(logs, name, value)
    log, path, largest = logs.Log(), tmp_path / "log", 0
    for number in range(3000):
        log.write(b"%0999d\n" % number)
        if number == 1500:
            log.move_to(path)
        if path.exists():
            largest = max(largest, path.stat().st_size)
    assert log.tail() == (f"{2999:0999d}"[-499:],)
    log.close()
    assert largest <= 9000
    content = path.read_bytes()
    assert content.startswith(b"%0999d\n" % 0)
    assert content.endswith(b"%0999d\n" % 2999)
    left_out = int(re.search(rb"\[\.\.\. (\d+) bytes left out", content)[1])
    kept_after = content.partition(b"left out ...]\n")[2]
    assert 1000 + left_out + len(kept_after) == 3_000_000


EVENT = b'{"kind": "happened", "event": {"kind": "epoch", "epoch": %s}}\n'
NO_MESSAGES = {
    "nested without end": b"[" * 200_000 + b"\n",
    "no UTF-8": b"\xff\xfe\n",
    "a number of thousands of digits": EVENT % (b"9" * 5000),
    "too large a number": EVENT % b"9000000000000000000000",
    "no number": EVENT % b"NaN",
    "an event of the run": b'{"kind": "happened", "event": {"kind": "ended", "result": 5}}\n',
    "an event with control characters": b'{"kind": "happened", "event": {"kind": "phase", "name": "\\u001b[2J"}}\n',
    "a pickle": b"cos\nsystem\n(S'true'\ntR.\n",
    "a line without end": b"x" * 20_000_001,
}


@pytest.mark.parametrize("case", NO_MESSAGES)
def test_whatever_is_no_message_is_refused(case):
    reader = AnswerReader(1000)
    content = NO_MESSAGES[case]
    parts = (content[start : start + 2**20] for start in range(0, len(content), 2**20))
    with pytest.raises(MessageError) as raised:
        [list(reader.feed(part)) for part in parts]
    assert len(str(raised.value)) < 1000


def test_a_message_in_parts_is_read_once():
    reader = AnswerReader(1000)
    found = [answer for byte in EVENT % b"7" * 2 for answer, _ in reader.feed(bytes([byte]))]
    assert [answer.event.epoch for answer in found] == [7, 7]
    ended = Ended(record=a_record("bpr", 0), size=5).to_json()
    assert list(reader.feed(ended + b"abc")) == []
    assert [following for _, following in reader.feed(b"de")] == [b"abcde"]
    with pytest.raises(MessageError, match="announces 1,001 bytes"):
        list(reader.feed(Ended(record=a_record("bpr", 0), size=1001).to_json()))


def test_ranks_take_no_more_memory_than_the_cases_need():
    columns = {name: np.zeros(50, dtype=np.int32) for name in ranks_file.RANK_NAMES[:4]}
    bomb = np.zeros(2**23)
    for change in ({"more": bomb}, {"candidates.tied": bomb.view(np.int32)}):
        file = io.BytesIO()
        np.savez_compressed(file, **{**columns, **change})
        tracemalloc.start()
        try:
            if "more" in change:
                assert len(ranks_file.ranks_from_bytes(file.getvalue(), 50).candidates) == 50
            else:
                with pytest.raises(ValueError, match="is longer than 50 numbers"):
                    ranks_file.ranks_from_bytes(file.getvalue(), 50)
            assert tracemalloc.get_traced_memory()[1] < 2**21
        finally:
            tracemalloc.stop()


class TooLong(str):
    __slots__ = ()

    def __repr__(self):
        raise ValueError


VALUES = [10**5000, -(2**2000), TooLong("x" * 200_000), [0.5] * 100_000, object()]


@pytest.mark.parametrize("value", VALUES, ids=["digits", "bits", "text", "list", "object"])
def test_a_value_that_no_record_can_hold(value):
    with pytest.raises(RecbenchError, match="which a record cannot hold") as raised:
        recordable("net", "n", value)
    assert len(str(raised.value)) < 1000


def test_limits_hold_during_imports(tmp_path, monkeypatch, synthetic_task):
    """Memory, output, and what is written to the pipe."""
    monkeypatch.chdir(tmp_path)
    sources = {
        "large": "import numpy as np, time\nkept = np.ones(500 * 2**17)\ntime.sleep(60)",
        "loud": "import os\nfor _ in range(100): os.write(2, b'x' * 10**6 + b'\\n')\nprint('the reason')\nos._exit(9)",
        "nonsense": "import contextlib, os\nfor one in range(3, 64):\n with contextlib.suppress(OSError):\n"
        "  os.write(one, b'[' * 10**5 + b'\\n')",
        "stops": "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nos._exit(9)",
        "closes": "import os\nos.closerange(0, 1024)",
    }
    monkeypatch.setattr(local, "SECONDS_AFTER_PIPE", 1.0)
    for name, source in sources.items():
        Path(f"{name}.py").write_text(source + "\nclass Model: pass\n", encoding="utf-8")
    path = tmp_path / "synthetic.task"
    task_file.save(synthetic_task, path)
    assignment = Assignment(path, TaskFacts.of(synthetic_task), Conditions(), Limits(60, 400 * 2**20))
    messages = []
    for name in sources:
        runner = LocalProcesses(assignment, lambda event: None)
        try:
            with pytest.raises(RecbenchError) as raised:
                runner.configure(request_models([f"{name}.py:Model"]))
        finally:
            runner.close()
        messages.append(str(raised.value))
    large, loud, nonsense, stops, closes = messages
    assert re.match(r"Importing 'Model' used \d{3} MiB of memory; the limit is 400 MiB\.", large)
    assert re.search(r"died \(exit code 9\)\.\nIt printed last:\n(.|\n)*\nthe reason$", loud)
    assert len(loud) < 20_000
    assert "wrote to recbench's pipe is not a message" in nonsense
    assert "died (SIGKILL)" in stops
    assert "died (its process closed the pipe to recbench)" in closes


def test_messages_without_end_do_not_keep_the_run_from_its_limits():
    event = Happened(event=Event(EventKind.EPOCH, epoch=1)).to_json()
    is_over = iter([False, True, True, True])
    reads = iter([event] * (worker_process.MOST_READS + 1) + [b""] * 2)
    process: Any = SimpleNamespace(
        answers_pipe=SimpleNamespace(read=lambda: next(reads)),
        _reader=AnswerReader(0),
        _tree=SimpleNamespace(has_ended=lambda: next(is_over)),
    )
    assert len(list(WorkerProcess.answers(process))) == worker_process.MOST_READS
    # Of a process that has ended, all is read.
    assert len(list(WorkerProcess.answers(process))) == 1


def test_bad_imports_are_bad_input(recbench, tmp_path):
    (tmp_path / "falls.py").write_text("import os\nprint('so far', flush=True)\nos.abort()\n")
    # With a variable of Python's own, no process is forked: pytest's handler of faults would fill the log.
    done = recbench("run", "--models", "falls.py:Model,popularity", "--task", "synthetic", PYTHONHASHSEED="0")
    assert done.returncode == 2
    assert "The process that imports the model 'Model' died (SIGABRT)." in done.stderr
    assert "so far" in done.stderr
    (tmp_path / "hangs.py").write_text("import time\ntime.sleep(1000)\n")
    began = time.monotonic()
    done = recbench("run", "--models", "hangs.py:Model,popularity", "--task", "synthetic", "--timeout", "1")
    assert done.returncode == 2
    assert "Importing 'Model' takes longer than 1 s." in done.stderr
    assert time.monotonic() - began < 20
    assert not (tmp_path / "results").exists()
