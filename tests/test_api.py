"""What ``import recbench`` offers, as a notebook uses it."""

import ast
import inspect
import json
import re
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recbench as rb
from recbench.evaluation.metrics.hr import hit_rate
from recbench.registry.error_places import error_place
from tests.conftest import ROOT
from tests.popular_model import Popular


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def result(folder, synthetic_task):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECBENCH_HOME", str(folder / "home"))
        models = [Popular, "random", rb.Model(Popular, power=-1.0, label="unpopular")]
        return rb.run(models, synthetic_task, seeds=2, curve="all", output=folder / "runs", quiet=True)


def test_a_run_of_a_class_a_name_and_a_labelled_configuration(result, synthetic_task):
    assert [trial.record.status for trial in result.trials] == ["done"] * 6
    assert not result.failed
    frame = result.to_frame()
    assert frame.columns.tolist()[:5] == ["model", "seed", "ranking", "metric", "value"]
    assert frame["model"].unique().tolist() == ["Popular", "random", "unpopular"]
    assert len(frame) == 3 * 2 * 2
    hr = frame[(frame["model"] == "Popular") & (frame["metric"] == "hr@10") & (frame["seed"] == 1)]
    expected = hit_rate(result.trials[1].candidate_ranks, 10).mean()
    assert hr["value"].item() == expected
    assert frame[frame["model"] == "unpopular"]["parameters"].iloc[0] == {"power": -1.0}


def test_the_table_is_that_of_the_command_line_and_html_in_a_notebook(result):
    assert repr(result) == result.table()
    assert "unpopular" in result.table("markdown")
    assert "\\toprule" in result.table("latex")
    assert result._repr_html_().count("<table") == 1
    assert "*" not in result.table(marks=False).split("\n\n")[1]
    with pytest.raises(rb.RecbenchError, match=r"Unknown format 'LaTeX'\. Did you mean: latex"):
        result.table("LaTeX")
    chosen = result.table("markdown", columns=["HR@10", "model"], sort="hr@10")
    header, *rows = (line for line in chosen.splitlines() if line.startswith("| "))
    assert header.split("|")[1].strip() == "HR@10"
    assert [row.split("|")[-2].strip() for row in rows] == ["Popular", "random", "unpopular"]
    assert result.table("csv", columns="model", sort="model") == result.table("csv")
    for wrong, message in (
        ({"columns": ["hr10"]}, "Unknown column of columns 'hr10'. Did you mean: hr@10"),
        ({"sort": "modle"}, "Unknown column of sort 'modle'. Did you mean: model"),
        ({"columns": ("fit", "fit s")}, "columns names the column 'fit' twice"),
        ({"columns": 3}, "The argument columns=3 is not valid"),
        ({"sort": 3}, "The argument sort=3 is not valid"),
    ):
        with pytest.raises(rb.RecbenchError, match=re.escape(message)):
            result.table(**wrong)


def test_ranks_have_the_original_ids(result, synthetic_task):
    frame = result.ranks_frame()
    assert len(frame) == 6 * len(synthetic_task.test)
    first = frame[(frame["model"] == "Popular") & (frame["seed"] == 0)]
    cases = synthetic_task.cases_frame()
    assert first["user"].tolist() == cases["user"].tolist()
    assert first["item"].tolist() == cases["item"].tolist()
    assert (first["rank"] == first["better"] + first["tied"] / 2 + 1).all()
    assert np.array_equal(first["better"], result.trials[0].candidate_ranks.better)


def test_pairs_and_curves(result):
    pairs = result.pairs()
    assert len(pairs) == 3 * 2
    row = pairs[(pairs["metric"] == "hr@10") & (pairs["second"] == "unpopular") & (pairs["first"] == "Popular")].iloc[0]
    assert row["low"] < row["difference"] < row["high"]
    assert row["difference"] > 0
    assert row["p_holm"] >= row["p"]
    # The words of the command line.
    assert row["better_in"] > row["worse_in"] > 0
    assert row["better_in"] + row["equal_in"] + row["worse_in"] == pytest.approx(1)
    curves = result.curves()
    assert set(curves["metric"]) >= {"hr@10", "ndcg@10"}
    assert curves[curves["model"] == "Popular"]["epoch"].unique().tolist() == [1, 2]


