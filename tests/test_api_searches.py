"""Sweeps and tunings, as a notebook uses them."""

import ast
import re

import numpy as np
import pytest

import recbench as rb
from tests.popular_model import Popular


def test_a_sweep_has_other_values_than_its_instance(synthetic_task, tmp_path):
    sweep = rb.sweep(Popular(power=3.0), "power", [1.0, -1.0], synthetic_task, seeds=1, output=tmp_path, quiet=True)
    assert [point.value for point in sweep.points] == [1.0, -1.0]


def test_a_sweep(synthetic_task, tmp_path):
    sweep = rb.sweep(Popular, "power", [1.0, -1.0], synthetic_task, seeds=1, output=tmp_path, quiet=True)
    assert [point.value for point in sweep.points] == [1.0, -1.0]
    assert sweep.run.to_frame()["model"].nunique() == 2
    assert sweep.to_frame()["power"].unique().tolist() == [1.0, -1.0]
    assert repr(sweep) == sweep.table()
    assert "<table" in sweep._repr_html_()
    assert sweep.table("markdown").count("|") > 10
    assert sweep.plot(tmp_path / "sweep.svg").exists()


def test_a_tuning(synthetic_task, tmp_path):
    pytest.importorskip("optuna")
    spaces = tmp_path / "spaces.toml"
    spaces.write_text("[Popular]\npower = { low = -1.0, high = 1.0 }\n")
    tuning = rb.tune(
        Popular,
        synthetic_task,
        trials=3,
        budget=60,
        spaces=spaces,
        storage=tmp_path / "trials.db",
        output=tmp_path / "settings.toml",
        quiet=True,
    )
    assert tuning.settings["Popular"]["power"] > 0
    assert len(tuning.to_frame()) == 3
    assert repr(tuning) == tuning.table()
    assert "<table" in tuning._repr_html_()
    assert not tuning.without_setting
    tuned = rb.run(
        Popular, synthetic_task, seeds=1, settings=str(tmp_path / "settings.toml"), output=tmp_path, quiet=True
    )
    assert tuned.trials[0].record.parameters["power"] == tuning.settings["Popular"]["power"]


def test_search_spaces_are_a_dict_and_settings_a_tuning(synthetic_task, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    spaces = {"Popular": {"power": {"low": np.float64(0.25), "high": 1.0, "log": True}}}
    tuning = rb.tune([Popular, "random"], synthetic_task, trials=3, budget=60, spaces=spaces, quiet=True)
    assert tuning.models[0].tuned.search_space == {"power": "{ low = 0.25, high = 1.0, log = true }"}
    assert spaces == {"Popular": {"power": {"low": 0.25, "high": 1.0, "log": True}}}
    # The tuning, and not its file, which another tuning may have replaced.
    tuning.output.unlink()
    run = rb.run([Popular, "random"], synthetic_task, seeds=1, settings=tuning, output="runs", quiet=True)
    assert run.trials[0].record.parameters["power"] == tuning.settings["Popular"]["power"]
    assert "Settings: results/settings/synthetic.toml, tuned on validation cases with up to 3 trials" in run.table()
    assert "Not tuned, so with defaults: random." in run.table()
    assert run.document()["settings"]["path"] == "results/settings/synthetic.toml"
    with pytest.raises(rb.RecbenchError, match="a suite has several"):
        rb.suite(models=["random", "popularity"], tasks=["synthetic", "skewed-synthetic"], settings=tuning)


@pytest.mark.parametrize(
    ("spaces", "message"),
    [
        ({"Populer": {"power": {"low": 0.0, "high": 1.0}}}, "Unknown model of the argument spaces 'Populer'. Did you"),
        (
            {"Popular": {"power": {"low": 2.0, "high": 1.0}}},
            "the argument spaces, [Popular] power: low 2 is above high 1",
        ),
        ({"Popular": {"power": 3}}, "the argument spaces, [Popular] power: Input should be"),
        (
            {"Popular": {"powr": {"low": 0.0, "high": 1.0}}},
            "Unknown parameter of 'Popular' in the argument spaces 'powr'",
        ),
        ({Popular: {"power": {"low": 0.0, "high": 1.0}}}, "Input should be a valid string"),
        ({"Popular": ["power"]}, "the argument spaces, [Popular] : Input should be a valid dictionary"),
        (3, "3 is neither a file nor a dict of search spaces"),
    ],
)
def test_bad_search_spaces(synthetic_task, tmp_path, monkeypatch, spaces, message):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rb.RecbenchError, match=re.escape(message)) as raised:
        rb.tune(Popular, synthetic_task, spaces=spaces, quiet=True)
    assert raised.value.hint


def test_a_model_without_a_search_space_gets_one_to_start_from(synthetic_task, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rb.RecbenchError, match="None of these models has parameters") as raised:
        rb.tune(Popular, synthetic_task, quiet=True)
    assert "--" not in raised.value.hint
    proposed = ast.literal_eval(raised.value.hint.partition("spaces=")[2])
    assert proposed == {"Popular": {"power": {"low": 0.1, "high": 10.0, "log": True}}}
    assert rb.tune(Popular, synthetic_task, trials=1, spaces=proposed, quiet=True).settings["Popular"]


@pytest.mark.parametrize("argument", ["storage", "output"])
def test_a_path_that_is_none_gets_an_example_of_its_own(synthetic_task, argument):
    pytest.importorskip("optuna")
    with pytest.raises(rb.RecbenchError) as raised:
        rb.tune(Popular, synthetic_task, **{argument: 3})
    assert raised.value.hint == f'For example: {argument}="{"trials.db" if argument == "storage" else "settings.toml"}"'


def test_settings_that_are_none(synthetic_task):
    with pytest.raises(rb.RecbenchError, match="settings=3 is not valid"):
        rb.run("random", synthetic_task, settings=3, quiet=True)


SCORED = """
import numpy as np

class Passes:
    def __init__(self, {name}: int = 3):
        self.n = {name}

    def fit(self, train, context):
        for _ in range(self.n):
            context.end_epoch()

    def score(self, users, items):
        with open({log!r}, "a") as file:
            file.write(f"{{len(users)}}\\n")
        return np.zeros(items.shape)
"""


def test_only_models_whose_epochs_can_be_chosen_are_scored_after_each(synthetic_task, tmp_path):
    pytest.importorskip("optuna")
    scored = {}
    for name in ("epochs", "passes"):
        log, spaces = tmp_path / f"{name}.log", tmp_path / f"{name}.toml"
        source = tmp_path / f"by_{name}.py"
        source.write_text(SCORED.format(name=name, log=str(log)), encoding="utf-8")
        spaces.write_text(f"[Passes]\n{name} = {{ low = 2, high = 4, integer = true }}\n", encoding="utf-8")
        rb.tune(
            f"{source}:Passes",
            synthetic_task,
            trials=1,
            spaces=spaces,
            storage=tmp_path / f"{name}.db",
            output=tmp_path / f"tuned-{name}.toml",
            quiet=True,
        )
        scored[name] = sum(map(int, log.read_text(encoding="utf-8").split()))
    # After each of three epochs and at the end; or at the end alone.
    assert scored["epochs"] == 4 * scored["passes"]
