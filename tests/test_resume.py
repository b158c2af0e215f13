"""Which trials are kept, and which are run again."""

import json
from pathlib import Path

import pytest

from recbench.records import ranks_file, store
from recbench.records.schema import Status
from recbench.registry.hyperparameters import import_and_configure
from recbench.registry.models import ModelReference, Origin
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.events import ignore
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.trials.resume import find
from recbench.trials.trial import run_trial

OWN = """
import numpy as np


class Own:
    def __init__(self, epochs: int = 4, fails: bool = False):
        self.epochs, self.fails = epochs, fails

    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items)
        for epoch in range(self.epochs):
            context.end_epoch()
        if self.fails:
            raise RuntimeError("as asked")

    def score(self, users, items):
        return self.counts[items].astype(np.float32)
"""


PLAIN = Conditions()


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own_model.py"
    path.write_text(OWN)
    return path


def planned(own: Path, seed: int = 0, **texts: str) -> PlannedTrial:
    requested = RequestedModel(ModelReference("Own", f"{own}:Own", Origin.FILE), texts)
    configuration = import_and_configure(requested)
    return PlannedTrial(PlannedModel(requested, configuration.parameters, configuration.code_version), seed)


def made(own: Path, task, folder: Path, conditions: Conditions = PLAIN, seed: int = 0, **texts: str):
    """Runs the trial and stores it."""
    trial = planned(own, seed, **texts)
    configuration = import_and_configure(trial.model.requested)
    outcome = run_trial(task, configuration, seed, conditions, ignore)
    return store.save(outcome.record, outcome.ranks, folder)


def test_the_same_trial_is_found_and_others_are_not(own, board, tmp_path):
    stored = made(own, board, tmp_path)
    assert find(planned(own), board, Conditions(), tmp_path) == stored
    assert find(planned(own, seed=1), board, Conditions(), tmp_path) is None
    assert find(planned(own, epochs="5"), board, Conditions(), tmp_path) is None
    assert find(planned(own), board, Conditions(threads=2), tmp_path) is None
    assert find(planned(own), board, Conditions(device="cpu"), tmp_path) is None
    assert find(planned(own), board, Conditions(), tmp_path / "elsewhere") is None


def test_another_task_is_another_trial(own, board, synthetic_task, tmp_path):
    made(own, board, tmp_path)
    assert find(planned(own), synthetic_task, Conditions(), tmp_path) is None


def test_changed_code_is_another_trial(own, board, tmp_path):
    made(own, board, tmp_path)
    own.write_text(OWN + "# a change\n")
    assert find(planned(own), board, Conditions(), tmp_path) is None


def test_another_version_of_the_protocol_is_another_trial(own, board, tmp_path, monkeypatch):
    made(own, board, tmp_path)
    monkeypatch.setattr("recbench.trials.resume.PROTOCOL_VERSION", 99)
    assert find(planned(own), board, Conditions(), tmp_path) is None


def test_code_of_an_unknown_version_is_never_kept(own, board, tmp_path):
    stored = made(own, board, tmp_path)
    store.save(stored.record.model_copy(update={"code_version": None}), ranks_file.load_ranks(stored.path), tmp_path)
    trial = planned(own)
    unknown = PlannedTrial(PlannedModel(trial.model.requested, trial.model.parameters, None), 0)
    assert find(unknown, board, Conditions(), tmp_path) is None


def test_other_cut_offs_are_computed_from_the_ranks(own, board, tmp_path):
    made(own, board, tmp_path, Conditions(ks=(10,), catalogue=True))
    asked = Conditions(ks=(1, 5), catalogue=True)
    reused = find(planned(own), board, asked, tmp_path).record
    fresh = made(own, board, tmp_path / "fresh", asked).record
    for field in ("metrics", "ties_across_cut", "corrected", "cohorts"):
        assert getattr(reused, field) == getattr(fresh, field)
    assert reused.catalogue.metrics == fresh.catalogue.metrics


