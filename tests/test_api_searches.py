"""Sweeps and tunings, as a notebook uses them."""

import pytest

import recbench as rb
from tests.test_api import Popular

pytestmark = pytest.mark.usefixtures("forked_trials")


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
