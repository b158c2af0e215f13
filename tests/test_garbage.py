"""The pause of the garbage collector."""

import gc

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
