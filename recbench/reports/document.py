"""The JSON document of a run. Keys are only ever added."""

from collections.abc import Sequence
from typing import Any

from recbench.records.schema import Environment
from recbench.reports.summary import ModelSummary, Spread

SCHEMA = 1


def run_document(task: dict[str, Any], summaries: Sequence[ModelSummary], environment: Environment) -> dict[str, Any]:
    """Returns the document.

    Args:
        task: ``Task.summary()``.
        summaries: One for each model.
        environment: What the run ran on.
    """
    return {
        "schema": SCHEMA,
        "task": task,
        "results": [_result(summary) for summary in summaries],
        "environment": environment.model_dump(mode="json"),
    }


def _result(summary: ModelSummary) -> dict[str, Any]:
    return {
        "model": summary.model,
        "status": summary.status.value,
        "seeds": [stored.record.seed for stored in summary.records],
        "metrics": {name: _spread(spread) for name, spread in summary.metrics.items()},
        "interactions_per_second": _spread(summary.interactions_per_second),
        "fit_seconds": _spread(summary.fit_seconds),
        "epochs": summary.epochs,
        "threads": summary.records[0].record.threads,
        "params": summary.parameters,
        "errors": summary.errors,
        "records": [str(stored.path) for stored in summary.records],
    }


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {"mean": spread.mean, "sd": spread.sd, "values": list(spread.values)}
