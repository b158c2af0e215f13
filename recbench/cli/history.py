"""``recbench history``: how accepted baselines have moved."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.completion import task_name
from recbench.cli.shared.execution_options import METRICS, TASK, OnlyModels
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.terminal import emit, emit_json, emit_table
from recbench.errors import NothingToCompareError, unknown_name
from recbench.records.history_metrics import HISTORY_METRICS, HR, NDCG
from recbench.reports.cells import NO_RANKS

if TYPE_CHECKING:
    from recbench.reports.trend import Acceptance


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
        emit(f"\n{head}" if number else head)
        emit_table(
            [
                [
                    f"{one.accepted_at:%Y-%m-%d %H:%M}",
                    one.label,
                    (one.sha or "")[:9],
                    one.parameters,
                    one.n_seeds,
                    *_cells(one, before, names),
                    f"{one.interactions_per_second.mean:,.0f}" if one.interactions_per_second else "",
                ]
                for before, one in zip([None, *trend.acceptances], trend.acceptances, strict=False)
            ],
            [
                "accepted",
                "label",
                "revision",
                "parameters",
                "seeds",
                measures[0].label,
                "change",
                *(measure.label for measure in measures[1:]),
                "interactions/s",
            ],
        )
    # The good lines are shown first: one damaged line must not hide them.
    present.check()


def _cells(one: "Acceptance", before: "Acceptance | None", names: Sequence[str]) -> list[str]:
    """Returns the metrics of an acceptance, the first with its change; a dash where its records have none."""
    first, earlier = one.figures[names[0]], before.figures[names[0]] if before else None
    change = f"{first.mean - earlier.mean:+.4f}" if first and earlier else ""
    cells = [f"{spread.mean:.4f}" if (spread := one.figures[name]) else NO_RANKS for name in names]
    return [cells[0], change, *cells[1:]]
