"""The pause of the garbage collector."""

import gc
import subprocess
import sys

import pytest

from recbench.garbage import without_collection
from recbench.reports.compare import table
from tests.command_line import CommandLine
from tests.examples import some_trials, write


def fail_in_a_pause():
    with without_collection():
        with without_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise ValueError("x")


def test_the_collector_is_as_before_after_a_pause():
    with pytest.raises(ValueError, match="x"):
        fail_in_a_pause()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_verb_that_reads_records_pauses_it(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        write(tmp_path / name, some_trials("bpr", seeds=1, n=60))
    seen, made = [], table.compare_table
    monkeypatch.setattr(table, "compare_table", lambda *given: seen.append(gc.isenabled()) or made(*given))
    assert CommandLine(capfd, monkeypatch)("compare", "old", "new").code == 0
    assert (seen, gc.isenabled()) == ([False], True)


def test_a_trial_collects_no_garbage_among_what_its_process_imports():
    code = (
        "import gc; from recbench.runners.processes.harness_imports import import_harness; import_harness(); "
        "print(gc.isenabled(), len(gc.get_objects()) < gc.get_freeze_count() / 10)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
