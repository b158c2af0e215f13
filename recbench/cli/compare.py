"""``recbench compare``: two runs side by side."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.record_options import AsJson, Base, Current, Form
from recbench.cli.shared.terminal import ExitCode, emit, emit_json
from recbench.errors import RecbenchError
from recbench.reports.formats import CompareFormat


class MetricName(StrEnum):
    """The value of ``--metric``."""

    HR = "hr"
    NDCG = "ndcg"


def compare(
    base: Base,
    current: Current,
    k: Annotated[int, typer.Option(min=1, help="Cut-off of HR@k and NDCG@k; any, for ranks are stored.")] = 10,
    metric: Annotated[list[MetricName] | None, typer.Option(help="Only this metric; may be repeated.")] = None,
    timings: Annotated[
        bool, typer.Option("--timings", help="BASE and CURRENT are JSON files of pytest-benchmark.")
    ] = False,
    form: Form = CompareFormat.TEXT,
    as_json: AsJson = False,
) -> None:
    """Compare two runs case by case: difference, interval, verdict for each model.

    Examples:
      recbench compare results/runs/before results/runs/after
      recbench compare main results/runs --format markdown
      recbench compare v1.0:results/baselines/ml-100k/main results/runs --k 5 --metric hr
      recbench compare --timings before.json results/benchmarks.json

    Exit codes: 0 compared, whatever the verdicts (see gate), 2 bad input, 4 nothing could be compared.
    """
    form = CompareFormat.JSON if as_json else form
    if timings:
        if metric or k != 10:
            raise RecbenchError("--timings compares seconds; --k and --metric belong to records.", "Leave them out.")
        _timings(Path(base), Path(current), form)
        return

    from recbench.records.selection import read_sides
    from recbench.reports.compare.comparison import compare_sides
    from recbench.reports.compare.document import compare_document
    from recbench.reports.compare.gate import judge
    from recbench.reports.compare.policy import Policy
    from recbench.reports.compare.table import compare_table

    chosen = [name for name in MetricName if not metric or name in metric]
    command = ["recbench", "compare", base, current]
    command += ["--k", str(k)] if k != 10 else []
    command += [part for name in chosen if metric for part in ("--metric", name.value)]
    comparison = compare_sides(*read_sides(base, current), [f"{name.value}@{k}" for name in chosen])
    judgement = judge(comparison, Policy(k=k), shlex.join(command))
    if form is CompareFormat.JSON:
        emit_json(compare_document(judgement))
    else:
        emit(compare_table(judgement, form))
    if comparison.nothing_compared:
        raise typer.Exit(ExitCode.NOT_COMPARABLE)


def _timings(base: Path, current: Path, form: CompareFormat) -> None:
    from recbench.records.benchmark_timings import read_timings
    from recbench.reports.compare.benchmark_timings import compare_timings
    from recbench.reports.compare.benchmark_timings_table import timings_document, timings_table

    comparison = compare_timings(read_timings(base), read_timings(current))
    if form is CompareFormat.JSON:
        emit_json(timings_document(comparison))
    else:
        emit(timings_table(comparison, form))