def test_other_metrics_and_one_of_your_own(result):
    assert result.metrics("recall@5", "mrr").to_frame()["metric"].unique().tolist() == ["recall@5", "mrr"]
    own = result.metric(lambda ranks: ranks.better < 5, name="HR in the first 5")
    assert own.to_frame()["metric"].unique().tolist() == ["HR in the first 5"]
    assert "HR in the first 5" in own.table()
    assert own.pairs()["p"].between(0, 1).all()
    with pytest.raises(rb.RecbenchError, match=r"'two' returned the shape \(2,\), expected \(600,\)"):
        result.metric(lambda ranks: np.zeros(2), name="two")
    with pytest.raises(rb.RecbenchError, match=r"Unknown metric 'recal'. Did you mean: recall"):
        result.metrics("recal@5")


def test_the_plot(result, tmp_path):
    picture = tmp_path / "cost.png"
    assert result.plot(picture, against="fit-seconds").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(rb.RecbenchError, match=r"took less than 0.1 s: too short to time") as raised:
        result.plot(tmp_path / "speed.png")
    assert 'against="fit-seconds"' in raised.value.hint


def test_a_run_is_loaded_from_its_records(result, folder, monkeypatch):
    monkeypatch.setenv("RECBENCH_HOME", str(folder / "home"))
    again = rb.load(folder / "runs")
    columns = ["model", "seed", "metric"]
    assert (
        again.to_frame().sort_values(columns)["value"].tolist()
        == result.to_frame().sort_values(columns)["value"].tolist()
    )
    assert again.ranks_frame()["user"].iloc[0] == result.ranks_frame()["user"].iloc[0]


def test_records_whose_task_is_not_in_the_cache(result, folder):
    with pytest.raises(rb.RecbenchError, match="is not in the cache") as raised:
        rb.load(folder / "runs")
    assert "rb.load" in raised.value.hint or "recbench.load" in raised.value.hint


def test_a_run_whose_files_were_deleted_says_so(synthetic_task, tmp_path):
    run = rb.run("popularity", synthetic_task, seeds=1, output=tmp_path, quiet=True)
    for path in tmp_path.glob("*.npz"):
        path.unlink()
    for figures in (run.to_frame, run.ranks_frame, run.table):
        with pytest.raises(rb.RecbenchError, match=r"The ranks .* of a record are missing"):
            figures()


def test_compare_and_gate(result, synthetic_task, tmp_path):
    other = rb.run("random", synthetic_task, seeds=2, output=tmp_path / "other", quiet=True)
    comparison = rb.compare(result, other)
    frame = comparison.to_frame().set_index(["model", "metric"])
    assert frame.loc[("random", "hr@10"), "verdict"] == "unchanged"
    assert frame.loc[("Popular", "hr@10"), "verdict"] == "missing"
    gate = comparison.gate()
    assert not gate.passed
    assert any("Popular missing" in reason for reason in gate.reasons)
    policy = rb.Policy(floor_exempt=("random", "unpopular"))
    assert rb.compare(rb.load(tmp_path / "other", task=synthetic_task), result).gate(policy).passed
    with pytest.raises(rb.RecbenchError, match="are the same records"):
        rb.compare(other, str(tmp_path / "other"))
    with pytest.raises(rb.RecbenchError, match="int is not a run"):
        rb.compare(other, 3)


