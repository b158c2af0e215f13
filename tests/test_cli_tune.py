"""``recbench tune`` as a user meets it."""

import io
import json
import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from recbench.errors import RecbenchError
from recbench.experiments.execution import Execution
from recbench.experiments.tune import TuneRequest, tune
from recbench.output_files import OutputFile
from recbench.progress import bars, console
from recbench.progress.bars import Bars
from recbench.progress.console import MessageConsole
from recbench.progress.tuning import TuningLines
from recbench.records.tuned_settings import load, save
from recbench.registry.models import ModelReference, Origin, find_model
from recbench.registry.requested import RequestedModel, request_models
from recbench.runners.base import Assignment
from recbench.runners.limits import Limits
from recbench.runners.processes.local import LocalProcesses
from recbench.tasks import task_file
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.events import TICK, Event, EventKind
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedModel, PlannedTrial, plan_trials
from recbench.tuning.past import Budget, End, PastTrial, SoFar
from tests.reference_schemas import assert_fits
from tests.tuned_models import SOURCE

SPACES = """
[Known]
good = { low = 0.0, high = 1.0 }
epochs = { low = 4, high = 8, integer = true }

[[Known.known]]
source = "A search on the synthetic task"
dataset = "made up"
found_on = ["sha256:b62dbda8a6d13301388aba6bc755af560ec211ea65ece9289c7381a29d1043d6"]
setting = { good = 0.7 }

[Wrong]
god = { low = 0.0, high = 1.0 }
"""
BASE = ("tune", "--models", "known.py:Known", "--task", "synthetic", "--spaces", "spaces.toml", "-o", "s.toml")


@pytest.fixture(autouse=True)
def files(tmp_path):
    (tmp_path / "known.py").write_text(SOURCE + "\n\nclass Wrong(Known):\n    pass\n")
    (tmp_path / "spaces.toml").write_text(SPACES)


