"""Exports that need MLflow and Weights & Biases: ``tox -e exports`` runs them. Nothing here uses a network."""

import json
from pathlib import Path

import pytest

from recbench.errors import RecbenchError
from recbench.experiments.export import export_mlflow, export_wandb
from recbench.records.schema import Revision, Status
from recbench.reports.exports.figures import exported, record_digest
from tests.examples import a_trial, some_trials

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """Trials of two seeds, and one that failed; in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    revision = Revision(sha="1" * 40, dirty=True, reasons=())
    parameters = {"factors": 8, "layers": [64, 32], "bias": None}
    done = some_trials("bpr", 0.5, seeds=2, n=60, parameters=parameters, revision=revision, code_version="sha256:c0de")
    return [*done, a_trial("broken", 0, n=60, status=Status.FAILED, error="ValueError: x")]


def test_mlflow_on_sqlite_gives_back_what_was_written(trials, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: tox -e exports")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    # Set as a user sets it, and in the library, which has read it once another test has used it.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    assert (export_mlflow(trials).written, export_mlflow(trials[:2]).known) == (3, 2)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("recbench/toy")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"bpr seed 0", "bpr seed 1", "broken seed 0"}
    run, (_, second, _) = runs["bpr seed 1"], exported(trials)[0]
    figure = second.figures["hr@10"]
    metrics = run.data.metrics
    assert [metrics[f"hr_at_10{end}"] for end in ("", "_low", "_high")] == [figure.value, figure.low, figure.high]
    assert (metrics["fit_seconds"], metrics["epochs"]) == (2.1, 20)
    assert run.data.params == {"factors": "8", "layers": "[64, 32]", "bias": "none", "recbench.seed": "1"}
    tags = run.data.tags
    assert tags["mlflow.source.git.commit"] == "1" * 40
    assert {
        name: tags[f"recbench.{name}"] for name in ("task_digest", "code_version", "recbench_version", "packages")
    } == {
        "task_digest": "sha256:" + "ab" * 32,
        "code_version": "sha256:c0de",
        "recbench_version": "0.1.0",
        "packages": "numpy==2.4.0",
    }
    assert tags["recbench.record"] == record_digest(trials[1].record)
    assert (run.info.status, runs["broken seed 0"].info.status) == ("FINISHED", "FAILED")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://me:hidden@127.0.0.1:1")
    with pytest.raises(RecbenchError, match="MLflow refuses the export") as refused:
        export_mlflow(trials)
    assert "hidden" not in str(refused.value)


def test_wandb_offline_holds_what_was_written(trials, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed: tox -e exports")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    assert export_wandb(trials[1:]).written == 2
    files = {path.stem.removeprefix("run-"): path for path in Path("wandb").glob("offline-run-*/*.wandb")}
    ids = [record_digest(trial.record)[:16] for trial in trials[1:]]
    assert set(files) == set(ids)
    content = files[ids[0]].read_bytes()
    figure = exported(trials)[0][1].figures["hr@10"]
    for text in (
        "hr_at_10",
        "hr_at_10_low",
        json.dumps(figure.high),
        "sha256:c0de",
        "numpy==2.4.0",
        "bpr seed 1",
        "factors",
    ):
        assert text.encode() in content
