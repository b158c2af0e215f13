"""Records in the services and files of other programs. Each needs its own package, which only its exporter imports."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recbench.errors import NothingToCompareError, RecbenchError, error_text
from recbench.escaping.data_files import json_text
from recbench.experiments.export_targets import ExportTarget
from recbench.output_files import write_all
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.registry.parameter_values import as_text
from recbench.reports.exports.documents import action_benchmark_document, bencher_document
from recbench.reports.exports.figures import ExportedTrial, costs_of, exported, facts_of, identifier
from recbench.reports.exports.rows import export_rows

PROJECT: Final = "recbench"
PREFIX: Final = "recbench."
MOST_CHARACTERS: Final = 5_000
"""Of a text in MLflow."""
_USER = re.compile(r"(?<=//)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of an export.

    Attributes:
        written: Trials that were written.
        known: Trials that the service had already.
    """

    written: int
    known: int


def export_text(trials: Sequence[FinishedTrial], target: ExportTarget) -> str:
    """Returns records as the JSON of a target that is no service and no file.

    Raises:
        RecbenchError: Ranks cannot be read.
        NothingToCompareError: No trial is done.
    """
    _, configurations = exported(trials)
    document: Any = (
        bencher_document(configurations)
        if target is ExportTarget.BENCHER
        else action_benchmark_document(configurations)
    )
    if not document:
        raise NothingToCompareError(
            "No trial is done, so there is nothing to export.", "See why: recbench run ... --collect"
        )
    return json_text(document)


def export_parquet(trials: Sequence[FinishedTrial], path: Path, *, force: bool = False) -> None:
    """Writes a row for each trial and measure.

    Raises:
        RecbenchError: The file exists with other content, or cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pylist(export_rows(exported(trials)[0]))
    write_all(path.parent, {path.name: lambda temporary: parquet.write_table(table, temporary)}, force=force)


def export_mlflow(trials: Sequence[FinishedTrial]) -> Exported:
    """Writes a run for each trial to the MLflow server or store that ``MLFLOW_TRACKING_URI`` names.

    Raises:
        RecbenchError: MLflow refuses.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient()
        return _counted(trials, lambda trial: _to_mlflow(client, trial))
    except MlflowException as error:
        raise _refusal("MLflow", error, "Check MLFLOW_TRACKING_URI, and that its server runs.") from None


def _to_mlflow(client: Any, trial: ExportedTrial) -> bool:
    from mlflow.entities import Metric, Param

    facts, record = facts_of(trial), trial.record
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"{PROJECT}/{record.task.name}"
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    # Written last: a run without it was not written as a whole.
    mark = f"{PREFIX}record"
    if client.search_runs([number], f"tags.`{mark}` = '{facts['record']}'", max_results=1):
        return False
    started = int(record.started_at.timestamp() * 1000)
    tags = {f"{PREFIX}{key}": value[:MOST_CHARACTERS] for key, value in facts.items() if key != "record"}
    if record.revision:
        tags["mlflow.source.git.commit"] = record.revision.sha
    run = client.create_run(number, started, tags, f"{trial.configuration} seed {record.seed}").info.run_id
    metrics = [Metric(key, value, started, 0) for key, value in _numbers(trial).items()]
    texts = {name: as_text(value) for name, value in record.parameters.items()} | {f"{PREFIX}seed": str(record.seed)}
    client.log_batch(run, metrics, [Param(key, value[:MOST_CHARACTERS]) for key, value in texts.items()])
    client.set_terminated(run, "FINISHED" if record.status is Status.DONE else "FAILED")
    client.set_tag(run, mark, facts["record"])
    return True


def export_wandb(trials: Sequence[FinishedTrial]) -> Exported:
    """Writes a run for each trial to Weights & Biases; offline if ``WANDB_MODE`` says so.

    A run that exists already is written again, with the same values.

    Raises:
        RecbenchError: Weights & Biases refuses.
    """
    import wandb

    try:
        return _counted(trials, lambda trial: _to_wandb(wandb, trial))
    except wandb.errors.Error as error:
        advice = "Log in: wandb login. Or write files: export WANDB_MODE=offline"
        raise _refusal("Weights & Biases", error, advice) from None


def _to_wandb(wandb: Any, trial: ExportedTrial) -> bool:
    facts, record = facts_of(trial), trial.record
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT") or PROJECT,
        id=facts["record"][:16],
        name=f"{trial.configuration} seed {record.seed}",
        group=trial.configuration,
        job_type=record.task.name,
        config={**record.parameters, PROJECT: {**facts, "seed": record.seed}},
        resume="allow",
        settings=wandb.Settings(silent=True, console="off"),
    )
    run.summary.update(_numbers(trial))
    run.finish(exit_code=0 if record.status is Status.DONE else 1)
    return True


def _counted(trials: Sequence[FinishedTrial], write: Any) -> Exported:
    written = [write(trial) for trial in exported(trials)[0]]
    return Exported(sum(written), len(written) - sum(written))


def _numbers(trial: ExportedTrial) -> dict[str, float]:
    """Returns the figures with the ends of their intervals, and the costs."""
    numbers = costs_of(trial.record)
    for metric, figure in trial.figures.items():
        values = {"": figure.value, "_low": figure.low, "_high": figure.high}
        numbers |= {f"{identifier(metric)}{end}": value for end, value in values.items() if value is not None}
    return numbers


def _refusal(service: str, error: Exception, hint: str) -> RecbenchError:
    """Returns the error of a service, without user and password of an address in its message."""
    message = " ".join(_USER.sub("", error_text(error)).split())
    return RecbenchError(f"{service} refuses the export: {message}", hint)


SERVICES: Final = {ExportTarget.MLFLOW: export_mlflow, ExportTarget.WANDB: export_wandb}
"""What exports to each service."""
