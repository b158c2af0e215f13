"""Trials as rows of a table: one for each trial and measure, and one without a measure for a trial that is not done."""

import json
from collections.abc import Sequence
from typing import Any

from recbench.reports.exports.figures import ExportedTrial, Figure, costs_of, facts_of


def export_rows(trials: Sequence[ExportedTrial]) -> list[dict[str, Any]]:
    """Returns the rows. All have the same columns; the hyper-parameters are JSON."""
    measured: list[tuple[ExportedTrial, str | None, Figure | None]] = []
    for one in trials:
        measured += [(one, metric, figure) for metric, figure in one.figures.items()] or [(one, None, None)]
    return [
        {
            **dict.fromkeys(FACTS, None),
            **facts_of(one),
            "seed": one.record.seed,
            "threads": one.record.threads,
            "started_at": one.record.started_at,
            "parameters": json.dumps(one.record.parameters, sort_keys=True),
            **dict.fromkeys(COSTS, None),
            **costs_of(one.record),
            "metric": metric,
            "value": figure.value if figure else None,
            "low": figure.low if figure else None,
            "high": figure.high if figure else None,
        }
        for one, metric, figure in measured
    ]


FACTS = (
    "task", "task_digest", "configuration", "model", "reference", "seed", "threads", "device", "status", "code_version",
    "protocol_version", "recbench_version", "python", "packages", "revision", "started_at", "record",
)  # fmt: skip
COSTS = ("fit_seconds", "score_seconds", "interactions_per_second", "process_peak_rss_bytes", "epochs")
