"""The JSON document of a run. Keys are only ever added."""

from collections.abc import Sequence
from typing import Any

from recbench.records.schema import Environment
from recbench.reports.summary import ModelSummary, Spread
from recbench.reports.time_to_quality import TimeToQuality

SCHEMA = 1


def run_document(
    task: dict[str, Any],
    summaries: Sequence[ModelSummary],
    environment: Environment,
    quality: Sequence[TimeToQuality] = (),
) -> dict[str, Any]:
    """Returns the document.

    Args:
        task: ``Task.summary()``.
        summaries: One for each model.
        environment: What the run ran on.
        quality: One for each model, if there are learning curves.
    """
    results = [_result(summary) for summary in summaries]
    for result, one in zip(results, quality, strict=False):
        result["time_to_quality"] = _time_to_quality(one)
    return {
        "schema": SCHEMA,
        "task": task,
        "results": results,
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
        "device": summary.records[0].record.device,
        "params": summary.parameters,
        "errors": summary.errors,
        "curves": [[point.model_dump() for point in stored.record.curve] for stored in summary.records],
        "records": [str(stored.path) for stored in summary.records],
    }


def _time_to_quality(one: TimeToQuality) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "seconds_to_99_percent_of_final": _spread(one.to_final),
        "target": one.target,
        "seconds_to_target": _spread(one.to_target),
        "seeds_that_reached_target": one.reached,
    }


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {"mean": spread.mean, "sd": spread.sd, "values": list(spread.values)}
