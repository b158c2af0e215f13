"""The history of accepted baselines and tracked runs: configurations stay apart, and it can be searched."""

import inspect
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import recbench as rb
from recbench.cli.history import history as show
from recbench.cli.run import run as run_verb
from recbench.cli.score_file import score_file as score_file_verb
from recbench.cli.shared.moments import parse_moment
from recbench.cli.sweep import sweep as sweep_verb
from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation import inference
from recbench.evaluation.metric_names import parse_measure
from recbench.experiments.execution import Execution
from recbench.experiments.sweep import SweepRequest, sweep
from recbench.experiments.track import check_history, track
from recbench.records import baselines, history
from recbench.records.schema import Revision
from recbench.registry.requested import request_models
from recbench.reports.column_choice import column_names
from recbench.reports.history_table import history_columns
from recbench.reports.trend import trends
from tests.command_line import CommandLine
from tests.examples import a_record, a_trial
from tests.test_baselines import a_run

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(inference.infer, "__defaults__", ((), 10))  # fewer resamples, to be fast


def lines(day, skill, *, label="main", seeds=2, **changes):
    """The lines of an acceptance."""
    at = START + timedelta(days=day)
    return [history.Accepted.of(a_trial("bpr", seed, skill, n=50, **changes), label, at) for seed in range(seeds)]


def of_factors(factors):
    return {"parameters": {"factors": factors, "epochs": 20}}


def changes_of(trend):
    return [
        None if (change := acceptance.changes["hr@10"]) is None else round(change, 2)
        for acceptance in trend.acceptances
    ]


def test_configurations_are_neither_averaged_nor_compared_with_each_other():
    small, large = of_factors(4), of_factors(64)
    trend_list = trends(
        [*lines(0, 0.2, **small), *lines(0, 0.8, **large), *lines(1, 0.3, **small), *lines(1, 0.7, **large)], ["hr@10"]
    )
    (trend,) = trend_list
    assert [acceptance.n_seeds for acceptance in trend.acceptances] == [2] * 4
    first, second, third, fourth = (acceptance.figures["hr@10"].mean for acceptance in trend.acceptances)
    assert changes_of(trend) == [None, None, round(third - first, 2), round(fourth - second, 2)]
    assert trend.varying() == ["factors"]


@pytest.mark.parametrize("apart", [{"reference": "other:Model"}, {"threads": 2}, {"device": "gpu"}])
def test_other_conditions_are_another_configuration(apart):
    (trend,) = trends([*lines(0, 0.5), *lines(0, 0.6, **apart)], ["hr@10"])
    assert [acceptance.n_seeds for acceptance in trend.acceptances] == [2, 2]


def test_configurations_with_labels_have_trends_of_their_own():
    trials = [a_trial("bpr", 0, 0.5, n=50), *(a_trial("bpr", 0, 0.5, n=50, label=name) for name in ("a", "b"))]
    every = [history.Accepted.of(trial, "main", START) for trial in trials]
    assert [trend.model for trend in trends(every, ["hr@10"])] == ["bpr", "a", "b"]
    assert [trend.model for trend in trends(every, ["hr@10"], models=["a"])] == ["a"]
    assert len(trends(every, ["hr@10"], models=["bpr"])) == 3


def test_a_change_is_from_the_one_before_under_the_same_label():
    every = [
        *lines(0, 0.2),
        *lines(1, 0.9, label="nightly"),
        *lines(2, 0.4, **of_factors(8)),
        *lines(3, 0.3, label="nightly"),
    ]
    (trend,) = trends(every, ["hr@10"])
    means = [acceptance.figures["hr@10"].mean for acceptance in trend.acceptances]
    assert changes_of(trend) == [None, None, round(means[2] - means[0], 2), round(means[3] - means[1], 2)]
    low, high = (line.hr_interval for line in lines(0, 0.2))
    assert trend.acceptances[0].interval.low == pytest.approx((low[0] + high[0]) / 2)


