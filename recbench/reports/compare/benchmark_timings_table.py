"""Two files of benchmarks, in every format."""

from typing import Any

from recbench.escaping.data_files import json_text
from recbench.records.benchmark_timings import Timing
from recbench.reports.compare.benchmark_timings import TimingComparison, TimingPair
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, render_lines, render_table

HEADERS = ("benchmark", "baseline s", "current s", "ratio", "baseline int./s", "current int./s")


def timings_table(comparison: TimingComparison, form: Format) -> str:
    """Renders one line a benchmark."""
    if form is Format.CSV:
        return csv_text(
            [[pair.name, *_figures(pair)] for pair in comparison.pairs],
            [
                "benchmark",
                "base_seconds",
                "seconds",
                "ratio",
                "base_interactions_per_second",
                "interactions_per_second",
            ],
        )
    if form is Format.JSON:
        return json_text(timings_document(comparison))
    rows = [[pair.name, *_cells(pair)] for pair in comparison.pairs]
    rendered = render_table(rows, HEADERS, "lrrrrr", form)
    if form is Format.LATEX:
        return rendered
    lines = ["Seconds: medians over rounds. ratio: current over baseline, below 1 is faster.", *_machines(comparison)]
    return "\n".join([rendered, "", *render_lines(lines, form)])


def timings_document(comparison: TimingComparison) -> dict[str, Any]:
    """Returns the JSON document."""
    return {
        "schema": 1,
        "base": {"file": str(comparison.base.path), "machine": comparison.base.machine},
        "current": {"file": str(comparison.current.path), "machine": comparison.current.machine},
        "same_machine": comparison.same_machine,
        "benchmarks": [
            {"name": pair.name, "ratio": pair.ratio, "base": _timing(pair.base), "current": _timing(pair.current)}
            for pair in comparison.pairs
        ],
    }


def _timing(timing: Timing | None) -> dict[str, float | None] | None:
    if timing is None:
        return None
    return {"median_seconds": timing.seconds, "interactions_per_second": timing.interactions_per_second}


def _figures(pair: TimingPair) -> list[float | None]:
    sides = (pair.base, pair.current)
    seconds = [side.seconds if side else None for side in sides]
    return [*seconds, pair.ratio, *(side.interactions_per_second if side else None for side in sides)]


def _cells(pair: TimingPair) -> list[str]:
    base, current, ratio, *speeds = _figures(pair)
    seconds = ["missing" if value is None else f"{value:.4g}" for value in (base, current)]
    speed = ["" if value is None else f"{value:,.0f}" for value in speeds]
    return [*seconds, "" if ratio is None else f"{ratio:.2f}", *speed]


def _machines(comparison: TimingComparison) -> list[str]:
    base, current = comparison.base.machine or "unknown", comparison.current.machine or "unknown"
    if comparison.same_machine:
        return [f"Machine: {base}."]
    return [f"Other machines, so the ratios say little of the code: baseline {base}; current {current}."]
