"""``recbench history``: how accepted baselines and tracked runs have moved."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.execution_options import METRICS, OnlyModels, OnlyTask
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.moments import parse_moment
from recbench.cli.shared.next_steps import after_history, emit_next_step
from recbench.cli.shared.output_options import AsJson, Plot
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.tables import emit_columns, emit_prose
from recbench.cli.shared.terminal import emit_json
from recbench.errors import NothingToCompareError, RecbenchError, unknown_name
from recbench.progress.console import write_message
from recbench.records.history_metrics import HISTORY_METRICS, HR, NDCG

if TYPE_CHECKING:
    from recbench.output_files import OutputFile
    from recbench.records.history import History
    from recbench.reports.history_document_types import HistoryDocument
    from recbench.reports.trend import Trend

NOTE = (
    "95 %: confidence interval over users, averaged over seeds. change: difference from the previous line of the "
    "same label and configuration. Revision+: with uncommitted changes."
)
NOTE_ON_STEPS = (
    "Step: a change of the mean larger than the variation between seeds, with its 95 % confidence interval over seeds."
)


def history(
    models: OnlyModels = None,
    task: OnlyTask = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            metavar=METRICS,
            help=f"Comma-separated: show these metrics. The history holds {', '.join(HISTORY_METRICS)}.",
            show_default=f"{HR},{NDCG}",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help="Only lines with this label; 'run': only runs with --track.",
            show_default="all",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only since this date or time in UTC (2026-01-31, 2026-01-31T12:00), or in the last hours, days or "
            "weeks (12h, 30d, 4w).",
            show_default="all",
        ),
    ] = None,
    plot: Plot = None,
    last: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="Only the last lines of each model.", show_default="all"),
    ] = None,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Show the trend of accepted baselines and tracked runs, with a bar for the first metric of each.

    Steps of the first metric are named: between which two revisions the mean changed by more than seeds explain.

    Examples:
      recbench history
      recbench history --models bpr --task ml-100k
      recbench history --label main --last 10
      recbench history --since 2026-01-31 --json
      recbench history --metrics full-hr@10,full-recall@20
      recbench history --label run --plot history.svg

    Exit codes: 0 shown, 2 bad input, or a line of the history is damaged, 4 nothing to show.
    """
    from recbench.escaping.terminal import one_line
    from recbench.evaluation.metric_names import read_measures
    from recbench.records.history import read_undamaged
    from recbench.reports.history_table import column_names, history_columns, parameters_line, step_line, trend_document
    from recbench.reports.trend import label_of, trends
    from recbench.reports.trend_steps import trend_steps

    picture = None if plot is None else _checked(plot)
    moment = None if since is None else parse_moment("--since", since, datetime.now(UTC))
    present = read_undamaged()
    for kind, names, known in (
        ("model", models or (), {name for line in present.lines for name in (line.model, line.name)}),
        ("label", () if label is None else (label,), {label_of(line) for line in present.lines}),
    ):
        for name in names:
            if name not in known:
                # First, for a damaged line may hold what was asked for.
                present.check()
                raise unknown_name(f"{kind} of the history", name, known)
    tasks = None if task is None else _tasks(task, present)
    measures = read_measures(metrics or (HR, NDCG), cut_offs(None))
    for measure in measures:
        if measure.name not in HISTORY_METRICS:
            raise unknown_name("metric of the history", measure.name, HISTORY_METRICS)
    names = [measure.name for measure in measures]
    view = table_view(columns, sort, column_names(measures))
    every = trends(present.lines, names, models, tasks, label)
    recent = [(trend, trend if moment is None else trend.since(moment)) for trend in every]
    chosen = [(whole, part if last is None else part.last(last)) for whole, part in recent if part.acceptances]
    shown_trends = [part for _, part in chosen]
    # In the whole trend: what is not shown says where a step is, too.
    steps = [
        [step for step in trend_steps(whole, names[0]) if step.after in part.acceptances] for whole, part in chosen
    ]
    if not shown_trends:
        present.check()
        raise NothingToCompareError(
            "No line of the history matches.", "Leave out --models, --task, --label or --since."
        )
    if picture is not None:
        from recbench.reports.plots.trend_plot import draw_trends

        write_message(f"Drawn: {draw_trends(shown_trends, steps, measures[0], picture)}", "dim")
    if as_json:
        documents = [trend_document(trend, of_trend) for trend, of_trend in zip(shown_trends, steps, strict=True)]
        document: HistoryDocument = {"schema": 1, "trends": documents}
        emit_json(document)
        present.check()
        return
    for number, (trend, of_trend) in enumerate(zip(shown_trends, steps, strict=True)):
        head = one_line(f"{trend.model} on {trend.task} {trend.digest[:19]}  {trend.sparkline(names[0])}")
        emit_prose(f"\n{head}" if number else head)
        emit_columns(history_columns(trend, measures), view)
        if parameters := parameters_line(trend):
            emit_prose(one_line(parameters))
        for line in [*_remarks(trend), *(step_line(step, measures[0], trend) for step in of_trend)]:
            emit_prose(one_line(line))
    emit_prose(f"\n{NOTE}{f' {NOTE_ON_STEPS}' if any(steps) else ''}")
    emit_next_step(after_history(), view.screen)
    # The good lines are shown first: one damaged line must not hide them.
    present.check()


def _tasks(task: str, present: "History") -> frozenset[str]:
    from recbench.records.task_names import names_meant

    try:
        return names_meant(task, {line.task for line in present.lines}, "task of the history")
    except RecbenchError:
        # A damaged line may hold what was asked for.
        present.check()
        raise


def _checked(plot: Path) -> "OutputFile":
    from recbench.output_files import BY_NAME_ONLY, OutputFile
    from recbench.reports.plots.figures import check_picture

    # There is no --force: another name does.
    picture = OutputFile(plot, advice=BY_NAME_ONLY)
    check_picture(picture)
    return picture


def _remarks(trend: "Trend") -> Iterator[str]:
    """Yields a line for each accepted regression and each new name."""
    for acceptance in trend.acceptances:
        when = f"{acceptance.accepted_at:%Y-%m-%d %H:%M}"
        if acceptance.renamed_from is not None:
            yield f"{when}: renamed from {acceptance.renamed_from}"
        for metric, reason in acceptance.accepted_regressions.items():
            yield f"{when}: regression of {metric} accepted: {reason}"