def test_scores_of_a_frame_a_function_and_a_model_give_the_same_ranks(result, synthetic_task, tmp_path):
    counts = np.bincount(synthetic_task.items, minlength=synthetic_task.n_items)
    cases = synthetic_task.cases_frame()
    rows = cases.assign(
        candidate=[[item, *others] for item, others in zip(cases["item"], cases["negatives"], strict=True)]
    )
    rows = rows[["user", "candidate"]].explode("candidate").drop_duplicates()
    known = dict(zip(synthetic_task.item_ids, counts.tolist(), strict=True))
    scores = pd.DataFrame({"user": rows["user"], "item": rows["candidate"], "score": rows["candidate"].map(known)})
    model = Popular()
    model.counts = counts
    expected = result.trials[0].candidate_ranks
    for given in (scores, lambda users, items: counts[items] / 3, model):
        evaluated = rb.evaluate(synthetic_task, given, name="theirs")
        assert np.array_equal(evaluated.trials[0].candidate_ranks.better, expected.better)
        assert np.array_equal(evaluated.trials[0].candidate_ranks.tied, expected.tied)
    assert rb.evaluate(synthetic_task, scores, name="theirs", output=tmp_path / "r").trials[0].path.exists()
    with pytest.raises(rb.RecbenchError, match="theirs: score"):
        rb.evaluate(synthetic_task, lambda users, items: np.zeros(3), name="theirs")


def test_an_unknown_name_is_the_error_of_the_command_line(synthetic_task):
    with pytest.raises(rb.RecbenchError) as raised:
        rb.run(["bprr"], synthetic_task, quiet=True)
    assert raised.value.message == "Unknown model 'bprr'. Did you mean: bpr?"
    assert "Available: als, bpr" in raised.value.hint
    with pytest.raises(rb.RecbenchError, match="Did you mean: synthetic"):
        rb.run("random", "synthetik", quiet=True)


class WithoutFit:
    def score(self, users, items):
        return items * 1.0


def test_bad_models_and_arguments(synthetic_task, tmp_path):
    class HoldsALock(Popular):
        lock = threading.Lock()

    cases = {
        "is not a model: it has no method fit": {"models": WithoutFit},
        "HoldsALock": {"models": HoldsALock},
        "There is no model to run": {"models": []},
        "There is no seed": {"seeds": 0},
        "A seed occurs twice": {"seeds": [1, 1]},
        "There are more than 10,000 seeds": {"seeds": 10**20},
        "more than the 101 candidates": {"k": 102},
        "is not all, every:N": {"curve": "often"},
        "Unknown reuse 'repaet'. Did you mean: repeat?": {"reuse": "repaet"},
        "is not an amount of memory": {"max_memory": "much"},
        "needs a learning curve": {"reach": 0.5},
        "timings would be meaningless": {"threads": 4096},
        "device='gup' is not valid": {"device": "gup"},
        "timeout=0 is not valid": {"timeout": 0},
        "max_memory=-1 is not valid": {"max_memory": -1},
        "seeds=2.5 is not valid": {"seeds": 2.5},
        "seeds=['a'] is not valid": {"seeds": ["a"]},
        "k=True is not valid": {"k": True},
        "output=None is not valid": {"output": None},
        "not int": {"task": 3},
    }
    for message, changes in cases.items():
        arguments = {"models": "random", "task": synthetic_task, "output": tmp_path / "runs", "quiet": True, **changes}
        with pytest.raises(rb.RecbenchError) as raised:
            rb.run(**arguments)
        assert message in raised.value.message, message
        assert raised.value.hint
    assert not list(tmp_path.glob("runs/*.json"))


def test_a_model_that_fails_is_part_of_the_run(synthetic_task, tmp_path):
    class Fails(Popular):
        def fit(self, train, context):
            raise RuntimeError("as asked")

    result = rb.run([Fails, "random"], synthetic_task, seeds=1, output=tmp_path, quiet=True)
    assert [trial.record.model for trial in result.failed] == ["Fails"]
    frame = result.to_frame().set_index("model")
    assert frame.loc["Fails", "status"] == "failed"
    assert pd.isna(frame.loc["Fails", "metric"])
    assert "RuntimeError: as asked" in result.table()


