"""Tuned hyper-parameters: their file, what a run takes from it, and what its table says of that."""

import json
import re
from datetime import UTC, datetime

import pytest

from recbench.errors import RecbenchError
from recbench.output_files import OutputFile
from recbench.records import tuned_settings
from recbench.records.schema import TaskIdentity
from recbench.records.tuned_settings import (
    Effort,
    Provenance,
    TrialCounts,
    TunedModel,
    TunedSettings,
    builtin_settings_path,
    load,
    project_settings_path,
    save,
)
from recbench.registry.models import ModelReference, Origin
from recbench.registry.requested import RequestedModel
from recbench.registry.settings_used import Source, use_settings
from recbench.reports.run.settings_notes import settings_notes
from recbench.reports.tuning.table import tuning_table
from recbench.tuning.past import Budget
from recbench.tuning.result import ModelTuning
from recbench.tuning.spaces import Range

OWN = """
import numpy as np


class Own:
    def __init__(self, share: float = 0.5, epochs: int = 3, fast: bool = False, loss: str = "bpr"):
        self.epochs = epochs

    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items)
        for _ in range(self.epochs):
            context.end_epoch()
        context.report(rows=len(train))

    def score(self, users, items):
        return self.counts[items].astype(np.float32)
"""


def a_provenance(**changes):
    values = {
        "objective": "ndcg@10",
        "validation_score": 0.123456789012345678,
        "budget_trials": 20,
        "budget_seconds": 60.0,
        "trials": TrialCounts(completed=12, pruned=6, failed=1, out_of_time=1, interrupted=2),
        "seconds": 59.75,
        "seed": 0,
        "threads": 1,
        "code_version": "sha256:" + "0" * 64,
        "protocol_version": 2,
        "recbench_version": "0.1.0",
        "python": "3.12.1",
        "packages": {"numpy": "2.4.0"},
        "tuned_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Provenance(**{**values, **changes})


PARAMETERS = {"share": 0.1 + 0.2, "epochs": 2, "fast": True, "loss": "softmax"}


def some_settings(digest="sha256:" + "ab" * 32, **models):
    tuned = {name: TunedModel(parameters=PARAMETERS, provenance=provenance) for name, provenance in models.items()}
    return TunedSettings(task=TaskIdentity(name="synthetic", digest=digest), models=tuned)


def wanted(name, **texts):
    return RequestedModel(ModelReference(name, f"x:{name}", Origin.MODULE), texts)


def test_what_is_written_is_what_is_read(tmp_path):
    settings = some_settings(Own=a_provenance(), other=a_provenance(default_score=0.1))
    save(settings, OutputFile(tmp_path / "a" / "settings.toml"))
    assert load(tmp_path / "a" / "settings.toml") == settings
    again = settings.with_model("Own", settings.models["other"])
    assert list(again.models) == ["Own", "other"]
    assert again.models["Own"].provenance.default_score == 0.1


def test_a_setting_adds_the_effort_of_the_searches_that_it_replaces(tmp_path):
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    output = OutputFile(tmp_path / "s.toml")

    def after(settings, **changes):
        tuned = TunedModel(parameters=PARAMETERS, provenance=a_provenance(**changes))
        save(settings.with_model("Own", tuned), output)
        return load(output.path)

    old = some_settings(Own=a_provenance())
    assert old.models["Own"].provenance.effort == Effort(searches=1, trials=20, seconds=59.75)
    settings = after(some_settings(), search_began_at=first, trials=TrialCounts(completed=9), seconds=10.0)
    assert settings.models["Own"].provenance.effort == Effort(searches=1, trials=9, seconds=10.0)
    assert settings.models["Own"].provenance.few_trials
    more = after(settings, search_began_at=first, trials=TrialCounts(completed=10), seconds=15.0)
    assert more.models["Own"].provenance.effort == Effort(searches=1, trials=10, seconds=15.0)
    assert not more.models["Own"].provenance.few_trials
    again = after(more, search_began_at=second, seconds=5.0)
    assert again.models["Own"].provenance.effort == Effort(searches=2, trials=30, seconds=20.0)
    # The same search with a larger budget keeps what it knew.
    longer = after(again, search_began_at=second, seconds=8.0)
    assert longer.models["Own"].provenance.effort == Effort(searches=2, trials=30, seconds=23.0)
    # The first one writes the file again, and then the second one: each counts once.
    turns = after(longer, search_began_at=first, trials=TrialCounts(completed=10), seconds=15.0)
    assert turns.models["Own"].provenance.effort == Effort(searches=2, trials=30, seconds=23.0)
    turns = after(turns, search_began_at=second, seconds=8.0)
    assert turns.models["Own"].provenance.effort == Effort(searches=2, trials=30, seconds=23.0)
    # An older file does not identify its search.
    assert after(old, search_began_at=first).models["Own"].provenance.effort.searches == 2


def test_settings_of_older_files_are_read():
    for path in sorted((builtin_settings_path("x").parent).glob("*.toml")):
        for tuned in load(path).models.values():
            assert tuned.provenance.effort.searches >= 1


BROKEN = {
    "not TOML": ("[models", "is not valid TOML"),
    "another schema": ("schema = 2\n[task]\nname='x'\ndigest='y'", "schema: Input should be 1"),
    "a table for a value": (
        "schema = 1\n[task]\nname='x'\ndigest='y'\n[models.bpr.parameters.factors]\nlow=1",
        "is not a settings file:\n  models.bpr",
    ),
    "no task": ("schema = 1", "task: Field required"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files(tmp_path, text, message):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(RecbenchError, match=re.escape(message)) as raised:
        load(tmp_path / "s.toml")
    assert "recbench tune" in raised.value.hint


def test_what_is_given_goes_before_what_is_tuned(tmp_path):
    save(some_settings(Own=a_provenance()), OutputFile(tmp_path / "s.toml"))
    task = TaskIdentity(name="synthetic", digest="sha256:" + "cd" * 32)
    models = [wanted("Own", epochs="7"), wanted("other", epochs="9")]
    tuned_models, used = use_settings(str(tmp_path / "s.toml"), models, task)
    assert tuned_models[0].texts == {"share": "0.30000000000000004", "epochs": "7", "fast": "true", "loss": "softmax"}
    assert tuned_models[1] == models[1]
    assert (used.untuned, used.of_another_task) == (("other",), True)
    (lost,) = used.overridden
    assert (lost.model, lost.name, lost.given, lost.tuned) == ("Own", "epochs", "7", 2)
    kept, nothing = use_settings("default", models, task)
    assert kept == models
    assert (nothing.source, nothing.tuned, nothing.of_another_task) == (Source.DEFAULT, {}, False)
    assert settings_notes(nothing, ()) == ["Settings: each model's defaults."]


@pytest.fixture
def of_recbench(tmp_path, monkeypatch):
    """The folder of the settings that come with the models; the working folder is a project's."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "installed" / "settings"
    monkeypatch.setattr(tuned_settings, "builtin_folder", lambda: folder.parent)
    return folder / "synthetic.toml"


def test_the_projects_settings_take_precedence(of_recbench):
    project = OutputFile(project_settings_path("synthetic"))
    task = TaskIdentity(name="synthetic", digest="sha256:" + "ab" * 32)
    models = [wanted("Own"), wanted("other"), wanted("third")]
    with pytest.raises(RecbenchError, match="there is no results/settings/synthetic.toml and no models/settings/synth"):
        use_settings("tuned", models, task)
    save(some_settings(Own=a_provenance(seed=1), other=a_provenance(seed=1)), OutputFile(of_recbench))
    _, used = use_settings("tuned", models, task)
    assert (used.path, set(used.tuned)) == ("models/settings/synthetic.toml", {"Own", "other"})
    save(some_settings(Own=a_provenance(seed=2)), project)
    tuned_models, used = use_settings("tuned", models, task)
    assert used.path == "results/settings/synthetic.toml (Own), models/settings/synthetic.toml (other)"
    assert {name: provenance.seed for name, provenance in used.tuned.items()} == {"Own": 2, "other": 1}
    assert [bool(model.texts) for model in tuned_models] == [True, True, False]
    assert use_settings("tuned", models[:1], task)[1].path == "results/settings/synthetic.toml"
    # The two files are about other tasks: what comes with recbench does not count.
    save(some_settings("sha256:" + "cd" * 32, other=a_provenance()), OutputFile(of_recbench))
    _, used = use_settings("tuned", models, task)
    assert (used.path, used.untuned) == ("results/settings/synthetic.toml", ("other", "third"))
    project.path.unlink()
    project.path.mkdir()
    with pytest.raises(RecbenchError, match="results/settings/synthetic.toml is a folder, and a settings file is exp"):
        use_settings("tuned", models, task)


def test_the_note_tells_each_models_budget_and_whether_they_were_the_same(tmp_path):
    task = TaskIdentity(name="synthetic", digest="sha256:" + "ab" * 32)
    models = [wanted("Own"), wanted("other"), wanted("third")]
    save(some_settings(Own=a_provenance(), other=a_provenance(seconds=3.2)), OutputFile(tmp_path / "s.toml"))
    _, used = use_settings(str(tmp_path / "s.toml"), models, task)
    assert settings_notes(used, ()) == [
        f"Settings: {tmp_path}/s.toml, tuned on validation cases with up to 20 trials and 60 s a model: "
        "Own 20 in 60 s, other 20 in 3 s.",
        "Not tuned, so with defaults: third.",
    ]
    save(some_settings(Own=a_provenance(), other=a_provenance(budget_trials=5)), OutputFile(tmp_path / "s.toml"))
    _, used = use_settings(str(tmp_path / "s.toml"), models[:2], task)
    assert settings_notes(used, ()) == [
        f"Settings: {tmp_path}/s.toml, tuned on validation cases, trials: Own 20 in 60 s, other 20 in 60 s. "
        "The budgets were not the same: Own 20 and 60 s, other 5 and 60 s.",
    ]


def test_a_run_with_settings(recbench, tmp_path):
    (tmp_path / "own_model.py").write_text(OWN)
    save(some_settings(Own=a_provenance()), OutputFile(tmp_path / "s.toml"))
    base = ("run", "--models", "own_model.py:Own,popularity", "--task", "synthetic", "--seeds", "1")
    done = recbench(*base, "--settings", "s.toml", "--param", "Own.epochs=5", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    own, popularity = document["results"]
    assert own["params"] == {**PARAMETERS, "epochs": 5}
    assert popularity["params"] == {}
    assert document["settings"]["source"] == "file"
    assert document["settings"]["tuned"]["Own"]["validation_score"] == 0.123456789012345678
    digest = document["task"]["digest"]
    warning = f"s.toml was tuned on another task, of digest sha256:{'ab' * 32}; this run's is {digest}."
    assert f"Warning: {warning}" in done.stderr
    assert "--param Own.epochs=5 takes precedence over the tuned value 2." in done.stderr
    # Training for test cases takes every train row, those that validation held out included.
    record = json.loads((tmp_path / own["records"][0]).read_text())
    assert record["facts"]["rows"] == record["n_train"] == document["task"]["n_train"]
    table = recbench(*base, "--settings", "s.toml", "--param", "Own.epochs=5").stdout
    assert warning in table
    assert "Given by --param instead of the tuned value: Own.epochs=5 (tuned: 2)." in table
    assert "The source has changed since the tuning of: Own." in table


def test_settings_that_do_not_fit(recbench, tmp_path):
    (tmp_path / "own_model.py").write_text(OWN.replace("share: float = 0.5, ", ""))
    save(some_settings(Own=a_provenance()), OutputFile(tmp_path / "s.toml"))
    base = ("run", "--models", "own_model.py:Own", "--task", "synthetic", "--seeds", "1")
    unknown = recbench(*base, "--settings", "s.toml")
    assert unknown.returncode == 2
    assert "Unknown parameter of 'Own' 'share'." in unknown.stderr
    assert "Parameters that --param does not give come from s.toml." in unknown.stderr
    missing = recbench(*base, "--settings", "none.toml")
    assert missing.returncode == 2
    assert "Cannot read the settings file none.toml" in missing.stderr
    untuned = recbench(*base, "--settings", "tuned")
    assert untuned.returncode == 2
    assert "there is no results/settings/synthetic.toml and no models/settings/synthetic.toml." in untuned.stderr
    assert "recbench tune --models ... --task synthetic" in untuned.stderr
    assert not (tmp_path / "results").exists()


def test_a_tuning_says_what_is_doubtful_of_its_settings():
    def notes(**changes):
        tuned = TunedModel(parameters=PARAMETERS, provenance=a_provenance(**changes))
        tuning = ModelTuning("Own", {"share": Range(low=0, high=1)}, tuned=tuned)
        return [line for line in tuning_table([tuning], Budget(30, 60.0)).splitlines() if line.startswith("Own: ")]

    few = TrialCounts(completed=9, pruned=21)
    earlier = Effort(searches=1, trials=5, seconds=2.25)
    assert notes(origin="drawn", at_edge={}, default_score=0.1) == []
    assert notes(trials=few, origin="default", equals_defaults=False, default_score=0.1) == [
        "Own: completed trials: 9, fewer than 10.",
        "Own: the defaults are best, with another number of epochs.",
    ]
    assert notes(origin="known", known_source="A paper", default_score=0.1) == [
        "Own: a known configuration is best, from 'A paper'."
    ]
    assert notes(equals_defaults=True, at_edge={"l2": "low"}, earlier=earlier, default_score=0.1) == [
        "Own: the defaults are best.",
        "Own: at an edge of the search space: l2 (low).",
        "Own: search number 2; together 25 trials in 62 s.",
    ]
