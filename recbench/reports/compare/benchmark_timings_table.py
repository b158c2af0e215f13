"""Two files of benchmarks, in every format."""

from typing import Any

from recbench.escaping.data_files import json_text
from recbench.records.benchmark_timings import Timing
from recbench.reports.column_rendering import prose, render_columns
from recbench.reports.columns import Column, Cut, Look
from recbench.reports.compare.benchmark_timings import TimingComparison, TimingPair
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text
from recbench.reports.view import DEFAULT_VIEW, View

TIMING_COLUMNS = ("benchmark", "baseline", "current", "ratio", "baseline-speed", "current-speed")
"""The names of the columns, in the order of the headers."""
RANKS = (0, 3, 2, 1, 5, 4)
"""Which columns get room first in a table that is too wide."""
HEADERS = ("benchmark", "baseline s", "current s", "ratio", "baseline int./s", "current int./s")


def timings_table(comparison: TimingComparison, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders one line a benchmark.

    Args:
        comparison: The benchmarks.
        form: How to render them.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
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
    table = render_columns(_columns(comparison), form, view)
    if form is Format.LATEX:
        return table.text
    lines = [
        *table.notes,
        "Seconds: medians over rounds. ratio: current over baseline, below 1 is faster.",
        *_machines(comparison),
    ]
    return "\n".join([table.text, "", *prose(lines, form, view.screen)])


def _columns(comparison: TimingComparison) -> list[Column]:
    rows = [[pair.name, *_cells(pair)] for pair in comparison.pairs]
    figures = [[pair.name, *_figures(pair)] for pair in comparison.pairs]
    return [
        Column(
            name,
            (Look(header, [row[place] for row in rows], "r" if place else "l", rank),),
            keys=[row[place] for row in figures],
            cut=None if place else Cut.MIDDLE,
        )
        for place, (name, header, rank) in enumerate(zip(TIMING_COLUMNS, HEADERS, RANKS, strict=True))
    ]


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