def test_a_failure_leads_to_the_line_and_to_the_log(synthetic_task, tmp_path, capfd):
    class Fails(Popular):
        def fit(self, train, context):
            np.ones(2).reshape("two")

    # The last line is numpy's for some errors; it does not help.
    line = inspect.getsourcelines(Fails)[1] + 2
    run = rb.run([Fails, "random"], synthetic_task, seeds=2, output=tmp_path)
    record = run.failed[0].record
    assert record.error_place == f"line {line} of its cell or script, in Fails.fit"
    assert f"({record.error_place})" not in record.error
    assert f"Fails, seeds 0, 1: {record.error} ({record.error_place})" in run.table()
    assert f"failed: {record.error} ({record.error_place})" in " ".join(capfd.readouterr().err.split())
    two_lines = record.model_copy(update={"error": "ValueError: no\nuser 3"})
    assert two_lines.error_with_place == f"ValueError: no ({record.error_place})\nuser 3"
    for shown in (repr(run), run._repr_html_()):
        (log,) = re.findall(r"Log of Fails, seed 1: (\S+\.log)", shown)
        assert "Traceback" in Path(log).read_text(encoding="utf-8")
    assert "error_place" not in (tmp_path / f"{run.trials[-1].record.stem()}.json").read_text(encoding="utf-8")
    assert rb.load(tmp_path, task=synthetic_task).failed[0].record == record


@pytest.mark.parametrize(
    ("file", "place"),
    [
        (str(Path("shop/net.py").resolve()), "shop/net.py, line 2, in f"),
        ("<dynamic-code>", "line 2 of its cell or script, in f"),
        ("<string>", None),
        ("/elsewhere/project/net.py", "net.py, line 2, in f"),
        ("/elsewhere/site-packages/net.py", None),
        (json.__file__, None),
        (rb.__file__, None),
    ],
)
def test_the_place_of_an_error(file, place):
    names = {}
    exec(compile("def f():\n    {}[0]\n", file, "exec"), names)
    with pytest.raises(KeyError) as raised:
        names["f"]()
    # Without the frame of this test, whose file is a user's, too.
    assert error_place(raised.value.with_traceback(raised.tb.tb_next)) == place


def test_the_throughput_of_a_short_fit_is_missing(result, synthetic_task, tmp_path):
    class Slow(Popular):
        def fit(self, train, context):
            super().fit(train, context)
            time.sleep(0.15)

    frame = rb.run([Slow, "random"], synthetic_task, seeds=1, output=tmp_path, quiet=True).to_frame()
    assert frame["interactions_per_second"].dtype == float
    assert frame["interactions_per_second"].isna().tolist() == (frame["model"] == "random").tolist()


def test_the_keys_of_a_dict_are_labels(synthetic_task, tmp_path):
    models = {"a": Popular, "b": rb.Model(Popular, power=-1.0, label="c"), "d": "random"}
    run = rb.run(models, synthetic_task, seeds=1, output=tmp_path, quiet=True)
    assert run.to_frame()["model"].unique().tolist() == ["a", "b", "d"]
    assert [trial.record.parameters.get("power") for trial in run.trials] == [1.0, -1.0, None]
    with pytest.raises(rb.RecbenchError, match="3 cannot be the label of a model"):
        rb.run({3: "random"}, synthetic_task, quiet=True)


def test_quiet_writes_nothing_and_progress_goes_to_standard_error(synthetic_task, tmp_path, capfd):
    rb.run("random", synthetic_task, seeds=1, output=tmp_path / "a", quiet=True)
    assert capfd.readouterr() == ("", "")
    rb.run("random", synthetic_task, seeds=1, output=tmp_path / "b")
    assert capfd.readouterr().out == ""