def test_runs_of_one_commit_do_not_replace_each_other():
    revision = Revision(sha="a" * 40, dirty=False)
    swept = [
        history.Accepted.of(a_trial("bpr", 0, skill, n=50, revision=sha, **of_factors(factors)), "", at, is_run=True)
        for factors, skill, at, sha in (
            (4, 0.2, START, revision), (8, 0.4, START + timedelta(hours=1), revision),
            (8, 0.5, START + timedelta(hours=2), Revision(sha="b" * 40, dirty=False)),
        )
    ]  # fmt: skip
    (trend,) = trends(swept, ["hr@10"])
    means = [acceptance.figures["hr@10"].mean for acceptance in trend.acceptances]
    assert changes_of(trend) == [None, None, round(means[2] - means[1], 2)]


def test_a_change_that_rounds_to_nothing_has_no_minus():
    (first,) = lines(0, 0.2, seeds=1)
    (trend,) = trends([first, first.model_copy(update={"hr": first.hr - 1e-9, "accepted_at": START + YEAR})], ["hr@10"])
    assert history_columns(trend, [parse_measure("hr@10")])[6].wide[0].cells == ["", "+0.0000"]


def test_a_fit_that_is_too_short_to_time_has_no_throughput():
    speed = {"interactions_per_second": 4e6}
    known = [*lines(0, 0.2, **speed, fit_seconds=0.05), *lines(1, 0.2, **speed, fit_seconds=2.0)]
    before = [line.model_copy(update={"fit_seconds": None}) for line in lines(2, 0.2, **speed)]
    (trend,) = trends([*known, *before], ["hr@10"])
    column = history_columns(trend, [parse_measure("hr@10")])[-1]
    assert column.wide[0].cells == ["-", "4,000,000", "4,000,000"]
    assert column.narrow[0].cells == ["-", "4.0 M/s", "4.0 M/s"]
    # A line from before the training time was kept stays as it is.
    assert "fit_seconds" not in before[0].model_dump()


def shown(capsys, **options):
    show(**options, as_json=True)
    return [
        (trend["model"], acceptance["kind"], acceptance["label"], acceptance["seeds"])
        for trend in json.loads(capsys.readouterr().out)["trends"]
        for acceptance in trend["acceptances"]
    ]


def test_runs_are_tracked_once_and_stay_apart_from_what_was_accepted(tmp_path, capsys):
    trials = a_run(
        tmp_path / "run", *(a_record("bpr", seed, started_at=START + timedelta(hours=seed)) for seed in (0, 1))
    )
    check_history()
    assert track(trials.trials) == 2
    assert track(trials.trials) == 0
    more = a_run(tmp_path / "run", a_record("bpr", 2, revision=Revision(sha="1" * 40, dirty=True)))
    assert track(more.trials) == 1
    baselines.accept(trials, "main")
    assert Path("results/.gitattributes").exists()
    assert shown(capsys) == [("bpr", "run", "run", 3), ("bpr", "accepted", "main", 2)]
    assert shown(capsys, label="run") == [("bpr", "run", "run", 3)]
    assert shown(capsys, label="main") == [("bpr", "accepted", "main", 2)]
    show()
    printed = capsys.readouterr().out
    assert "000000000+" in printed
    assert "Parameters: epochs=20, factors=64" in printed
    Path("results/history.jsonl").write_text("<<<<<<< HEAD\n")
    with pytest.raises(RecbenchError, match="merge conflict"):
        check_history()


def test_sweeps_evaluations_and_runs_of_the_api_are_tracked(synthetic_task, capsys, tmp_path):
    settings = {"seeds": 1, "output": tmp_path / "runs", "quiet": True, "track": True}
    rb.run("popularity", synthetic_task, in_process=True, **settings)
    rb.evaluate(synthetic_task, lambda users, items: items.astype(float), name="mine", track=True)
    request = SweepRequest(
        model=request_models(["itemknn"])[0],
        parameter="overlap",
        values=["2", "8"],
        task=synthetic_task,
        seeds=[0],
        output=tmp_path / "runs",
        execution=Execution(in_process=True),
        track=True,
    )
    sweep(request)
    assert [row[:2] for row in shown(capsys)] == [("popularity", "run"), ("mine", "run"), *[("itemknn", "run")] * 2]
    # The history is checked before anything is trained.
    Path("results/history.jsonl").write_text("<<<<<<< HEAD\n")
    for tracked in (
        lambda: rb.run("random", synthetic_task, **settings),
        lambda: rb.sweep("itemknn", "overlap", [3], synthetic_task, **settings),
        lambda: rb.evaluate(synthetic_task, lambda users, items: 1 / 0, name="other", track=True),
    ):
        with pytest.raises(RecbenchError, match="merge conflict"):
            tracked()
    for verb in (run_verb, sweep_verb, score_file_verb):
        assert "track" in inspect.signature(verb).parameters


