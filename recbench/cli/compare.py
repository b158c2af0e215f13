"""``recbench compare``: two runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import CutOffs, Metrics, OnlyTask
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.next_steps import after_comparison, emit_next_step
from recbench.cli.shared.output_options import AsJson, Form
from recbench.cli.shared.record_options import Base, Current, note_labels
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.terminal import ExitCode, emit
from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import DEFAULT_METRICS
from recbench.reports.formats import Format


def compare(
    base: Base,
    current: Current,
    k: CutOffs = None,
    metrics: Metrics = None,
    task: OnlyTask = None,
    timings: Annotated[
        bool, typer.Option("--timings", help="BASE and CURRENT are JSON files of pytest-benchmark.")
    ] = False,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Compare two runs case by case: difference, interval, verdict for each model.

    Examples:
      recbench compare results/runs/before results/runs/after
      recbench compare main results/runs --format markdown
      recbench compare v1.0:results/baselines/ml-100k/main results/runs --k 5 --metrics hr
      recbench compare --timings before.json results/benchmarks.json

    Exit codes: 0 compared, whatever the verdicts (see gate), 2 bad input, 4 nothing could be compared.
    """
    form = Format.JSON if as_json else form
    if timings:
        if metrics or k or task:
            what = "--timings compares seconds; --k, --metrics and --task belong to records."
            raise RecbenchError(what, "Leave them out.")
        _timings(Path(base), Path(current), form, columns, sort)
        return

    first, *others = cut_offs(k)
    if others:
        raise RecbenchError(
            f"compare takes one cut-off, not --k {','.join(k or ())}.",
            f"Name each metric with its cut-off: --metrics hr@{first},hr@{others[0]}",
        )

    from recbench.experiments.comparison import compare as compare_runs
    from recbench.reports.compare.columns import COMPARISON_COLUMNS
    from recbench.reports.compare.table import compare_table

    view = table_view(columns, sort, COMPARISON_COLUMNS, form)
    comparison = compare_runs(base, current, k=first, metrics=tuple(metrics or DEFAULT_METRICS), task=task)
    note_labels(comparison.base, comparison.current)
    emit(compare_table(comparison.decided, form, view), styled=view.screen is not None)
    emit_next_step(after_comparison(comparison, base, current), view.screen)
    if comparison.nothing_compared:
        raise typer.Exit(ExitCode.NOT_COMPARABLE)


def _timings(base: Path, current: Path, form: Format, columns: list[str] | None, sort: str | None) -> None:
    from recbench.records.benchmark_timings import read_timings
    from recbench.reports.compare.benchmark_timings import compare_timings
    from recbench.reports.compare.benchmark_timings_table import TIMING_COLUMNS, timings_table

    view = table_view(columns, sort, TIMING_COLUMNS, form)
    timings = compare_timings(read_timings(base), read_timings(current))
    emit(timings_table(timings, form, view), styled=view.screen is not None)