BAD_CALLS = {
    "metrics=5 is not valid": lambda run, task: run.metrics(5),
    "hr@1000: the cut-off is more than the 101 candidates": lambda run, task: run.metrics("hr@1000"),
    "Unknown cost 'fit_seconds'. Did you mean: fit-seconds?": lambda run, task: run.plot(
        "x.png", against="fit_seconds"
    ),
    "records=None is not valid": lambda run, task: rb.load(None),
    "No records are named": lambda run, task: rb.load(""),
    "is more than the 101 candidates": lambda run, task: rb.load(str(run.folder), task=task, k=1000),
    "k=0 is not valid": lambda run, task: rb.compare(elsewhere(task), run, k=0),
    "metrics=[] is not valid": lambda run, task: rb.compare(elsewhere(task), run, metrics=[]),
    "policy={'k': 5} is not valid": lambda run, task: rb.compare(elsewhere(task), run).gate({"k": 5}),
    "Popular is a class, not a trained model": lambda run, task: rb.evaluate(task, Popular, name="theirs"),
    "None cannot be the name of a model": lambda run, task: rb.evaluate(task, counted(task), name=None),
    "A seed is negative": lambda run, task: rb.evaluate(task, counted(task), name="theirs", seed=-1),
    "and has timings of its training": lambda run, task: elsewhere(task).plot("x.png"),
    "values='15' is not valid": lambda run, task: rb.sweep("itemknn", "overlap", "15", task),
    "trials=0 is not valid": lambda run, task: rb.tune("itemknn", task, trials=0),
    "budget=nan is not valid": lambda run, task: rb.tune("itemknn", task, budget=float("nan")),
    "seed='a' is not valid": lambda run, task: rb.tune("itemknn", task, seed="a"),
    "not NoneType": lambda run, task: rb.load_task(None),
    "'None' is not a valid name of a task": lambda run, task: rb.make_task(task.train_frame(), name=None),
}


def counted(task):
    counts = np.bincount(task.items, minlength=task.n_items)
    return lambda users, items: counts[items].astype(float)


def elsewhere(task):
    return rb.evaluate(task, counted(task), name="theirs")


@pytest.mark.parametrize("message", BAD_CALLS)
def test_bad_arguments_of_other_functions(result, synthetic_task, message):
    with pytest.raises(rb.RecbenchError) as raised:
        BAD_CALLS[message](result, synthetic_task)
    assert message in raised.value.message
    assert raised.value.hint


def test_numbers_of_numpy_are_numbers(synthetic_task, tmp_path):
    run = rb.run("random", synthetic_task, seeds=np.int64(2), k=np.array([5, 10]), output=tmp_path, quiet=True)
    assert run.ks == (5, 10)
    assert [trial.record.seed for trial in run.trials] == [0, 1]
    assert run.metrics(["hr@5", "mrr"]).to_frame()["metric"].unique().tolist() == ["hr@5", "mrr"]
    assert rb.make_task(synthetic_task.train_frame(), negatives=np.int64(5)).test.negatives.shape[1] == 5


def test_a_score_goes_before_a_rating(synthetic_task):
    cases = synthetic_task.cases_frame()
    negatives = cases[["user", "negatives"]].explode("negatives").rename(columns={"negatives": "item"})
    rows = pd.concat([cases[["user", "item"]], negatives], ignore_index=True)
    counts = synthetic_task.train_frame()["item"].value_counts()
    rows["rating"], rows["score"] = 1.0, rows["item"].map(counts).fillna(0)
    values = rb.evaluate(synthetic_task, rows, name="theirs").to_frame()["value"]
    assert values.tolist() == elsewhere(synthetic_task).to_frame()["value"].tolist()


def test_a_task_of_frames_runs(tmp_path):
    rng = np.random.default_rng(0)
    ratings = pd.DataFrame({"user": rng.integers(0, 50, 2000), "item": rng.integers(0, 40, 2000)}).drop_duplicates()
    task = rb.make_task(ratings, negatives=5, name="own")
    run = rb.run("popularity", task, seeds=1, k=[1, 5], output=tmp_path, quiet=True)
    assert run.to_frame()["metric"].tolist() == ["hr@1", "ndcg@1", "hr@5", "ndcg@5"]
    assert isinstance(run.ranks_frame()["user"].iloc[0], str)


def test_the_library_prints_nothing_and_knows_no_exit_codes():
    for path in (ROOT / "recbench" / "experiments").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                assert name not in ("print", "stdout", "exit", "ExitCode"), (path.name, node.lineno)
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "typer" not in ast.dump(node), path.name