def test_from_tuning_to_a_run(recbench, tmp_path):
    done = recbench(*BASE[:2], "known.py:Known,popularity", *BASE[3:], "--trials", "5", "--plot", "t.png", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    known, popularity = document["results"]
    assert (known["status"], popularity["status"]) == ("tuned", "nothing-to-tune")
    assert "popularity has no parameters in spaces.toml, and is not tuned." in done.stderr
    messages = re.sub(r"\s+", " ", done.stderr)
    assert "Known: skipped the known configuration from 'A search on the synthetic task'; it was found" in messages
    assert all(trial["params"]["good"] != 0.7 for trial in known["history"])
    assert known["trials"]["completed"] + known["trials"]["pruned"] == 5
    assert len(known["history"]) == 5
    assert re.search(
        r"Known \[1/5\] NDCG@10 0\.\d{4} after epoch 3; best 0\.\d{4}, 0 pruned, 0 failed, \d+ s left", done.stderr
    )
    tuned = load(tmp_path / "s.toml").models["Known"]
    assert tuned.parameters == known["params"]
    assert tuned.parameters["epochs"] == 3
    assert tuned.provenance.validation_score == known["validation_score"] > known["default_score"]
    assert load(tmp_path / "s.toml").task.digest == document["task"]["digest"]
    (storage,) = tmp_path.rglob("*.db")
    with closing(sqlite3.connect(storage)) as database:
        assert ('["ndcg@10"]',) in database.execute("SELECT value_json FROM study_system_attributes").fetchall()
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    run = recbench("run", "--models", "known.py:Known,popularity", "--task", "synthetic", "--seeds", "1",
                   "--settings", "s.toml", "--json")  # fmt: skip
    result = json.loads(run.stdout)["results"][0]
    assert {name: result["params"][name] for name in tuned.parameters} == tuned.parameters
    assert result["epochs"] == 3


def test_defaults_outside_of_the_space_are_tried_and_told(recbench, tmp_path):
    (tmp_path / "spaces.toml").write_text("[Known]\ngood = { low = 0.9, high = 1.0 }\n")
    done = recbench(*BASE, "--trials", "2", "--metric", "full-recall@20", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert result["objective"] == "full-recall@20"
    assert "Known [1/2] full Recall@20 0." in done.stderr
    provenance = load(tmp_path / "s.toml").models["Known"].provenance
    assert (provenance.objective, provenance.full_ranking) == ("recall@20", True)
    assert result["defaults_outside"] == {"good": 0.2}
    assert [trial["params"]["good"] == 0.2 for trial in result["history"]] == [True, False]
    assert result["default_score"] is not None
    assert (
        "Known: defaults outside of the search space: good=0.2."
        in recbench(*BASE, "--trials", "2", "--metric", "full-recall@20").stdout
    )


def test_a_space_whose_values_a_model_does_not_take_is_refused_before_any_trial(recbench, tmp_path):
    (tmp_path / "spaces.toml").write_text("[Known]\nepochs = { low = 4, high = 8, integer = false }\n")
    done = recbench(*BASE, "--trials", "2")
    assert done.returncode == 2, done.stderr
    messages = re.sub(r"\s+", " ", done.stderr)
    assert "does not take a value of its search space in spaces.toml: Known.epochs=5.5" in messages
    assert "integer = true" in messages
    assert not (tmp_path / "results" / "tuning" / "synthetic.db").exists()


def test_limits_that_are_integers_make_a_range_of_integers_for_a_parameter_of_integers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spaces = "epochs = { low = 1, high = 40 }\ngood = { low = 0, high = 1 }\n"
    (tmp_path / "spaces.toml").write_text(f"[Known]\n{spaces}")
    (result,) = tune(request(budget=Budget(4, 60.0))).models
    assert len(result.past) == 4
    assert {type(trial.parameters["epochs"]) for trial in result.past} == {int}
    assert not all(trial.parameters["good"].is_integer() for trial in result.past[1:])
    assert result.tuned.search_space == {
        "epochs": "{ low = 1, high = 40, integer = true }",
        "good": "{ low = 0.0, high = 1.0 }",
    }


def test_models_without_a_search_space_get_one_to_start_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused(spaces=None)
    assert message.startswith("None of these models has parameters in models/search_spaces.toml.")
    assert "--spaces FILE" in message
    proposal = message.partition("[Known]")[2]
    assert "epochs = { low = 1, high = 24, log = true, integer = true }" in proposal
    assert "good = { low = 0.02, high = 2.0, log = true }" in proposal
    # It can be used as it is.
    (tmp_path / "spaces.toml").write_text(f"[Known]{proposal}")
    (result,) = tune(request()).models
    assert set(result.space) == {"good", "epochs", "fails_above", "pretraining"}
    assert "a model without hyper-parameters needs no tuning" in refused(models=request_models(["popularity"]))


def test_a_file_of_search_spaces_leaves_the_builtin_models_theirs(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "known.py").write_text(SOURCE + "\n\nclass Mine(Known):\n    pass\n")
    models = request_models(["known.py:Known", "itemknn", "popularity", "known.py:Mine"])
    known, itemknn, popularity, mine = tune(request(models=models)).models
    assert known.tuned
    assert set(itemknn.tuned.search_space) >= {"overlap", "similarity"}
    assert not popularity.space
    assert not mine.space
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [warning for warning in warnings if "is not tuned" in warning] == [
        "Mine has no parameters in spaces.toml, and is not tuned."
    ]
    (tmp_path / "spaces.toml").write_text("[itemknn]\noverlap = { low = 1, high = 4 }\n")
    (itemknn,) = tune(request(models=request_models(["itemknn"]), storage=Path("other.db"))).models
    assert itemknn.tuned.search_space == {"overlap": "{ low = 1.0, high = 4.0 }"}


def test_a_search_of_which_only_the_defaults_were_completed_ends_with_3(recbench, tmp_path):
    (tmp_path / "spaces.toml").write_text("[Known]\nfails_above = { low = -2.0, high = -1.0 }\n")
    done = recbench(*BASE, "--trials", "3")
    assert done.returncode == 3, done.stderr
    assert "all trials of Known failed, except those with the defaults" in re.sub(r"\s+", " ", done.stderr)
    assert load(tmp_path / "s.toml").models["Known"].parameters["fails_above"] == 9.0


def test_scores_come_while_a_trial_runs(tmp_path, synthetic_task):
    task_file.save(synthetic_task, tmp_path / "s.task")
    events = []
    conditions = Conditions(curve=CurveEpochs(every=2))
    assignment = Assignment(tmp_path / "s.task", TaskFacts.of(synthetic_task), conditions, Limits())
    runner = LocalProcesses(assignment, events.append)
    planned = runner.configure([RequestedModel(ModelReference("Known", f"{tmp_path}/known.py:Known", Origin.FILE), {})])
    ((_, outcome),) = runner.run(plan_trials(planned, [0]), tmp_path)
    points = [event for event in events if event.kind is EventKind.POINT]
    expected = [("Known, seed 0", epoch) for epoch in (2, 4, 6)]
    assert [(event.trial.label, event.point.epoch) for event in points] == expected
    assert tuple(event.point for event in points)[:2] == outcome.record.curve[:2]


WAITING = (
    SOURCE.replace("import numpy", "import os\nimport time\n\nimport numpy")
    .replace(
        "            if self.good",
        "            while epoch == 2 and os.path.exists('first') and not os.path.exists('go'):\n"
        "                time.sleep(0.02)\n"
        "            if self.good",
    )
    .replace("\n    def score", "        open('first', 'w').close()\n\n    def score")
)
"""Its first trial leaves a file; the later ones wait for another."""


@pytest.fixture
def in_its_second_trial(tmp_path):
    """A tuning whose second trial waits."""
    (tmp_path / "known.py").write_text(WAITING)
    process = subprocess.Popen(
        [sys.executable, "-m", "recbench", *BASE, "--trials", "3"], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    with process:
        try:
            assert any("[1/3]" in line for line in process.stderr)
            log = tmp_path / "results" / "tuning" / "logs"
            while len(list(log.glob("*.log"))) < 2:
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def test_killed_it_goes_on(in_its_second_trial, recbench, tmp_path):
    other = recbench(*BASE)
    assert other.returncode == 2
    assert "Another tuning is using results/tuning/synthetic.db." in other.stderr
    in_its_second_trial.kill()
    in_its_second_trial.wait()
    (tmp_path / "go").touch()
    done = recbench(*BASE, "--trials", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert "Known: continues; so far best" in done.stderr
    document = json.loads(done.stdout)
    assert_fits("tune", document)
    (known,) = document["results"]
    assert known["trials"]["interrupted"] == 1
    assert sum(known["trials"].values()) == 4
    assert [entry["end"] for entry in known["history"]].index("interrupted") == 1
    killed, retried = known["history"][1:3]
    assert killed["params"] == retried["params"]


def test_interrupted_it_says_how_to_go_on(in_its_second_trial):
    in_its_second_trial.send_signal(signal.SIGINT)
    messages = in_its_second_trial.stderr.read()
    assert in_its_second_trial.wait() == 130
    assert "Interrupted. 1 of 3 trials are kept in results/tuning/synthetic.db. Resume with:" in messages
    assert "--trials 3" in messages
    assert "Traceback" not in messages


def test_no_completed_trial_is_an_error_and_another_models_setting_is_kept(recbench, tmp_path):
    (tmp_path / "known.py").write_text(
        SOURCE + "\n\nclass Fails(Known):\n    def fit(self, train, context):\n        1 / 0\n"
    )
    (tmp_path / "spaces.toml").write_text(
        "[Known]\ngood = { low = 0.0, high = 1.0 }\n[Fails]\ngood = { low = 0.0, high = 1.0 }\n"
    )
    done = recbench(*BASE[:2], "known.py:Fails,known.py:Known", *BASE[3:], "--trials", "1")
    assert done.returncode == 3
    assert "Error: no trial of Fails was completed in the budget" in done.stderr
    assert "Give a larger --budget" in done.stderr
    assert "Fails: 1 of 1 trials failed, the last with: failed: ZeroDivisionError: division by zero" in done.stdout
    log = re.search(r"\(log: (\S+)\)", done.stderr)[1]
    assert "ZeroDivisionError" in (tmp_path / log).read_text()
    assert list(load(tmp_path / "s.toml").models) == ["Known"]


def request(**changes):
    base = TuneRequest(
        models=request_models(["known.py:Known"]),
        task="synthetic",
        budget=Budget(1, 60.0),
        spaces=Path("spaces.toml"),
        output=Path("s.toml"),
        execution=Execution(device="cpu"),
    )
    return replace(base, **changes)


def refused(**changes):
    with pytest.raises(RecbenchError) as raised:
        tune(request(**changes))
    return str(raised.value)


def test_what_cannot_be_gone_on_with_and_what_cannot_be_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = (tmp_path / "known.py").read_text()
    tune(request())
    written = (tmp_path / "s.toml").read_text()
    other_seed = refused(seed=1)
    assert "holds trials of 'Known' that cannot be resumed: seed was 0 and is 1" in other_seed
    assert "--storage FILE" in other_seed
    (tmp_path / "spaces.toml").write_text("[Known]\ngood = { low = 0.5, high = 1.0 }\n")
    assert "search space was good = { low = 0.0, high = 1.0 }, epochs = " in refused()
    (tmp_path / "spaces.toml").write_text(SPACES)
    (tmp_path / "known.py").write_text(SOURCE + "# a change\n")
    assert "source of the model was sha256:" in refused()
    (tmp_path / "s.toml").write_text(written.replace("sha256:b", "sha256:c"))
    assert "s.toml holds settings of another task, synthetic of digest sha256:c" in refused()
    assert (tmp_path / "s.toml").read_text() == written.replace("sha256:b", "sha256:c")
    (tmp_path / "known.py").write_text(source)
    # By force, the file is replaced; the trials are kept.
    tune(request(force=True))
    assert (tmp_path / "s.toml").read_text() == written


def test_settings_go_into_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tune(request(output=None)).output == Path("results/settings/synthetic.toml")
    path = tmp_path / "results" / "settings" / "synthetic.toml"
    settings = load(path)
    empty = settings.models["Known"].model_copy(update={"parameters": {}})
    save(settings.with_model("Known", empty).with_model("other", empty), OutputFile(path))
    tune(request(output=None))
    assert load(path).models == {"Known": settings.models["Known"], "other": empty}


def test_a_model_that_changes_meanwhile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changes = "from pathlib import Path; Path(__file__).open('a').write('#')\n        self.base"
    (tmp_path / "known.py").write_text(SOURCE.replace("self.base", changes, 1))
    assert "The source of 'Known' has changed since its tuning began." in refused(budget=Budget(3, 60.0))
    assert not (tmp_path / "s.toml").exists()


BAD = {
    "an unknown parameter": (
        {"models": ["known.py:Wrong"]},
        "Unknown parameter of 'Wrong' in spaces.toml 'god'. Did you mean: good",
    ),
    "nothing to tune": ({"models": ["popularity"]}, "None of these models has parameters in spaces.toml."),
    "no such spaces": ({"spaces": Path("none.toml")}, "Cannot read the file of search spaces none.toml"),
    "no such task": ({"task": "synthetik"}, "Did you mean: synthetic"),
    "an endless budget": ({"budget": Budget(3, math.inf)}, "The budget must be a finite number of seconds."),
    "more threads than cores": ({"execution": Execution(threads=4096)}, "timings would be meaningless"),
    "a storage that is none": ({"storage": Path("known.py")}, "known.py cannot be used as the storage of a tuning"),
    "a storage without a folder": ({"storage": Path("known.py/x.db")}, "known.py is a file, and a folder is expected"),
    "a folder as the storage": ({"storage": Path("folder")}, "folder is a folder, and a file is expected"),
    "a storage of another program": ({"storage": Path("mine.db")}, "another program, with the tables notes."),
    "settings that are none": ({"output": Path("known.py")}, "known.py exists and was not written by recbench"),
    "a folder for the settings": ({"output": Path("folder")}, "folder is a folder, and a file is expected"),
    "a picture that is none": (
        {"importance": True},
        "results/tuning/synthetic--Known--history.png exists and was not written by recbench",
    ),
    "a folder of spaces": ({"spaces": Path("folder")}, "folder is a folder, and a file of search spaces is expected."),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_bad_input(tmp_path, monkeypatch, changes, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with closing(sqlite3.connect("mine.db")) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = (tmp_path / "mine.db").read_bytes()
    picture = tmp_path / "results" / "tuning" / "synthetic--Known--history.png"
    picture.parent.mkdir(parents=True)
    picture.write_text("mine")
    if "models" in changes:
        changes = {**changes, "models": request_models(changes["models"])}
    assert message in refused(**changes)
    assert not (tmp_path / "s.toml").exists()
    assert (tmp_path / "mine.db").read_bytes() == before
    assert picture.read_text() == "mine"


def test_without_optuna(recbench, tmp_path):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "optuna.py").write_text("raise ImportError('No module named optuna')")
    done = recbench(*BASE, PYTHONPATH=os.pathsep.join([str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")]))
    assert done.returncode == 2
    assert "Tuning needs optuna" in done.stderr
    assert "pip install 'optuna>=" in done.stderr


@pytest.fixture
def written(monkeypatch):
    written = io.StringIO()
    shown = MessageConsole(file=written, force_terminal=True, width=160, color_system=None, soft_wrap=True)
    for module in (console, bars):
        monkeypatch.setattr(module, "messages", lambda: shown)
    monkeypatch.setattr(bars, "SECONDS_BETWEEN_DRAWINGS", -1.0)
    return written


def trial(model, number, epochs=40):
    return PlannedTrial(PlannedModel(RequestedModel(find_model(model)), {"epochs": epochs}, None), 0, number)


def begins(model, past=()):
    return Event(EventKind.PLANNED, name=model, total=8, done=len(past), result=SoFar(past, "NDCG@10"))


def ended(trial, past):
    return Event(EventKind.ENDED, trial=trial, result=past)


def test_progress_where_people_watch(written):
    shown = Bars(TuningLines(Budget(8, 100.0), during=False))
    for model in ("bpr", "ncf"):
        shown.on_event(begins(model, [PastTrial(0, End.COMPLETED, {}, 30.0, score=0.25, best_epochs=7)]))
        first, second = trial(model, 1), trial(model, 2)
        shown.on_event(Event(EventKind.STARTED, trial=first))
        shown.on_event(Event(EventKind.EPOCH, trial=first, epoch=12))
        shown.on_event(TICK)
        shown.on_event(ended(first, PastTrial(1, End.PRUNED, {}, 10.0, score=0.125, epochs=12, planned_epochs=40)))
        shown.on_event(ended(second, PastTrial(2, End.FAILED, {}, 1.0, error="failed: no", log="a.log")))
        text = written.getvalue()
        assert f"{model}: continues; so far best 0.2500, 0 pruned, 0 failed, 70 s left" in text
        assert re.search(rf"{model}, trial 1; best 0.2500, .* 12/40", text)
        assert (
            f"{model} [2/8] pruned after epoch 12, NDCG@10 0.1250; best 0.2500, 1 pruned, 0 failed, 60 s left" in text
        )
        assert f"{model} [3/8] failed: no (log: a.log); best 0.2500, 1 pruned, 1 failed, 59 s left" in text
    shown.close()


def several_trials(shown):
    shown.on_event(begins("bpr"))
    third, fourth, fifth = trial("bpr", 3, 20), trial("bpr", 4, 40), trial("bpr", 5, 30)
    shown.on_event(Event(EventKind.STARTED, trial=third, worker="tcp://a:1"))
    shown.on_event(Event(EventKind.STARTED, trial=fourth, worker="tcp://b:2"))
    shown.on_event(Event(EventKind.EPOCH, trial=fourth, epoch=12))
    shown.on_event(Event(EventKind.EPOCH, trial=third, epoch=7))
    shown.on_event(ended(fourth, PastTrial(4, End.PRUNED, {}, 10.0, score=0.125, epochs=12, planned_epochs=40)))
    shown.on_event(Event(EventKind.STARTED, trial=fifth, worker="tcp://b:2"))
    shown.on_event(Event(EventKind.EPOCH, trial=fifth, epoch=1))


def test_what_a_trial_needs_is_said_if_it_is_much(written):
    lines = TuningLines(Budget(8, 100.0))
    for needed in (2**29, 3 * 2**30):
        lines.on_event(Event(EventKind.MEMORY, trial=trial("ease", 2), done=needed, total=4 * 2**30))
    assert written.getvalue() == "ease: trial 2 needs 3.0 GiB of memory, 4.0 GiB are available\n"


def test_several_trials_are_told_apart(written):
    several_trials(TuningLines(Budget(8, 100.0)))
    assert written.getvalue().splitlines() == [
        "bpr: trial 3 on tcp://a:1 ...",
        "bpr: trial 4 on tcp://b:2 ...",
        "bpr [1/8] trial 4: pruned after epoch 12, NDCG@10 0.1250; none completed, 1 pruned, 0 failed, 90 s left",
        "bpr: trial 5 on tcp://b:2 ...",
    ]


def test_where_people_watch_each_running_trial_has_a_line(written):
    several_trials(Bars(TuningLines(Budget(8, 100.0), during=False)))
    last = written.getvalue().rpartition("90 s left")[2]
    assert "trial 4" not in last
    assert re.search(r"bpr, trial 3 on tcp://a:1 .* 7/20", last)
    assert re.search(r"bpr, trial 5 on tcp://b:2 .* 1/30", last)
