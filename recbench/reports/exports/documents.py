"""Configurations as JSON for services that track benchmarks. They take numbers only, or little text."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from recbench.registry.parameter_values import as_text
from recbench.reports.exports.figures import ExportedConfiguration
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import timed_throughput

THROUGHPUT = "throughput"
DIGITS = 12
"""Of the digest of a task in the name of a benchmark."""


def bencher_document(configurations: Sequence[ExportedConfiguration]) -> dict[str, Any]:
    """Returns Bencher Metric Format: each configuration with its measures and their intervals.

    The limits of the throughput are its extremes over seeds.
    """
    document = {}
    for configuration in configurations:
        measures = {
            metric: _without_none({"value": figure.value, "lower_value": figure.low, "upper_value": figure.high})
            for metric, figure in configuration.figures.items()
        }
        if speeds := _speeds(configuration):
            measures[THROUGHPUT] = {"value": fmean(speeds), "lower_value": min(speeds), "upper_value": max(speeds)}
        if measures:
            document[f"{_task(configuration)}/{configuration.name}"] = measures
    return document


def action_benchmark_document(configurations: Sequence[ExportedConfiguration]) -> list[dict[str, Any]]:
    """Returns the JSON that github-action-benchmark reads with ``tool: customBiggerIsBetter``."""
    entries = []
    for configuration in configurations:
        name, extra = f"{_task(configuration)} / {configuration.name}", _extra(configuration)
        for metric, figure in configuration.figures.items():
            label = configuration.labels[metric]
            limits = "" if figure.low is None else f"{figure.low:.4f} to {figure.high:.4f}"
            entry = {"name": f"{name} / {label}", "unit": label, "value": figure.value, "range": limits, "extra": extra}
            entries.append(entry)
        if speeds := _speeds(configuration):
            limits = f"{min(speeds):.0f} to {max(speeds):.0f}"
            entry = {"name": f"{name} / {THROUGHPUT}", "unit": "interactions/s", "value": fmean(speeds)}
            entries.append({**entry, "range": limits, "extra": extra})
    return entries


def _task(configuration: ExportedConfiguration) -> str:
    """Returns the task in the name of a benchmark.

    Services join results of one name to one series. Tasks of one name and other digests are not the same benchmark.
    """
    task = configuration.group.task
    return f"{task.name}@{task.digest.removeprefix('sha256:')[:DIGITS]}"


def _speeds(configuration: ExportedConfiguration) -> tuple[float, ...]:
    records = [trial.record for trial in configuration.group.done]
    speeds = Spread.of(record.interactions_per_second for record in records)
    timed = timed_throughput(speeds, Spread.of(record.fit_seconds for record in records))
    return timed.values if timed else ()


def _extra(configuration: ExportedConfiguration) -> str:
    record = configuration.group.record
    packages = " ".join(f"{name}=={version}" for name, version in sorted(record.environment.packages.items()))
    lines = {
        "seeds": ", ".join(str(trial.record.seed) for trial in configuration.group.done),
        "parameters": " ".join(f"{name}={as_text(value)}" for name, value in record.parameters.items()),
        "task": record.task.digest,
        "code": record.code_version or "unknown",
        "versions": f"recbench=={record.recbench_version} python=={record.environment.python} {packages}".rstrip(),
    }
    return "\n".join(f"{name}: {text}" for name, text in lines.items())


def _without_none(measure: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in measure.items() if value is not None}
