"""The search for defaults in benchmarks/defaults/: its configurations, its store, its choice and its page."""

import json
import sys
from types import SimpleNamespace

import pytest

from benchmarks.defaults import __main__ as program
from benchmarks.defaults import page
from benchmarks.defaults.configurations import configurations, defaults
from benchmarks.defaults.datasets import DATASETS, Dataset, read_datasets
from benchmarks.defaults.regret import best_values, choose, leave_one_out, regrets, values_of
from benchmarks.defaults.search import Effort, _result, finalists, search
from benchmarks.defaults.trial_results import (
    Result,
    append_result,
    configuration_key,
    newest,
    read_results,
    results_path,
)
from recbench.errors import RecbenchError
from recbench.records.schema import Status
from recbench.tasks.lookup import load_task
from recbench.tuning.spaces import Choices, Range, own_spaces_path, read_spaces
from tests.examples import a_record

SPACE = {
    "factors": Range(low=16, high=256, log=True, integer=True),
    "rate": Range(low=0.01, high=1.0, log=True),
    "share": Range(low=0.0, high=1.0),
    "loss": Choices(choices=("bpr", "softmax")),
}
DEFAULTS = {"factors": 64, "rate": 0.1, "share": 0.5, "loss": "bpr", "switch": True}


def result(dataset, parameters, points, **more):
    facts = {"digest": "sha256:0", "model": "bpr", "status": "done", "seconds": 1.0} | more
    return Result(dataset=dataset, parameters=parameters, points=points, **facts)


def test_configurations_are_the_defaults_and_distinct_draws_from_the_space():
    drawn = configurations("bpr", SPACE, DEFAULTS, 30)
    assert drawn[0] == DEFAULTS
    assert len({configuration_key(configuration) for configuration in drawn}) == 30
    for configuration in drawn:
        assert configuration.keys() == DEFAULTS.keys()
        assert configuration["switch"] is True
        assert all(space.holds(configuration[name]) for name, space in SPACE.items())
        assert all(isinstance(configuration[name], type(value)) for name, value in DEFAULTS.items())
    # Uniform draws reach both ends of the space; every other draw keeps some defaults.
    assert min(configuration["rate"] for configuration in drawn) < 0.03
    assert max(configuration["rate"] for configuration in drawn) > 0.4
    kept = [sum(configuration[name] == DEFAULTS[name] for name in SPACE) for configuration in drawn]
    assert sum(kept[2::2]) > 2 * sum(kept[1::2])


def test_configurations_depend_on_the_model_alone_and_a_larger_number_only_adds():
    few, many, other = (configurations(*args) for args in [("bpr", SPACE, DEFAULTS, 5), ("bpr", SPACE, DEFAULTS, 9),
                                                           ("mf", SPACE, DEFAULTS, 5)])  # fmt: skip
    assert many[:5] == few
    assert other[1:] != few[1:]
    assert configurations("popularity", {}, {}, 5) == [{}]
    assert len(configurations("x", {"loss": SPACE["loss"]}, {"loss": "bpr"}, 5)) == 2


def test_every_model_has_configurations():
    for model, space in read_spaces(own_spaces_path()).items():
        drawn = configurations(model, space.parameters, defaults(model), 6)
        assert len(drawn) == 6
        assert all(parameter.holds(each[name]) for each in drawn[1:] for name, parameter in space.parameters.items())


def test_a_trial_also_gives_the_values_of_fewer_epochs_and_its_own_trial_takes_precedence():
    long = result("a", {"epochs": 8}, {2: 0.1, 4: 0.3, 8: 0.2})
    own = result("a", {"epochs": 4}, {2: 0.1, 4: 0.25})
    for order in ([long, own], [own, long]):
        values = values_of(order)
        assert values == {'{"epochs": 2}': {"a": 0.1}, '{"epochs": 4}': {"a": 0.25}, '{"epochs": 8}': {"a": 0.2}}
    assert values_of([result("a", {"l2": 1.0}, {1: 0.1})]) == {'{"l2": 1.0}': {"a": 0.1}}
    assert values_of([result("a", {"l2": 1.0}, {}, status="timed-out")]) == {}


VALUES = {
    "x": {"a": 0.50, "b": 0.20, "c": 0.30},
    "y": {"a": 0.48, "b": 0.25, "c": 0.30},
    "z": {"a": 0.10, "b": 0.24, "c": 0.40},
    "partly": {"a": 0.90},
}


def test_the_choice_has_the_smallest_mean_regret_among_configurations_with_all_values():
    assert best_values(VALUES) == {"a": 0.9, "b": 0.25, "c": 0.4}
    assert regrets(VALUES, "y") == pytest.approx({"a": 0.42, "b": 0.0, "c": 0.1})
    chosen = choose(VALUES, ["a", "b", "c"])
    assert chosen.key == "y"
    assert chosen.mean == pytest.approx(0.52 / 3)
    assert choose({"x": {"a": 1.0}, "y": {"b": 1.0}}, ["a", "b"]) is None


def test_leave_one_out_scores_each_dataset_with_a_choice_that_has_not_seen_it():
    # Without a: z (0.01 + 0). Without b: x (0.4 + 0.1). Without c: y (0.42 + 0).
    assert leave_one_out(VALUES, ["a", "b", "c"]).regrets == pytest.approx({"a": 0.8, "b": 0.05, "c": 0.1})
    assert leave_one_out(VALUES, ["a"]) is None


