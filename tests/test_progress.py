"""What people see of a run while it goes on."""

import io
import re
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from recbench.progress import bars, console, notebook, run
from recbench.progress.bars import Bars
from recbench.progress.choice import run_progress
from recbench.progress.console import MessageConsole, write_nothing
from recbench.progress.notebook import NotebookLine
from recbench.progress.run import RunLines
from recbench.progress.time_left import TimeLeft
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.registry.models import find_model
from recbench.registry.requested import RequestedModel
from recbench.trials.events import Event, EventKind
from recbench.trials.planned import PlannedModel, PlannedTrial
from tests.examples import a_record
from tests.hostile_text import HOSTILE, check_visible

TRIAL = PlannedTrial(PlannedModel(RequestedModel(find_model("bpr")), {"epochs": 20}, "code"), 0)
ENDED = FinishedTrial(a_record("bpr", 0, ties_across_cut={10: 0.0}), "r.json")


@pytest.fixture
def seen(monkeypatch):
    written = io.StringIO()
    shown = MessageConsole(file=written, force_terminal=True, width=160, color_system=None, soft_wrap=True)
    for module in (console, bars):
        monkeypatch.setattr(module, "messages", lambda: shown)
    return written


EVENTS = [
    Event(EventKind.PLANNED, total=3, done=1, n_train=1000, planned=(TRIAL, replace(TRIAL, seed=1))),
    Event(EventKind.STARTED, trial=TRIAL),
    Event(EventKind.PHASE, trial=TRIAL, name="fit"),
    Event(EventKind.EPOCH, trial=TRIAL, epoch=5, loss=0.25, seconds=2.0),
    Event(EventKind.PHASE, trial=TRIAL, name="full"),
    Event(EventKind.PROGRESS, trial=TRIAL, done=2000, total=6040),
]


def send(shown, *events):
    for event in events:
        shown.on_event(event)


def ended(stored):
    return Event(EventKind.ENDED, trial=TRIAL, result=stored)


def test_plain_lines_show_a_long_trial(seen, monkeypatch):
    monkeypatch.setattr(run, "SECONDS_BETWEEN_LINES", 0.0)
    send(RunLines(), *EVENTS, ended(ENDED))
    shown = re.sub(r"all trials: \d+ s left", "all trials: 9 s left", seen.getvalue()).splitlines()
    assert shown[:3] == [
        "[2/3] bpr, seed 0 ...",
        "[2/3] bpr, seed 0: epoch 5, loss 0.2500, 2,500 interactions/s, 6 s left; all trials: 9 s left",
        "[2/3] bpr, seed 0: full 2,000 of 6,040; all trials: 9 s left",
    ]
    assert re.fullmatch(r"\[2/3\] bpr, seed 0: HR@10 0\..*, fit 2\.00 s; all trials: 9 s left", shown[3])


def test_throughput_of_a_short_fit_is_a_dash(seen):
    short = FinishedTrial(a_record("bpr", 0, ties_across_cut={10: 0.0}, fit_seconds=0.0004), "r.json")
    send(RunLines(), EVENTS[0], EVENTS[1], replace(EVENTS[3], seconds=0.05), ended(short))
    assert ", - interactions/s, fit 0.0004 s; all trials: " in seen.getvalue()
    assert RunLines().state(replace(EVENTS[3], seconds=0.05)) == "loss 0.2500, 0 s left"


def test_the_time_left_follows_seeds_epochs_and_trials_at_a_time():
    now = [0.0]
    left = TimeLeft(lambda: now[0])
    other = replace(TRIAL, model=replace(TRIAL.model, requested=replace(TRIAL.model.requested, label="b")))
    plan = (TRIAL, replace(TRIAL, seed=1), other, replace(other, seed=1))
    left.on_event(Event(EventKind.PLANNED, total=4, planned=plan))
    left.on_event(Event(EventKind.STARTED, trial=plan[0]))
    assert left.seconds is None
    now[0] = 5.0
    left.on_event(Event(EventKind.EPOCH, trial=plan[0], epoch=10))
    # Half of the epochs took 5 s: 5 s for the rest, and 10 s for each of the three others.
    assert left.seconds == 35.0
    now[0] = 12.0
    left.on_event(Event(EventKind.ENDED, trial=plan[0]))
    assert left.seconds == 36.0
    for trial in plan[1:3]:
        left.on_event(Event(EventKind.STARTED, trial=trial))
    now[0] = 14.0
    left.on_event(Event(EventKind.EPOCH, trial=plan[2], epoch=5))
    # Two trials run at a time: 10 s of the first, 6 s of the second (8 s in all), and 8 s of the last.
    assert left.seconds == 12.0
    left.on_event(Event(EventKind.LOST, trial=plan[2]))
    assert left.seconds == 17.0
    for trial in plan[1:3]:
        left.on_event(Event(EventKind.ENDED, trial=trial))
    left.on_event(Event(EventKind.STARTED, trial=plan[3]))
    now[0] = 99.0
    assert left.seconds == 0.0
    left.on_event(Event(EventKind.ENDED, trial=plan[3]))
    assert left.seconds is None


