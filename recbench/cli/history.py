"""``recbench history``: how accepted baselines have moved."""

from typing import Annotated

import typer

from recbench.cli.shared.completion import task_name
from recbench.cli.shared.execution_options import TASK, OnlyModels
from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.terminal import emit, emit_json, emit_table
from recbench.errors import NothingToCompareError, unknown_name


def history(
    models: OnlyModels = None,
    task: Annotated[
        str | None,
        typer.Option(metavar=TASK, help="Only the task of this name.", show_default="all", autocompletion=task_name),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the trend of accepted baselines, a line an acceptance, with a bar for each HR@10.

    Examples:
      recbench history
      recbench history --models bpr --task ml-100k

    Exit codes: 0 shown, 2 bad input, or a line of the history is damaged, 4 nothing to show.
    """
    from recbench.escaping.terminal import one_line
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
                    "hr@10": one.hr.mean if one.hr else None,
                    "ndcg@10": one.ndcg.mean if one.ndcg else None,
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
    found = trends(present.lines, models, task)
    if not found:
        present.check()
        raise NothingToCompareError("The history has no acceptance that fits.", "Leave --models or --task out.")
    if as_json:
        emit_json({"schema": 1, "trends": [document(trend) for trend in found]})
        present.check()
        return
    for number, trend in enumerate(found):
        head = one_line(f"{trend.model} on {trend.task} {trend.digest[:19]}  {trend.sparkline}")
        emit(f"\n{head}" if number else head)
        emit_table(
            [
                [
                    f"{one.accepted_at:%Y-%m-%d %H:%M}",
                    one.label,
                    (one.sha or "")[:9],
                    one.parameters,
                    len(one.hr.values) if one.hr else 0,
                    f"{one.hr.mean:.4f}" if one.hr else "",
                    f"{one.hr.mean - before.hr.mean:+.4f}" if one.hr and before and before.hr else "",
                    f"{one.ndcg.mean:.4f}" if one.ndcg else "",
                    f"{one.interactions_per_second.mean:,.0f}" if one.interactions_per_second else "",
                ]
                for before, one in zip([None, *trend.acceptances], trend.acceptances, strict=False)
            ],
            ["accepted", "label", "revision", "parameters", "seeds", "HR@10", "change", "NDCG@10", "interactions/s"],
        )
    # The good lines are shown first: one damaged line must not hide them.
    present.check()
