"""The comparison table, as text or Markdown. Figures are rounded in tables, and nowhere else."""

from collections.abc import Sequence

from tabulate import tabulate

from recbench.evaluation.bootstrap import RESAMPLES
from recbench.reports.cells import escape, with_sd
from recbench.reports.formats import Format
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.settings_notes import settings_notes
from recbench.reports.run.summary import ModelSummary, Spread
from recbench.reports.run.table_csv import run_csv
from recbench.reports.run.time_to_quality import TimeToQuality
from recbench.reports.run.uncertainty import Standing
from recbench.reports.timing_notes import SHARED

METRICS = ("hr", "ndcg")


def run_table(report: RunReport, form: Format) -> str:
    """Renders the table of a run.

    Args:
        report: The run.
        form: Text, Markdown or CSV; CSV has full precision and no lines around it.
    """
    if form is Format.CSV:
        return run_csv(report)
    markdown = form is Format.MARKDOWN
    table = models_table(report, markdown=markdown)
    return "\n".join([*head(report, markdown=markdown), "", table, "", *_lines(_legend(report, markdown), markdown)])


def models_table(report: RunReport, *, markdown: bool) -> str:
    """Renders the table alone, without the lines around it."""
    headers = ["model"]
    for k in report.ks:
        headers += [text for name in METRICS for text in (f"{name.upper()}@{k}", "95 %")]
    headers += [f"{kind} {name.upper()}@{k}" for kind in _kinds(report) for k in report.ks for name in METRICS]
    headers += ["interactions/s", "fit s", "epochs", *_quality_headers(report.quality), "status"]
    return tabulate(
        _rows(report, markdown),
        headers,
        tablefmt="pipe" if markdown else "simple",
        colalign=("left", *["right"] * (len(headers) - 2), "left"),
        disable_numparse=True,
    )


def errors(report: RunReport) -> list[str]:
    """Returns what went wrong, one line a trial or curve that failed."""
    found = [f"{summary.model}, {error}" for summary in report.summaries for error in summary.errors]
    for summary, one in zip(report.summaries, report.quality, strict=False):
        found += [f"{summary.model}, {error}" for error in one.errors]
    return found


def head(report: RunReport, *, markdown: bool) -> list[str]:
    """Returns the lines that say what was run, on what."""
    task, environment = report.task, report.environment
    seeds = sorted({stored.record.seed for summary in report.summaries for stored in summary.records})
    threads = report.summaries[0].records[0].record.threads
    negatives = f"{task['n_negatives']} negatives each"
    if task["n_negatives_min"] != task["n_negatives"]:
        negatives = f"{task['n_negatives_min']} to {negatives}"
    name = f"**{escape(task['name'])}**" if markdown else task["name"]
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


def how_to_read(report: RunReport, *, markdown: bool) -> list[str]:
    """Returns what intervals and marks mean, as far as the table has any."""
    lines = []
    standings = [standing for one in report.uncertainty.standings for standing in one.values()]
    if any(standing.interval for standing in standings):
        lines.append(f"95 %: interval over users (bootstrap, {RESAMPLES:,} resamples), seeds averaged.")
    if any(standing.best for standing in standings):
        best = "bold" if markdown else "*"
        lines.append(f"{best}: best; =: cannot be told from the best (randomisation test over users, Holm, 5 %).")
    return lines


def _legend(report: RunReport, markdown: bool) -> list[str]:
    settings = settings_notes(report.settings, report.summaries) if report.settings else []
    notes = [*report.uncertainty.notes, *report.timing_notes, *settings]
    return [*how_to_read(report, markdown=markdown), report.caution, *notes, *errors(report)]


def _lines(lines: Sequence[str], markdown: bool) -> list[str]:
    return [f"- {escape(line)}" for line in lines] if markdown else list(lines)


def _kinds(report: RunReport) -> list[str]:
    if not report.has_catalogue:
        return []
    return ["full", *(["corrected"] if any(summary.corrected for summary in report.summaries) else [])]


def _rows(report: RunReport, markdown: bool) -> list[list[str]]:
    kinds = _kinds(report)
    rows = []
    for summary, standings in zip(report.summaries, report.uncertainty.standings, strict=True):
        row = [escape(summary.model) if markdown else summary.model]
        for metric in [f"{name}@{k}" for k in report.ks for name in METRICS]:
            row += _metric_cells(summary.metrics.get(metric), standings.get(metric), markdown)
        for figures in [summary.catalogue, summary.corrected][: len(kinds)]:
            row += [with_sd(figures.get(f"{name}@{k}"), 4) for k in report.ks for name in METRICS]
        rows.append([*row, *_cost_cells(summary), summary.status.value])
    for row, one in zip(rows, report.quality, strict=False):
        row[-1:-1] = _quality_cells(one)
    return rows


def _metric_cells(spread: Spread | None, standing: Standing | None, markdown: bool) -> list[str]:
    text = with_sd(spread, 4)
    if standing is None or standing.interval is None:
        return [text, ""]
    if standing.best:
        text = f"**{text}**" if markdown else f"* {text}"
    elif standing.level_with_best:
        text = f"= {text}"
    return [text, f"{standing.interval.low:.3f}-{standing.interval.high:.3f}"]


def _cost_cells(summary: ModelSummary) -> list[str]:
    speed, seconds = summary.interactions_per_second, summary.fit_seconds
    return [
        "" if speed is None else f"{speed.mean:,.0f}{f' {SHARED}' if summary.shared_machine else ''}",
        "" if seconds is None else f"{seconds.mean:.{2 if seconds.mean >= 0.1 else 4}f}",
        "" if summary.epochs is None else str(summary.epochs),
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
