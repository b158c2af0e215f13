"""The ranks of the candidates are stored before the full ranking begins, and no end of it loses them."""

import os
import signal
import time

import pytest

import recbench as rb
from recbench.records.schema import Status
from recbench.records.selection import read_records

MODELS = """
import ctypes, time
import numpy as np


class Base:
    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items)

    def score(self, users, items):
        return self.counts[items].astype(float)


class Crashes(Base):
    def score_all(self, users):
        ctypes.string_at(0)


class Hangs(Base):
    def score_all(self, users):
        time.sleep(60)
"""


@pytest.fixture
def models(tmp_path):
    (tmp_path / "bad.py").write_text(MODELS)
    return f"{tmp_path / 'bad.py'}:"


def test_a_full_ranking_that_crashes_loses_nothing_else(models, tmp_path, synthetic_task):
    done = rb.run(models + "Crashes", synthetic_task, seeds=1, full=True, output=tmp_path / "runs", quiet=True)
    (trial,) = read_records(str(tmp_path / "runs")).trials
    assert trial.record.status is Status.DONE
    assert trial.candidate_ranks is not None
    assert trial.full_ranks is None
    assert "SIGSEGV; in full" in trial.record.catalogue_error
    assert done.trials[0].record == trial.record


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is a copy of this one")
def test_a_run_that_is_killed_in_a_full_ranking_has_stored_the_candidates_ranks(models, tmp_path, synthetic_task):
    runs = tmp_path / "runs"
    if (child := os.fork()) == 0:
        rb.run(models + "Hangs", synthetic_task, seeds=1, full=True, output=runs, quiet=True)
        os._exit(0)
    try:
        while not list(runs.glob("*.json")):
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
            time.sleep(0.02)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    (trial,) = read_records(str(runs)).trials
    assert trial.record.status is Status.DONE
    assert trial.candidate_ranks is not None
