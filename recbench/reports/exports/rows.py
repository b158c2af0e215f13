"""Trials as rows of a table: one for each trial and measure, and one without a measure for a trial that is not done."""

import json
from collections.abc import Sequence
from typing import Any

from recbench.reports.exports.figures import ExportedTrial, Figure, costs_of, facts_of


def export_rows(trials: Sequence[ExportedTrial]) -> list[dict[str, Any]]:
    """Returns the rows. All have the same columns; the hyper-parameters are JSON."""
    measured: list[tuple[ExportedTrial, str | None, Figure | None]] = []
    for trial in trials:
        measured += [(trial, metric, figure) for metric, figure in trial.figures.items()] or [(trial, None, None)]
    return [
        {
            **dict.fromkeys(FACTS, None),
            **facts_of(trial),
            "seed": trial.record.seed,
            "threads": trial.record.threads,
            "started_at": trial.record.started_at,
            "parameters": json.dumps(trial.record.parameters, sort_keys=True),
            **dict.fromkeys(COSTS, None),
            **costs_of(trial.record),
            "metric": metric,
            "value": figure.value if figure else None,
            "low": figure.low if figure else None,
            "high": figure.high if figure else None,
        }
        for trial, metric, figure in measured
    ]


FACTS = (
    "task", "task_digest", "configuration", "model", "reference", "seed", "threads", "device", "status", "code_version",
    "protocol_version", "recbench_version", "python", "packages", "revision", "started_at", "record",
)  # fmt: skip
COSTS = ("fit_seconds", "score_seconds", "interactions_per_second", "process_peak_rss_bytes", "epochs")
