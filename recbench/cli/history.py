"""``recbench history``: how accepted baselines have moved."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.completion import task_name
from recbench.cli.shared.execution_options import METRICS, TASK, OnlyModels
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.next_steps import after_history, emit_next_step
from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.tables import emit_columns, emit_prose
from recbench.cli.shared.terminal import emit_json
from recbench.errors import NothingToCompareError, unknown_name
from recbench.records.history_metrics import HISTORY_METRICS, HR, NDCG
from recbench.reports.cells import NO_RANKS

if TYPE_CHECKING:
    from recbench.evaluation.metric import Measure
    from recbench.reports.columns import Column
    from recbench.reports.trend import Trend

FIRST_COLUMNS = ("accepted", "label", "revision", "parameters", "seeds")
CHANGE, SPEED = "change", "speed"


def history(
    models: OnlyModels = None,
    task: Annotated[
        str | None,
        typer.Option(metavar=TASK, help="Only the task of this name.", show_default="all", autocompletion=task_name),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            metavar=METRICS,
            help=f"Comma-separated: show these metrics. The history holds {', '.join(HISTORY_METRICS)}.",
            show_default=f"{HR},{NDCG}",
        ),
    ] = None,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Show the trend of accepted baselines, a line an acceptance, with a bar for the first metric of each.

    Examples:
      recbench history
      recbench history --models bpr --task ml-100k
      recbench history --metrics full-hr@10,full-recall@20

    Exit codes: 0 shown, 2 bad input, or a line of the history is damaged, 4 nothing to show.
    """
    from recbench.escaping.terminal import one_line
    from recbench.evaluation.metric_names import read_measures
    from recbench.records.history import read_undamaged
    from recbench.reports.trend import Trend, trends

    def document(trend: Trend) -> dict[str, object]:
        return {
            "task": trend.task,
            "digest": trend.digest,
            "model": trend.model,
            "acceptances": [
                {
                    "accepted_at": one.accepted_at.isoformat(),
                    "label": one.label,
                    "revision": one.sha,
                    "parameters": one.parameters,
                    **{metric: spread.mean if spread else None for metric, spread in one.figures.items()},
                    "interactions_per_second": one.interactions_per_second.mean
                    if one.interactions_per_second
                    else None,
                }
                for one in trend.acceptances
            ],
        }

    present = read_undamaged()
    for kind, names, known in (
        ("model", models or (), {line.model for line in present.lines}),
        ("task", () if task is None else (task,), {line.task for line in present.lines}),
    ):
        for name in names:
            if name not in known:
                # First, for a damaged line may hold what was asked for.
                present.check()
                raise unknown_name(f"{kind} of the history", name, known)
    measures = read_measures(metrics or (HR, NDCG), cut_offs(None))
    for measure in measures:
        if measure.name not in HISTORY_METRICS:
            raise unknown_name("metric of the history", measure.name, HISTORY_METRICS)
    names = [measure.name for measure in measures]
    view = table_view(columns, sort, [*FIRST_COLUMNS, names[0], CHANGE, *names[1:], SPEED])
    found = trends(present.lines, names, models, task)
    if not found:
        present.check()
        raise NothingToCompareError("The history has no acceptance that fits.", "Leave --models or --task out.")
    if as_json:
        emit_json({"schema": 1, "trends": [document(trend) for trend in found]})
        present.check()
        return
    for number, trend in enumerate(found):
        head = one_line(f"{trend.model} on {trend.task} {trend.digest[:19]}  {trend.sparkline(names[0])}")
        emit_prose(f"\n{head}" if number else head)
        emit_columns(_columns(trend, measures), view)
    emit_next_step(after_history(), view.screen)
    # The good lines are shown first: one damaged line must not hide them.
    present.check()


def _columns(trend: "Trend", measures: "Sequence[Measure]") -> "list[Column]":
    """Returns the columns of a trend: a row an acceptance; a dash where its records lack a metric."""
    from recbench.reports.columns import Column, Cut, Look, text_column
    from recbench.reports.short_figures import short_figure, short_rate

    rows = trend.acceptances
    texts = [
        [f"{one.accepted_at:%Y-%m-%d %H:%M}" for one in rows],
        [one.label for one in rows],
        [(one.sha or "")[:9] for one in rows],
        [one.parameters for one in rows],
        [str(one.n_seeds) for one in rows],
    ]
    ranks = {"accepted": 0, "label": 3, "revision": 5, "parameters": 7, "seeds": 6}
    columns = [
        text_column(name, cells, rank=ranks[name], cut=Cut.MIDDLE if name in ("label", "parameters") else None)
        for name, cells in zip(FIRST_COLUMNS, texts, strict=True)
    ]
    for number, measure in enumerate(measures):
        spreads = [one.figures[measure.name] for one in rows]
        wide = [f"{one.mean:.4f}" if one else NO_RANKS for one in spreads]
        narrow = [short_figure(one.mean) if one else NO_RANKS for one in spreads]
        keys = [-one.mean if one else None for one in spreads]
        looks = (Look(measure.label, wide, "l"),), (Look(measure.label, narrow, "l", 1 if number == 0 else 4 + number),)
        columns.append(Column(measure.name, *looks, keys))
        if number == 0:
            changes = [
                None if one is None or before is None else one.mean - before.mean
                for before, one in zip([None, *spreads], spreads, strict=False)
            ]
            cells = ["" if change is None else f"{change:+.4f}" for change in changes]
            change_keys = [None if change is None else -change for change in changes]
            columns.append(Column(CHANGE, (Look(CHANGE, cells, "l", 2),), keys=change_keys))
    speeds = [one.interactions_per_second for one in rows]
    wide = [f"{one.mean:,.0f}" if one else "" for one in speeds]
    narrow = [short_rate(one.mean) if one else "" for one in speeds]
    keys = [-one.mean if one else None for one in speeds]
    return [*columns, Column(SPEED, (Look("interactions/s", wide, "l"),), (Look(SPEED, narrow, "l", 8),), keys)]
