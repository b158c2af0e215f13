"""Whatever a model does to its process, the others run, and what is left on disk is whole."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from recbench.records import store
from recbench.records.schema import Record, Status

BAD_MODELS = Path(__file__).parent / "bad_models.py"
DONE, FAILED, TIMED_OUT, OUT_OF_MEMORY = Status.DONE, Status.FAILED, Status.TIMED_OUT, Status.OUT_OF_MEMORY

ENDS = {
    "Good": (DONE, None, None),
    "Segfaults": (FAILED, "SIGSEGV", "its process was ended by SIGSEGV; in fit, after epoch 2"),
    "Killed": (FAILED, "SIGKILL", r"ended by SIGKILL \(as the system does when memory runs out\); in fit"),
    "Aborts": (FAILED, "SIGABRT", "ended by SIGABRT; in score"),
    "Exits": (FAILED, None, "SystemExit: 5"),
    "ExitsHard": (FAILED, None, "its process ended with exit code 7 before the trial was over; in fit"),
    "InterruptsItself": (FAILED, "SIGINT", "ended by SIGINT; in fit"),
    "HangsInNativeCode": (TIMED_OUT, None, "took longer than 4 s; in fit"),
    "HangsInAnotherProcess": (TIMED_OUT, None, "took longer than 4 s; in fit"),
    "Leaks": (OUT_OF_MEMORY, None, r"used [\d,]+ MiB of memory; the limit is 400 MiB; in fit"),
    "LeaksInAnotherProcess": (OUT_OF_MEMORY, None, r"used [\d,]+ MiB of memory; the limit is 400 MiB; in fit"),
    "Prints": (DONE, None, None),
    "Forks": (DONE, None, None),
    "LeavesThreads": (DONE, None, None),
    "ChangesItsSurroundings": (DONE, None, None),
    "ClosesAll": (FAILED, None, "its process closed the pipe to recbench; in fit"),
    "Reads": (FAILED, None, "EOFError: EOF when reading a line"),
    "TalksNonsense": (FAILED, None, r"wrote to recbench's pipe is no message: it begins with b'nonsense'"),
    "popularity": (DONE, None, None),
}


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    """All of them in one run, and a good one at the end; returns the process and the folder."""
    folder = tmp_path_factory.mktemp("bad")
    models = ",".join(name if name.islower() else f"{BAD_MODELS}:{name}" for name in ENDS)
    jobs = str(min(2, len(os.sched_getaffinity(0))))
    done = subprocess.run(
        [sys.executable, "-m", "recbench", "run", "--models", models, "--task", "synthetic", "--seeds", "1",
         "--timeout", "4", "--max-memory", "400MiB", "--jobs", jobs, "--json", "-o", "runs"],
        cwd=folder, env={**os.environ, "RECBENCH_HOME": str(folder / "home")},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done, folder


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
    done, folder = bad_run
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert {one["model"]: one["status"] for one in json.loads(done.stdout)["results"]} == {
        name: status.value for name, (status, _, _) in ENDS.items()
    }
    names = {path.name for path in (folder / "runs").iterdir() if path.suffix not in (".json", ".npz")}
    assert names == {".lock", "logs"}
    told = re.findall(r"Log of (\w+), seed 0: (\S+)", done.stderr)
    assert {name for name, _ in told} == {name for name, (status, _, _) in ENDS.items() if status is not DONE}
    assert all((folder / path).exists() for _, path in told)
    left = [one for one in psutil.process_iter(["cmdline"]) if str(BAD_MODELS) in " ".join(one.info["cmdline"] or [])]
    # One that has been killed is there until the system has cleared it away.
    assert not psutil.wait_procs(left, timeout=10)[1]
    assert not psutil.pid_exists(int((folder / "child.pid").read_text()))


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


def test_bad_imports_are_bad_input(recbench, tmp_path):
    (tmp_path / "falls.py").write_text("import os\nprint('so far', flush=True)\nos.abort()\n")
    done = recbench("run", "--models", "falls.py:Model,popularity", "--task", "synthetic")
    assert done.returncode == 2
    assert "The process that imports model 'Model' died (SIGABRT)." in done.stderr
    assert "so far" in done.stderr
    (tmp_path / "hangs.py").write_text("import time\ntime.sleep(1000)\n")
    began = time.monotonic()
    done = recbench("run", "--models", "hangs.py:Model,popularity", "--task", "synthetic", "--timeout", "1")
    assert done.returncode == 2
    assert "Importing 'Model' takes longer than 1 s." in done.stderr
    assert time.monotonic() - began < 20
    assert not (tmp_path / "results").exists()
