"""``recbench compare``: two runs side by side."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.record_options import AsJson, Base, Current, Form
from recbench.cli.shared.terminal import ExitCode, emit
from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import DEFAULT_METRICS, builtin_metrics, measures_at
from recbench.reports.formats import Format


def compare(
    base: Base,
    current: Current,
    k: Annotated[int, typer.Option(min=1, help="Cut-off of all metrics; any, for ranks are stored.")] = 10,
    metric: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this metric; may be repeated: {', '.join(builtin_metrics())}, or one of a plug-in."),
    ] = None,
    timings: Annotated[
        bool, typer.Option("--timings", help="BASE and CURRENT are JSON files of pytest-benchmark.")
    ] = False,
    form: Form = Format.TEXT,
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
    form = Format.JSON if as_json else form
    if timings:
        if metric or k != 10:
            raise RecbenchError("--timings compares seconds; --k and --metric belong to records.", "Leave them out.")
        _timings(Path(base), Path(current), form)
        return

    from recbench.records.selection import read_base_and_current
    from recbench.reports.compare.comparison import compare_records
    from recbench.reports.compare.gate import decide_verdicts
    from recbench.reports.compare.policy import Policy
    from recbench.reports.compare.table import compare_table

    measures = measures_at(metric or DEFAULT_METRICS, (k,))
    command = ["recbench", "compare", base, current]
    command += ["--k", str(k)] if k != 10 else []
    command += [part for name in metric or () for part in ("--metric", name)]
    comparison = compare_records(*read_base_and_current(base, current), measures)
    emit(compare_table(decide_verdicts(comparison, Policy(k=k), shlex.join(command)), form))
    if comparison.nothing_compared:
        raise typer.Exit(ExitCode.NOT_COMPARABLE)


def _timings(base: Path, current: Path, form: Format) -> None:
    from recbench.records.benchmark_timings import read_timings
    from recbench.reports.compare.benchmark_timings import compare_timings
    from recbench.reports.compare.benchmark_timings_table import timings_table

    emit(timings_table(compare_timings(read_timings(base), read_timings(current)), form))
