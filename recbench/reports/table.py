"""The comparison table, as text, Markdown or CSV. The only place where figures are rounded."""

import csv
import io
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from tabulate import tabulate

from recbench.records.schema import Environment
from recbench.reports.formats import Format
from recbench.reports.summary import ModelSummary, Spread
from recbench.reports.time_to_quality import TimeToQuality


def run_table(
    task: dict[str, Any],
    summaries: Sequence[ModelSummary],
    environment: Environment,
    ks: Sequence[int],
    form: Format,
    quality: Sequence[TimeToQuality] = (),
) -> str:
    """Renders the table of a run.

    Args:
        task: ``Task.summary()``.
        summaries: One for each model.
        environment: What the run ran on.
        ks: The cut-offs to show.
        form: Text, Markdown or CSV; CSV has full precision and no lines around it.
        quality: One for each model, if there are learning curves.
    """
    if form is Format.CSV:
        return _csv(summaries, ks, quality)
    headers = ["model", *(f"{name}@{k}" for k in ks for name in ("HR", "NDCG"))]
    headers += ["interactions/s", "fit s", "epochs", *_quality_headers(quality), "status"]
    markdown = form is Format.MARKDOWN
    rows = [_row(summary, ks, markdown) for summary in summaries]
    for row, one in zip(rows, quality, strict=False):
        row[-1:-1] = _quality_cells(one)
    table = tabulate(
        rows,
        headers,
        tablefmt="pipe" if markdown else "simple",
        colalign=("left", *["right"] * (len(headers) - 2), "left"),
        disable_numparse=True,
    )
    errors = [f"{summary.model}, {error}" for summary in summaries for error in summary.errors]
    for summary, one in zip(summaries, quality, strict=False):
        errors += [f"{summary.model}, {error}" for error in one.errors]
    return "\n".join([*_head(task, summaries, environment, markdown), "", table, *_tail(errors, markdown)])


def _head(
    task: dict[str, Any], summaries: Sequence[ModelSummary], environment: Environment, markdown: bool
) -> list[str]:
    seeds = sorted({stored.record.seed for summary in summaries for stored in summary.records})
    threads = summaries[0].records[0].record.threads
    negatives = f"{task['n_negatives']} negatives each"
    if task["n_negatives_min"] != task["n_negatives"]:
        negatives = f"{task['n_negatives_min']} to {negatives}"
    name = f"**{_escape(task['name'])}**" if markdown else task["name"]
    digest = f"`{task['digest'][:19]}`" if markdown else task["digest"][:19]
    counts = f"{task['n_users']:,} users, {task['n_items']:,} items, {task['n_train']:,} train rows"
    trained = f"Seeds {', '.join(map(str, seeds))} (mean ± standard deviation)" if seeds[1:] else f"Seed {seeds[0]}"
    machine = f"{environment.cpu}, {environment.os}, Python {environment.python}"
    lines = [
        f"Task {name} {digest}: {counts}, {task['n_cases']:,} cases, {negatives}",
        f"{trained}; {threads} thread{'s' if threads != 1 else ''}; {machine}",
    ]
    if task["waivers"]:
        lines.append(f"Waived: {', '.join(task['waivers'])}")
    # In Markdown, two spaces at a line's end keep the next line from being joined to it.
    return [line + "  " for line in lines] if markdown else lines


def _tail(errors: Sequence[str], markdown: bool) -> list[str]:
    if not errors:
        return []
    return ["", *(f"- {_escape(error)}" if markdown else error for error in errors)]


def _row(summary: ModelSummary, ks: Sequence[int], markdown: bool) -> list[str]:
    metrics = [summary.metrics.get(f"{name}@{k}") for k in ks for name in ("hr", "ndcg")]
    speed, seconds = summary.interactions_per_second, summary.fit_seconds
    return [
        _escape(summary.model) if markdown else summary.model,
        *(_with_sd(metric, 4) for metric in metrics),
        "" if speed is None else f"{speed.mean:,.0f}",
        "" if seconds is None else f"{seconds.mean:.{2 if seconds.mean >= 0.1 else 4}f}",
        "" if summary.epochs is None else str(summary.epochs),
        summary.status.value,
    ]


def _quality_headers(quality: Sequence[TimeToQuality]) -> list[str]:
    if not quality:
        return []
    metric, target = quality[0].metric.upper(), quality[0].target
    return ["s to 99 % of HR", *([f"s to {metric} {target:g}"] if target is not None else [])]


def _quality_cells(one: TimeToQuality) -> list[str]:
    cells = ["" if one.to_final is None else f"{one.to_final.mean:.2f}"]
    if one.target is None:
        return cells
    if one.to_target is None:
        return [*cells, "never" if one.seeds else ""]
    some = "" if one.reached == one.seeds else f" ({one.reached} of {one.seeds})"
    return [*cells, f"{one.to_target.mean:.2f}{some}"]


def _with_sd(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return ""
    mean = f"{spread.mean:.{digits}f}"
    return mean if spread.sd is None else f"{mean} ± {spread.sd:.{digits}f}"


def _csv(summaries: Sequence[ModelSummary], ks: Sequence[int], quality: Sequence[TimeToQuality]) -> str:
    names = [f"{name}@{k}" for k in ks for name in ("hr", "ndcg")]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    header = ["model", *(f"{name}{part}" for name in names for part in ("", "_sd"))]
    more = ["seconds_to_99_percent_of_final", "seconds_to_target"] if quality else []
    writer.writerow([*header, "interactions_per_second", "fit_seconds", "epochs", *more, "status"])
    for summary, one in zip_longest(summaries, quality):
        metrics = [summary.metrics.get(name) for name in names]
        cells = [cell for m in metrics for cell in ((m.mean, m.sd) if m else (None, None))]
        speed, seconds = summary.interactions_per_second, summary.fit_seconds
        writer.writerow(
            [
                summary.model,
                *cells,
                speed.mean if speed else None,
                seconds.mean if seconds else None,
                summary.epochs,
                *([spread.mean if spread else None for spread in (one.to_final, one.to_target)] if one else []),
                summary.status.value,
            ]
        )
    return target.getvalue().rstrip("\n")


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
