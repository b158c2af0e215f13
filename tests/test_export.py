"""``recbench export``: what each program gets, and what is refused."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from recbench.experiments import export_targets
from recbench.records.schema import Status, TaskIdentity
from recbench.reports.exports.documents import action_benchmark_document, bencher_document
from recbench.reports.exports.figures import exported, identifier, record_digest
from recbench.reports.exports.rows import export_rows
from tests.command_line import CommandLine
from tests.examples import a_trial, some_trials, write


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    failed = [a_trial("broken", 0, n=60, status=Status.FAILED, error="ValueError: x")]
    write(Path("runs"), some_trials("bpr", 0.5, seeds=2, n=60, parameters={"factors": 8, "bias": None}), failed)
    return CommandLine(capfd, monkeypatch)


def test_bencher_metric_format(command):
    document = json.loads(command("export", "runs", "--to", "bencher").out)
    (name,) = document
    assert (name, list(document[name])) == ("toy@abababababab/bpr", ["hr@10", "ndcg@10", "throughput"])
    for measure in document[name].values():
        assert set(measure) == {"value", "lower_value", "upper_value"}
        assert measure["lower_value"] <= measure["value"] <= measure["upper_value"]
    # The mean over seeds, as tables show it.
    trials, (_, configuration) = exported(some_trials("a", n=60) + some_trials("bpr", 0.5, seeds=2, n=60))
    assert document[name]["hr@10"]["value"] == configuration.figures["hr@10"].value
    assert configuration.figures["hr@10"].value == pytest.approx(
        sum(trial.figures["hr@10"].value for trial in trials[-2:]) / 2
    )


def test_github_action_benchmark(command):
    entries = json.loads(command("export", "runs", "--to", "github-action-benchmark").out)
    assert [entry["name"] for entry in entries] == [
        f"toy@abababababab / bpr / {name}" for name in ("HR@10", "NDCG@10", "throughput")
    ]
    assert all(isinstance(entry["value"], float) and set(entry) >= {"unit", "range", "extra"} for entry in entries)
    extra = dict(line.split(": ", 1) for line in entries[0]["extra"].splitlines())
    assert extra == {
        "seeds": "0, 1",
        "parameters": "bias=none factors=8",
        "task": "sha256:" + "ab" * 32,
        "code": "unknown",
        "versions": "recbench==0.1.0 python==3.12.1 numpy==2.4.0",
    }


def test_parquet_has_a_row_for_each_trial_and_measure(command):
    assert command("export", "runs", "--to", "parquet", "-o", "a/runs.parquet").code == 0
    rows = parquet.read_table("a/runs.parquet").to_pylist()
    assert [(row["model"], row["seed"], row["metric"]) for row in rows] == [
        ("bpr", 0, "hr@10"), ("bpr", 0, "ndcg@10"), ("bpr", 1, "hr@10"), ("bpr", 1, "ndcg@10"), ("broken", 0, None),
    ]  # fmt: skip
    trial = exported(some_trials("bpr", 0.5, seeds=2, n=60))[0][1].figures["hr@10"]
    assert [rows[2][name] for name in ("value", "low", "high")] == [trial.value, trial.low, trial.high]
    assert (rows[-1]["status"], rows[-1]["value"]) == ("failed", None)
    assert json.loads(rows[0]["parameters"]) == {"factors": 8, "bias": None}
    assert (rows[0]["task_digest"], rows[0]["packages"], rows[0]["fit_seconds"]) == (
        "sha256:" + "ab" * 32, "numpy==2.4.0", 2.0,
    )  # fmt: skip
    assert len({row["record"] for row in rows}) == 3
    # The same content is no problem; another one is not replaced.
    assert command("export", "runs", "--to", "parquet", "-o", "a/runs.parquet").code == 0
    assert command("export", "runs", "--to", "parquet", "-o", "b").err == "Written: b/toy.parquet\n"
    Path("a/runs.parquet").write_text("mine")
    done = command("export", "runs", "--to", "parquet", "-o", "a/runs.parquet")
    assert (done.code, Path("a/runs.parquet").read_text()) == (2, "mine")
    assert done.err.splitlines()[:2] == [
        "Error: a/runs.parquet exists with other content. Nothing was written.",
        "Choose another file name, or replace the file with --force (Python: force=True).",
    ]
    assert command("export", "runs", "--to", "parquet", "-o", "a/runs.parquet", "--force").code == 0


def test_tasks_of_one_name_do_not_share_a_name():
    other = TaskIdentity(name="toy", digest="sha256:" + "cd" * 32)
    trials = [*some_trials("bpr", 0.5, n=60), *some_trials("bpr", 0.9, n=60, task=other)]
    _, configurations = exported(trials)
    document = bencher_document(configurations)
    assert list(document) == ["toy@abababababab/bpr", "toy@cdcdcdcdcdcd/bpr"]
    names = [entry["name"] for entry in action_benchmark_document(configurations)]
    assert len(names) == len(set(names)) == 6


def test_the_throughput_of_short_fits_is_left_out():
    short = some_trials("popularity", n=60, fit_seconds=0.01)
    exported_trials, configurations = exported([*short, *some_trials("bpr", n=60)])
    measures = {name.partition("/")[2]: list(of) for name, of in bencher_document(configurations).items()}
    assert measures == {"popularity": ["hr@10", "ndcg@10"], "bpr": ["hr@10", "ndcg@10", "throughput"]}
    names = [entry["name"].split(" / ")[1:] for entry in action_benchmark_document(configurations)]
    assert [name for name, metric in names if metric == "throughput"] == ["bpr"]
    rows = export_rows(exported_trials)
    assert {row["model"]: row["interactions_per_second"] is None for row in rows} == {"popularity": True, "bpr": False}
    assert {row["fit_seconds"] for row in rows if row["model"] == "popularity"} == {0.01}


def test_a_user_with_all_cases_has_no_interval():
    trial = a_trial("bpr", 0, n=1)
    ((exported_trial,), (configuration,)) = exported([trial])
    assert (exported_trial.figures["hr@10"].low, configuration.figures["hr@10"].high) == (None, None)
    assert (identifier("full-user-ndcg@20"), len(record_digest(trial.record))) == ("full_user_ndcg_at_20", 64)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["runs", "--to", "nowhere"], 2, "Unknown value of --to 'nowhere'"),
        (["runs", "--to", "parquet"], 2, "--to parquet needs the name of a file."),
        (["runs", "--to", "bencher", "-o", "x.json"], 2, "--to bencher writes no file"),
        (["runs", "--to", "parquet", "-o", "x.csv"], 2, "-o x.csv is not named like a parquet file."),
        (["empty", "--to", "bencher"], 4, "There are no records in empty."),
        (["nowhere", "--to", "bencher"], 4, "There are no records 'nowhere'"),
        (["broken", "--to", "bencher"], 4, "No trial is done, so there is nothing to export."),
        (["runs", "--to", "mlflow"], 2, "Install it: pip install 'mlflow-skinny>="),
        (
            ["runs", "--to", "wandb"],
            2,
            "--to wandb needs wandb, which is not installed.\nInstall it: pip install 'wandb>=",
        ),
    ],
)
def test_what_cannot_be_exported(command, monkeypatch, words, code, message):
    Path("empty").mkdir()
    write(Path("broken"), [a_trial("broken", 0, n=60, status=Status.FAILED, error="ValueError: x")])
    monkeypatch.setattr(export_targets, "find_spec", lambda _: None)
    done = command("export", *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