def test_finalists_are_the_defaults_and_the_trials_of_the_smallest_mean_regret():
    results = [
        result("a", {"epochs": 8, "l2": 1.0}, {4: 0.30, 8: 0.10}),
        result("b", {"epochs": 8, "l2": 1.0}, {4: 0.30, 8: 0.10}),
        result("a", {"epochs": 8, "l2": 2.0}, {4: 0.10, 8: 0.20}),
        result("b", {"epochs": 8, "l2": 2.0}, {4: 0.10, 8: 0.20}),
        result("a", {"epochs": 8, "l2": 3.0}, {4: 0.40, 8: 0.40}),
    ]
    default = {"epochs": 8, "l2": 9.0}
    assert finalists(results, default, 3) == [default, {"epochs": 8, "l2": 1.0}, {"epochs": 8, "l2": 2.0}]
    assert finalists([], default, 3) == [default]


def test_results_are_kept_line_by_line_and_a_cut_line_is_left_out(tmp_path):
    path = results_path("bpr", tmp_path / "results")
    assert read_results(path) == []
    first, second = (result("a", {"epochs": 8}, {8: value}) for value in (0.1, 0.2))
    append_result(path, first)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"dataset": "a", "dig')
    assert read_results(path) == [first]
    append_result(path, second)
    assert read_results(path) == [first, second]
    assert newest(read_results(path)) == [second]
    other_digest = result("a", {"epochs": 9}, {9: 0.3}, digest="sha256:1")
    assert newest([first, second, other_digest]) == [other_digest]
    path.write_bytes(b'{"dataset": 1}\n')
    with pytest.raises(RecbenchError, match="line 1 is not a result"):
        read_results(path)


def test_the_list_of_datasets_is_complete_and_its_synthetic_tasks_are_pinned():
    datasets = read_datasets()
    assert [dataset.stage for dataset in datasets] == sorted(dataset.stage for dataset in datasets)
    assert {"ml-100k", "ml-100k-loo", "ncf-ml-1m", "gowalla"} < {dataset.name for dataset in datasets}
    made = [dataset for dataset in datasets if not isinstance(dataset.task, str)]
    assert len(made) >= 3
    assert all(
        dataset.task.is_relative_to(DATASETS.parent) and "digest = " in dataset.task.read_text() for dataset in made
    )
    assert load_task(next(dataset.task for dataset in made if dataset.name == "made-dense")).n_users == 400


def test_a_dataset_that_must_be_imported_says_how():
    with pytest.raises(RecbenchError) as caught:
        Dataset("split", "no-such-split", 2, "recbench task import ncf ...").validation_source()
    assert caught.value.hint == "recbench task import ncf ..."


def test_a_search_runs_each_trial_once_within_its_seconds_and_resumes(tmp_path):
    datasets = [Dataset("one", "synthetic", 1), Dataset("two", "synthetic", 2)]
    lines = []

    def run(**more):
        effort = {"configurations": 2, "finalists": 1, "seconds": 60.0} | more
        search(["ease"], datasets, Effort(**effort), lines.append, tmp_path)
        return read_results(results_path("ease", tmp_path))

    first = run()
    assert [trial.dataset for trial in first] == ["one", "one", "two"]
    assert all(trial.status == "done" and trial.points[1] > 0.1 and trial.seconds > 0 for trial in first)
    assert first[0].parameters == first[2].parameters == defaults("ease")
    assert first[0].points == first[2].points != first[1].points
    assert run() == first
    assert len(lines) == 3
    assert run(configurations=4, seconds=1e-9) == first
    assert "trials not run: 2" in lines[-1]


def test_a_trial_that_times_out_takes_its_whole_time():
    planned = SimpleNamespace(model=SimpleNamespace(name="bpr", parameters={}, code_version=None))
    record = a_record("bpr", 0, status=Status.TIMED_OUT)
    timed_out = _result(Dataset("one", "synthetic", 1), "sha256:0", planned, record, 5.0)
    assert (timed_out.status, timed_out.seconds, timed_out.points) == ("timed-out", 5.0, {})


def test_the_page_shows_regrets_of_todays_defaults_and_keeps_its_other_text(tmp_path, monkeypatch, capsys):
    default = defaults("ease")
    for dataset, values in (("ml-100k", (0.27, 0.28)), ("gowalla", (0.11, 0.10))):
        for l2, value in zip((default["l2"], 5.0), values, strict=True):
            trial = result(dataset, {**default, "l2": l2}, {1: value}, model="ease")
            append_result(results_path("ease", tmp_path), trial)
    results = page.results_by_model(tmp_path)
    shown = page.tables(results, ["ml-100k", "made-dense", "gowalla"])
    assert "| ease    |    0.0100 |            – |    0.0000 | 0.0050 |" in shown
    assert page.chosen_configurations(results, ["ml-100k", "gowalla"]).count("0.0050") == 2
    text = page.with_tables(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", shown)
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert page.with_tables(text, shown) == text
    with pytest.raises(RecbenchError, match="lacks the line"):
        page.with_tables("no marks", shown)
    for option, value, message in [
        ("--datasets", "ml-100", "ml-100k"),
        ("--models", "eas", "Did you mean: ease"),
        ("--configurations", "0", "above 0"),
        ("--seconds", "-1", "above 0"),
    ]:
        monkeypatch.setattr(sys, "argv", ["defaults", "search", option, value])
        assert program.main() == 2
        assert message in capsys.readouterr().err


def test_the_documentation_of_the_models_is_made_from_the_stored_results(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["defaults", "document", "--check"])
    assert program.main() == 0, capsys.readouterr().err


def test_stored_results_are_of_todays_parameters():
    for model, stored in page.results_by_model().items():
        names = defaults(model).keys()
        assert all(trial.parameters.keys() == names for trial in stored), f"delete the results of {model}"
    assert json.loads(configuration_key({"b": 1, "a": 2})) == {"a": 2, "b": 1}