def test_what_was_not_asked_for_then_needs_a_new_trial_and_what_is_not_asked_for_now_stays_on_disk(
    own, board, tmp_path
):
    made(own, board, tmp_path)
    assert find(planned(own), board, Conditions(catalogue=True), tmp_path) is None
    assert find(planned(own), board, Conditions(curve=CurveEpochs.parse("all")), tmp_path) is None
    stored = made(own, board, tmp_path, Conditions(catalogue=True, curve=CurveEpochs.parse("2")))
    reused = find(planned(own), board, Conditions(), tmp_path)
    assert (reused.record.catalogue, reused.record.curve) == (None, ())
    assert store.load(reused.path) == stored.record


@pytest.mark.parametrize(("had", "requested", "enough"), [
    ("all", "2", True), ("all", "every:3", True), ("2", "2", True), ("2", "2,3", False), ("every:2", "all", False),
    ("2", "2,7", True),
])  # fmt: skip
def test_a_curve_must_have_the_points(own, board, tmp_path, had, requested, enough):
    made(own, board, tmp_path, Conditions(curve=CurveEpochs.parse(had)))
    reused = find(planned(own), board, Conditions(curve=CurveEpochs.parse(requested)), tmp_path)
    assert (reused is not None) == enough
    assert find(planned(own), board, Conditions(ks=(1,), curve=CurveEpochs.parse(requested)), tmp_path) is None


def test_broken_records_are_as_none(own, board, tmp_path):
    stored = made(own, board, tmp_path)
    whole, ranks = stored.path.read_text(), stored.path.with_suffix(".npz").read_bytes()
    for text in (whole[:100], "", whole.replace('"mean"', '"men"'), whole.replace('"n_cases": 48', '"n_cases": 47')):
        stored.path.write_text(text)
        assert find(planned(own), board, Conditions(), tmp_path) is None
    stored.path.write_text(whole)
    assert find(planned(own), board, Conditions(), tmp_path) is not None
    for content in (ranks[:100], b"", None):
        stored.path.with_suffix(".npz").unlink()
        if content is not None:
            stored.path.with_suffix(".npz").write_bytes(content)
        assert find(planned(own), board, Conditions(), tmp_path) is None


def test_failed_trials_are_found_as_failed(own, board, tmp_path):
    made(own, board, tmp_path, fails="true")
    assert find(planned(own, fails="true"), board, Conditions(), tmp_path).record.status is Status.FAILED


def test_a_run_is_continued(recbench, own, tmp_path):
    base = ("run", "--models", "own_model.py:Own,popularity", "--task", "synthetic", "--seeds", "2")
    nothing = recbench(*base, "--collect")
    assert nothing.returncode == 4
    assert "None of the 4 trials is in results/runs" in nothing.stderr
    first = recbench(*base, "--json")
    assert first.returncode == 0, first.stderr
    again = recbench(*base, "--json")
    assert (
        "4 of 4 trials are kept in results/runs and are not run again (same task, settings and code: 2 source files); "
        "--force repeats them."
    ) in again.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout)
    more = recbench(*base[:-1], "3", "--json")
    assert "4 of 6 trials are kept" in more.stderr
    assert "[5/6] Own, seed 2 ..." in more.stderr
    assert "[6/6] popularity, seed 2 ..." in more.stderr
    assert "seed 1 ..." not in more.stderr
    own.write_text(OWN + "# a change\n")
    changed = recbench(*base, "--json")
    assert "2 of 4 trials are kept" in changed.stderr
    assert len(list((tmp_path / "results" / "runs").glob("*.json"))) == 6
    forced = recbench(*base, "--force", "--k", "5", "--json")
    assert "kept" not in forced.stderr
    assert forced.stderr.count(" ...\n") == 4
    own.write_text(OWN + "# another\n")
    collected = recbench(*base, "--collect", "--json")
    assert "Not there: Own, seed 0; Own, seed 1" in collected.stderr
    assert [result["model"] for result in json.loads(collected.stdout)["results"]] == ["popularity"]


def test_a_failed_trial_is_run_again(recbench, own):
    base = ("run", "--models", "own_model.py:Own", "--task", "synthetic", "--seeds", "1", "--param", "Own.fails=true")
    for _ in range(2):
        done = recbench(*base)
        assert done.returncode == 3
        assert "[1/1] Own, seed 0: failed: RuntimeError: as asked" in done.stderr
    collected = recbench(*base, "--collect")
    assert collected.returncode == 3
    assert "Own, seed 0: RuntimeError: as asked" in collected.stdout
    assert " ...\n" not in collected.stderr
