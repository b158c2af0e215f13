"""The comparison table in every format. Figures are rounded in tables, and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace

from recbench.escaping.data_files import json_text
from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.ranking import Ranking
from recbench.reports.cells import NO_RANKS, Strong, code, escape, strong, with_sd
from recbench.reports.formats import Format
from recbench.reports.rendering import paragraph, render_lines, render_table
from recbench.reports.run.document import run_document
from recbench.reports.run.findings import below_popularity_notes, contradiction_notes
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.settings_notes import settings_notes
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.table_csv import run_csv
from recbench.reports.run.time_to_quality import TimeToQuality
from recbench.reports.run.uncertainty import Standing
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import DOUBTFUL, SHARED

BELOW = "▽"
"""Marks a model that is significantly below popularity."""


def run_table(report: RunReport, form: Format, *, marks: bool = True) -> str:
    """Renders the table of a run.

    Args:
        report: The run.
        form: CSV has full precision and no lines around it; JSON is the document; LaTeX has the lines as comments.
        marks: Whether to mark the best model and those that are not significantly different from it.
    """
    if not marks:
        report = replace(report, uncertainty=report.uncertainty.without_marks())
    if form is Format.CSV:
        return run_csv(report)
    if form is Format.JSON:
        return json_text(run_document(report))
    lines = render_lines(_legend(report, form), form)
    return "\n".join([*head(report, form), "", models_table(report, form), "", *lines])


def models_table(report: RunReport, form: Format) -> str:
    """Renders the table alone, without the lines around it."""
    headers = ["model"]
    for measure in report.columns:
        headers += [measure.label, "95 %"]
    headers += [f"known {measure.label}" for measure in known_columns(report)]
    headers += [f"corrected {measure.label}" for measure in _corrected(report)]
    headers += ["interactions/s", "fit s", "epochs", *_quality_headers(report.quality), "status"]
    return render_table(_rows(report), headers, f"l{'r' * (len(headers) - 2)}l", form)


def errors(report: RunReport) -> list[str]:
    """Returns what went wrong, one line a trial or curve that failed."""
    found = [f"{summary.name}, {error}" for summary in report.summaries for error in summary.errors]
    for summary, one in zip(report.summaries, report.quality, strict=False):
        found += [f"{summary.name}, {error}" for error in one.errors]
    return found


def head(report: RunReport, form: Format) -> list[str]:
    """Returns the lines that say what was run, on what."""
    task, environment = report.task, report.environment
    trials = [trial for summary in report.summaries for trial in summary.trials]
    seeds = sorted({trial.record.seed for trial in trials})
    threads = sorted({trial.record.threads for trial in trials})
    negatives = f"{task['n_negatives']} negatives each"
    if task["n_negatives_min"] != task["n_negatives"]:
        negatives = f"{task['n_negatives_min']} to {negatives}"
    name = strong(task["name"], form) if form is not Format.TEXT else escape(task["name"], form)
    counts = f"{task['n_users']:,} users, {task['n_items']:,} items, {task['n_train']:,} train rows"
    trained = f"Seeds {', '.join(map(str, seeds))} (mean ± standard deviation)" if seeds[1:] else f"Seed {seeds[0]}"
    shown = f"{' or '.join(map(str, threads))} thread{'s' if threads != [1] else ''}"
    machine = f"{environment.cpu}, {environment.os}, Python {environment.python}"
    lines = [
        f"Task {name} {code(task['digest'][:19], form)}: {counts}, {task['n_cases']:,} cases, {negatives}",
        escape(f"{trained}; {shown}; {machine}", form),
    ]
    if task["waivers"]:
        lines.append(escape(f"Waived: {', '.join(task['waivers'])}", form))
    return paragraph(lines, form)


def how_to_read(report: RunReport, form: Format) -> list[str]:
    """Returns what intervals and marks mean, as far as the table has any."""
    lines = []
    standings = [standing for one in report.uncertainty.standings for standing in one.values()]
    if any(standing.interval for standing in standings):
        lines.append(f"95 %: confidence interval over users (bootstrap, {RESAMPLES:,} resamples), seeds averaged.")
    lines += mark_lines(standings, form)
    if of_users := [measure.label for measure in report.columns if measure.metric.per_user]:
        lines.append(f"{', '.join(of_users)}: means over users, with all held-out items of a user in one list.")
    lines += [*report.copy_notes, *below_popularity_notes(report)]
    if lacking := [one.name for one in report.summaries if one.group.done and _lacks_full(one, report)]:
        lines.append(f"{NO_RANKS}: no full ranking; run again with --full: {', '.join(lacking)}.")
    return [*lines, *([report.known.line] if report.known else [])]


def mark_lines(standings: Sequence[Standing], form: Format) -> list[str]:
    """Returns what the marks of ``metric_cells`` mean; nothing where no model is marked."""
    if not any(standing.best for standing in standings):
        return []
    best = "*" if form is Format.TEXT else "bold"
    below = f"; {BELOW}: significantly below popularity" if any(one.below_reference for one in standings) else ""
    return [
        f"{best}: best; =: not significantly different from the best{below} (randomisation test over users, 5 %; "
        "Holm over all pairs of models in a column)."
    ]


def metric_cells(measure: Measure, spread: Spread | None, standing: Standing | None) -> list[str]:
    """Returns the cells of one measure: its mean, with the mark of its standing, and its confidence interval."""
    text = with_sd(spread, 4)
    if standing is None or standing.interval is None:
        return [text, ""]
    if standing.best:
        text = Strong(text)
    elif standing.below_reference:
        text = f"{BELOW} {text}"
    elif standing.level_with_best:
        text = f"= {text}"
    return [text, interval_cell(measure, standing.interval)]


def interval_cell(measure: Measure, interval: Interval) -> str:
    """Returns the cell of a confidence interval."""
    # Figures of the full ranking are small.
    digits = 4 if measure.ranking is Ranking.FULL else 3
    return f"{interval.low:.{digits}f}-{interval.high:.{digits}f}"


def _legend(report: RunReport, form: Format) -> list[str]:
    settings = settings_notes(report.settings, report.summaries) if report.settings else []
    notes = [*report.uncertainty.notes, *report.code_notes, *report.tie_notes, *report.timing_notes, *settings]
    findings = [*how_to_read(report, form), *contradiction_notes(report)]
    return [*findings, report.caution, *correction_notes(report), *notes, *errors(report)]


def correction_notes(report: RunReport) -> list[str]:
    """Returns the line on the corrected metrics, if the table has, or would have, columns of them."""
    note = report.correction.note() if report.has_catalogue else None
    return [] if note is None else [note]


def _corrected(report: RunReport) -> list[Measure]:
    """Returns the measures whose corrected figures have a column."""
    if not report.has_catalogue:
        return []
    corrected = {name for summary in report.summaries for name in summary.corrected}
    return [measure for measure in report.columns if measure.name in corrected]


def _lacks_full(summary: ModelSummary, report: RunReport) -> bool:
    """Whether the table has a column of the full ranking for which the model has no ranks."""
    full = [measure for measure in report.columns if measure.ranking is Ranking.FULL]
    return any(summary.figure(measure) is None for measure in full)


def known_columns(report: RunReport) -> list[Measure]:
    """Returns the measure that is also shown without cases of items or users without train rows, if there is one."""
    return [report.known.measure] if report.known and report.known.measure else []


def _rows(report: RunReport) -> list[list[str]]:
    rows = []
    columns = zip(report.summaries, report.uncertainty.standings, report.of_known_cases, strict=True)
    for summary, standings, known in columns:
        row = [summary.name]
        for measure in report.columns:
            if measure.ranking is Ranking.FULL and summary.group.done and summary.figure(measure) is None:
                row += [NO_RANKS, NO_RANKS]
            else:
                row += metric_cells(measure, summary.figure(measure), standings.get(measure.name))
        row += [with_sd(known.get(measure.name), 4) for measure in known_columns(report)]
        row += [with_sd(summary.corrected.get(measure.name), 4) for measure in _corrected(report)]
        rows.append([*row, *_cost_cells(summary), summary.status.value])
    for row, one in zip(rows, report.quality, strict=False):
        row[-1:-1] = _quality_cells(one)
    return rows


def throughput_cell(summary: ModelSummary) -> str:
    """Returns the throughput, marked if it says little of the model; empty if there is none."""
    speed = summary.interactions_per_second
    marks = f" {SHARED}" * summary.shared_machine + f" {DOUBTFUL}" * bool(summary.throughput_doubts)
    return "" if speed is None else f"{speed.mean:,.0f}{marks}"


def _cost_cells(summary: ModelSummary) -> list[str]:
    seconds = summary.fit_seconds
    return [
        throughput_cell(summary),
        "" if seconds is None else f"{seconds.mean:.{2 if seconds.mean >= 0.1 else 4}f}",
        "" if summary.epochs is None else str(summary.epochs),
    ]


def _quality_headers(quality: Sequence[TimeToQuality]) -> list[str]:
    if not quality:
        return []
    metric, target = parse_measure(quality[0].metric).label, quality[0].target
    return ["s to 99 % of HR", *([f"s to {metric} {target:g}"] if target is not None else [])]


def _quality_cells(one: TimeToQuality) -> list[str]:
    cells = ["" if one.to_final is None else f"{one.to_final.mean:.2f}"]
    if one.target is None:
        return cells
    if one.to_target is None:
        return [*cells, "never" if one.seeds else ""]
    some = "" if one.reached == one.seeds else f" ({one.reached} of {one.seeds})"
    return [*cells, f"{one.to_target.mean:.2f}{some}"]
