"""What people see of a run while it goes on."""

import io

import pytest
from rich.console import Console

from recbench.progress import run
from recbench.progress.run import AnimatedProgress, PlainProgress
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.registry.models import find_model
from recbench.registry.requested import RequestedModel
from recbench.trials.planned import PlannedModel, PlannedTrial
from tests.examples import a_record

TRIAL = PlannedTrial(PlannedModel(RequestedModel(find_model("bpr")), {"epochs": 20}, "code"), 0)
ENDED = FinishedTrial(a_record("bpr", 0, ties_across_cut={10: 0.0}), "r.json")


@pytest.fixture
def seen(monkeypatch):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=160, color_system=None, soft_wrap=True)
    monkeypatch.setattr(run, "messages", lambda: console)
    return written


def go_on(shown: PlainProgress) -> None:
    shown.planned(3, 1, 1000)
    shown.trial_starts(TRIAL)
    shown.phase(TRIAL, "fit")
    shown.epoch(TRIAL, 5, 0.25, 2.0)
    shown.phase(TRIAL, "full")
    shown.progress(TRIAL, 2000, 6040)


def test_plain_lines_tell_of_a_long_trial(seen, monkeypatch):
    monkeypatch.setattr(run, "SECONDS_BETWEEN_LINES", 0.0)
    shown = PlainProgress()
    go_on(shown)
    shown.trial_ends(TRIAL, ENDED)
    assert seen.getvalue().splitlines()[:3] == [
        "[2/3] bpr, seed 0 ...",
        "[2/3] bpr, seed 0: epoch 5, loss 0.2500, 2,500 interactions/s, 6 s left",
        "[2/3] bpr, seed 0: full 2,000 of 6,040",
    ]
    assert seen.getvalue().splitlines()[3].startswith("[2/3] bpr, seed 0: HR@10 0.")


def test_plain_lines_are_few(seen):
    go_on(PlainProgress())
    assert seen.getvalue().splitlines() == ["[2/3] bpr, seed 0 ..."]


def test_a_terminal_shows_a_line_a_trial_and_the_plan(seen, monkeypatch):
    monkeypatch.setattr(run, "SECONDS_BETWEEN_DRAWINGS", -1.0)
    shown = AnimatedProgress()
    go_on(shown)
    drawn = seen.getvalue()
    assert "epoch" not in drawn
    for words in ("all trials", "1/3", "[2/3] bpr, seed 0 fit", "5/20", "loss 0.2500, 2,500 interactions/s, 6 s left"):
        assert words in drawn
    assert "[2/3] bpr, seed 0 full" in drawn
    assert "2000/6040" in drawn
    shown.trial_ends(TRIAL, FinishedTrial(a_record("bpr", 0, status=Status.FAILED, error="boom"), "r.json"))
    assert "[2/3] bpr, seed 0: failed: boom" in seen.getvalue()
    assert "2/3 " in seen.getvalue()[len(drawn) :]
    shown.close()