def test_a_line_stands_where_its_time_is_also_in_the_file(capsys):
    history.append([*lines(5, 0.5), *lines(5, 0.5, label="other")])
    history.append(lines(1, 0.4))
    history.append(lines(3, 0.4))
    history.append(lines(9, 0.4))
    days = [json.loads(text)["accepted_at"][8:10] for text in Path("results/history.jsonl").read_text().splitlines()]
    assert days == [f"{day + 1:02}" for day in (1, 1, 3, 3, 5, 5, 5, 5, 9, 9)]


def test_the_history_names_steps_and_draws_them(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    history.append([line for day, skill in enumerate((0.6, 0.6, 0.6, 0.2, 0.2)) for line in lines(day, skill)])
    show(plot=tmp_path / "history.svg")
    printed = capsys.readouterr().out
    assert "Step of HR@10: -0." in printed
    assert "between 000000000 (2026-01-03) and 000000000 (2026-01-04)" in printed
    assert (tmp_path / "history.svg").exists()
    show(last=1, as_json=True)
    assert json.loads(capsys.readouterr().out)["trends"][0]["steps"] == []
    show(last=2, as_json=True)
    (step,) = json.loads(capsys.readouterr().out)["trends"][0]["steps"]
    assert (step["metric"], step["before"]["accepted_at"][:10]) == ("hr@10", "2026-01-03")
    with pytest.raises(RecbenchError, match="ending is of no known kind"):
        show(plot=tmp_path / "history.txt")


def test_the_history_is_searched_by_label_time_and_number(tmp_path, capsys):
    history.append([*lines(0, 0.2), *lines(10, 0.3), *lines(20, 0.4, label="nightly", **of_factors(8))])
    assert shown(capsys, last=1) == [("bpr", "accepted", "nightly", 2)]
    assert shown(capsys, last=9, label="main") == [("bpr", "accepted", "main", 2)] * 2
    for since, count in (("2026-01-11", 2), ("2026-01-11T00:00:01", 1), ("2026-01-11T02:00+02:00", 2), ("9999w", 3)):
        assert len(shown(capsys, since=since)) == count
    show(last=2)
    printed = capsys.readouterr().out
    assert [word in printed for word in ("factors=64", "factors=8", "epochs=20", "+0.")] == [True] * 4
    for options, error, cause in (
        ({"label": "nope"}, RecbenchError, "Unknown label of the history 'nope'"),
        ({"since": "soon"}, RecbenchError, "--since 'soon' is neither a date"),
        ({"since": "0001-01-01T00:00+23:59"}, RecbenchError, "neither a date"),
        ({"since": "2027-01-01"}, NothingToCompareError, "No line of the history matches"),
    ):
        with pytest.raises(error, match=cause):
            show(**options)
    assert parse_moment("--since", "30d", START) == START - timedelta(days=30)


def test_older_lines_have_no_names_of_hyper_parameters(capsys):
    new = lines(1, 0.5)
    old = [line.model_copy(update={"hyperparameters": {}, "reference": "", "accepted_at": START}) for line in new]
    other = [line.model_copy(update={"parameters": "0123456789ab"}) for line in old]
    (trend,) = trends([*other, *old, *new], ["hr@10"])
    assert [acceptance.hyperparameters for acceptance in trend.acceptances] == [None, *[new[0].hyperparameters] * 2]
    history.append([*other, *new])
    assert b'"hyperparameters": {}' not in Path("results/history.jsonl").read_bytes()
    show()
    printed = capsys.readouterr().out
    assert "0123456789ab" in printed
    assert "Parameters of the last one: " in printed


def test_the_column_of_the_time_has_its_earlier_name_too():
    assert column_names(["accepted", "label"], ["time", "label"], "--columns") == ("time", "label")


def test_without_a_history_there_is_nothing_to_show(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    done = CommandLine(capfd, monkeypatch)("history")
    assert (done.code, "There is no history at" in done.err) == (4, True)