def test_plain_lines_are_few(seen):
    send(RunLines(), *EVENTS)
    assert seen.getvalue().splitlines() == ["[2/3] bpr, seed 0 ..."]


def test_a_terminal_shows_a_bar_for_each_trial_and_for_the_plan(seen, monkeypatch):
    monkeypatch.setattr(bars, "SECONDS_BETWEEN_DRAWINGS", -1.0)
    shown = Bars(RunLines(during=False))
    send(shown, *EVENTS)
    drawn = seen.getvalue()
    assert "epoch" not in drawn
    for words in ("all trials", "1/3", "[2/3] bpr, seed 0 fit", "5/20", "loss 0.2500, 2.5 k/s, 6 s left"):
        assert words in drawn
    assert "[2/3] bpr, seed 0 full" in drawn
    assert "2000/6040" in drawn
    assert re.search(r"all trials .* \d+ s left", drawn)
    failed = FinishedTrial(a_record("bpr", 0, status=Status.FAILED, error="boom"), "r.json")
    send(shown, ended(failed))
    assert "[2/3] bpr, seed 0: failed: boom" in seen.getvalue()
    assert "2/3 " in seen.getvalue()[len(drawn) :]
    shown.close()


def test_a_notebook_shows_one_line_that_is_replaced(seen, monkeypatch):
    shown, made = [], []

    class Display:
        def update(self, content, raw):
            shown.append(content["text/plain"])

    def display(content, raw, display_id):
        made.append(content)
        shown.append(content["text/plain"])
        return Display()

    ipython = ModuleType("IPython.display")
    ipython.display = display
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", ipython)
    monkeypatch.setattr(notebook, "SECONDS_BETWEEN_UPDATES", -1.0)
    send(NotebookLine(RunLines(write=write_nothing)), *EVENTS, ended(ENDED))
    assert len(made) == 1
    assert shown[0] == "[2/3] bpr, seed 0"
    assert "[2/3] bpr, seed 0, epoch 5, loss 0.2500, 2,500 interactions/s, 6 s left" in shown
    assert re.fullmatch(r"2 of 3 trials complete, \d+ s left", shown[-1])
    assert seen.getvalue() == ""


def test_a_name_with_markup_is_shown_as_it_is(seen):
    send(RunLines(), Event(EventKind.IMPORTING, name="[red]x[/]"))
    assert seen.getvalue() == "Importing [red]x[/]\n"


def test_a_hostile_name_is_one_line_beside_a_bar(seen, monkeypatch):
    monkeypatch.setattr(bars, "SECONDS_BETWEEN_DRAWINGS", -1.0)
    trial = replace(TRIAL, model=replace(TRIAL.model, requested=replace(TRIAL.model.requested, label=HOSTILE)))
    events = [replace(event, trial=trial, name=HOSTILE) if event.trial else event for event in EVENTS]
    shown = Bars(RunLines(during=False))
    send(shown, *events, replace(ended(ENDED), trial=trial))
    shown.close()
    drawn = re.sub(r"\x1b\[[0-9?]*[A-Zhl]|\r", "", seen.getvalue())
    assert "img src" in drawn
    check_visible(drawn)
    assert not [line for line in drawn.splitlines() if line.startswith(("# Head", "::", "| a"))]


def test_quiet_shows_nothing(seen):
    send(run_progress(quiet=True), *EVENTS, ended(ENDED))
    assert seen.getvalue() == ""
