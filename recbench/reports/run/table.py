"""The comparison table in every format. Figures are rounded in tables, and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recbench.escaping.data_files import json_text
from recbench.evaluation.bootstrap import RESAMPLES
from recbench.evaluation.ranking import Ranking
from recbench.reports.cells import NO_FIGURE, NO_RANKS, code, escape, strong
from recbench.reports.column_rendering import on_screen, prose, render_columns
from recbench.reports.columns import Column
from recbench.reports.cost_figures import COST_FIGURES, present_figures
from recbench.reports.formats import Format
from recbench.reports.rendering import paragraph
from recbench.reports.run.cost_table import cost_columns_of, done_records
from recbench.reports.run.document import run_document
from recbench.reports.run.findings import below_popularity_notes, contradiction_notes
from recbench.reports.run.model_columns import BELOW, EPOCHS, FIT, SPEED, STATUS, run_columns
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.settings_notes import settings_notes
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.table_csv import run_csv
from recbench.reports.run.uncertainty import Standing
from recbench.reports.screen import Screen
from recbench.reports.timing_notes import SHORTEST_FIT, too_short
from recbench.reports.view import DEFAULT_VIEW, View

NOT_FOR_PAPERS: Final = (SPEED, FIT, EPOCHS, STATUS)
"""Columns that LaTeX has only if ``--columns`` names them."""


def run_table(report: RunReport, form: Format, *, marks: bool = True, view: View = DEFAULT_VIEW) -> str:
    """Renders the table of a run.

    Args:
        report: The run.
        form: CSV has full precision and no lines around it; JSON is the document; LaTeX has the lines as comments.
        marks: Whether to mark the best model and those that are not significantly different from it.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    if not marks:
        report = replace(report, uncertainty=report.uncertainty.without_marks())
    if form is Format.CSV:
        return run_csv(report)
    if form is Format.JSON:
        return json_text(run_document(report))
    asked = [figure for figure in COST_FIGURES if figure.name in (*(view.columns or ()), view.sort)]
    columns = [*run_columns(report), *cost_columns_of(report.summaries, present_figures(done_records(report), asked))]
    view = _for_paper(columns, view) if form is Format.LATEX else view
    table = render_columns(columns, form, view)
    above = on_screen(head(report, form, deviations=table.wide), view.screen)
    legend = prose([*table.notes, *_legend(report, form, view, wide=table.wide)], form, view.screen)
    return "\n".join([*above, "", table.text, "", *legend])


def models_table(report: RunReport, form: Format) -> str:
    """Renders the table alone, without the lines around it."""
    return render_columns(run_columns(report), form, DEFAULT_VIEW).text


def _for_paper(columns: Sequence[Column], view: View) -> View:
    """Returns the view with the default columns of LaTeX, if none were asked for.

    A page of a paper has no room for the columns about time, and the table of a paper has no failed models.
    """
    if view.columns is not None:
        return view
    return replace(view, columns=tuple(column.name for column in columns if column.name not in NOT_FOR_PAPERS))


def errors(report: RunReport) -> list[str]:
    """Returns what went wrong, one line for each reason of a model, and for each curve."""
    lines = [f"{summary.name}, {error}" for summary in report.summaries for error in summary.errors_by_reason]
    for summary, time_to_quality in zip(report.summaries, report.quality, strict=False):
        lines += [f"{summary.name}, {error}" for error in time_to_quality.errors]
    return lines


def head(report: RunReport, form: Format, *, deviations: bool = True) -> list[str]:
    """Returns the lines that say what was run, on what.

    Args:
        report: The run.
        form: The format of the lines.
        deviations: Whether the table shows standard deviations over seeds.
    """
    task, environment = report.task, report.environment
    trials = [trial for summary in report.summaries for trial in summary.trials]
    seeds = sorted({trial.record.seed for trial in trials})
    threads = sorted({trial.record.threads for trial in trials})
    negatives = f"{task['n_negatives']} negatives each"
    if task["n_negatives_min"] != task["n_negatives"]:
        negatives = f"{task['n_negatives_min']} to {negatives}"
    name = strong(task["name"], form) if form is not Format.TEXT else escape(task["name"], form)
    counts = f"{task['n_users']:,} users, {task['n_items']:,} items, {task['n_train']:,} train rows"
    over_seeds = "mean ± standard deviation" if deviations else "mean"
    trained = f"Seeds {', '.join(map(str, seeds))} ({over_seeds})" if seeds[1:] else f"Seed {seeds[0]}"
    shown = f"{' or '.join(map(str, threads))} thread{'s' if threads != [1] else ''}"
    # Another interpreter has another Python.
    pythons = dict.fromkeys(trial.record.environment.python for trial in trials)
    machine = f"{environment.cpu}, {environment.os}, Python {' or '.join(pythons)}"
    lines = [
        f"Task {name} {code(task['digest'][:19], form)}: {counts}, {task['n_cases']:,} cases, {negatives}",
        escape(f"{trained}; {shown}; {machine}", form),
    ]
    if task["waivers"]:
        lines.append(escape(f"Waived: {', '.join(task['waivers'])}", form))
    return paragraph(lines, form)


def how_to_read(
    report: RunReport, form: Format, *, interval: str = "95 %:", best: str | None = None, has_speed: bool = True
) -> list[str]:
    """Returns what intervals and marks mean, as far as the table has any.

    Args:
        report: The run.
        form: The format of the table.
        interval: How the line on confidence intervals starts.
        best: What marks the best model; None for the mark of the format.
        has_speed: Whether the table shows throughput.
    """
    lines = []
    standings = [standing for of_model in report.uncertainty.standings for standing in of_model.values()]
    if any(standing.interval for standing in standings):
        lines.append(f"{interval} confidence interval over users (bootstrap, {RESAMPLES:,} resamples), seeds averaged.")
    lines += mark_lines(standings, form, best)
    if of_users := [measure.label for measure in report.columns if measure.metric.per_user]:
        lines.append(f"{', '.join(of_users)}: means over users, with all held-out items of a user in one list.")
    lines += [*report.copy_notes, *below_popularity_notes(report)]
    lines += short_fit_notes(report.summaries) if has_speed else []
    if lacking := [summary.name for summary in report.summaries if summary.group.done and _lacks_full(summary, report)]:
        lines.append(f"{NO_RANKS}: no full ranking; run again with --full: {', '.join(lacking)}.")
    return [*lines, *([report.known.line] if report.known else [])]


def mark_lines(standings: Sequence[Standing], form: Format, best: str | None = None) -> list[str]:
    """Returns what the marks of ``measure_column`` mean; nothing where no model is marked."""
    if not any(standing.best for standing in standings):
        return []
    best = best or ("*" if form is Format.TEXT else "bold")
    below = (
        f"; {BELOW}: significantly below popularity" if any(standing.below_reference for standing in standings) else ""
    )
    return [
        f"{best}: best; =: not significantly different from the best{below} (randomisation test over users, 5 %; "
        "Holm over all pairs of models in a column)."
    ]


def interval_start(*, wide: bool) -> str:
    """Returns how the line on confidence intervals starts: by what stands for them in the wide or the narrow table."""
    return "95 %:" if wide else "[ ]: 95 %"


def narrow_notes() -> list[str]:
    """Returns what a header of the narrow table means that the wide table writes out."""
    return [f"{SPEED}: train interactions per second."]


def short_fit_notes(summaries: Sequence[ModelSummary]) -> list[str]:
    """Returns a line on fits that were too short to time; none if there is none."""
    if not any(too_short(summary.fit_seconds) for summary in summaries):
        return []
    return [
        f"A dash ({NO_FIGURE}) stands for the throughput of a fit of less than {SHORTEST_FIT:g} s: too short to time."
    ]


def _legend(report: RunReport, form: Format, view: View, *, wide: bool) -> list[str]:
    settings = settings_notes(report.settings, report.records) if report.settings else []
    settings += report.parameter_notes
    notes = [*report.uncertainty.notes, *report.code_notes, *report.tie_notes, *report.timing_notes, *settings]
    findings = [
        *how_to_read(
            report,
            form,
            interval=interval_start(wide=wide),
            best=best_mark(view.screen),
            has_speed=view.columns is None or SPEED in view.columns,
        ),
        *([] if wide else narrow_notes()),
        *contradiction_notes(report),
    ]
    return [*findings, report.caution, *correction_notes(report), *notes, *errors(report)]


def best_mark(screen: Screen | None) -> str | None:
    """Returns what marks the best model on a terminal; None for the mark of the format."""
    return "bold" if screen is not None and screen.styled else None


def correction_notes(report: RunReport) -> list[str]:
    """Returns the line on the corrected metrics, if the table has, or would have, columns of them."""
    note = report.correction.note() if report.has_catalogue else None
    return [] if note is None else [note]


def _lacks_full(summary: ModelSummary, report: RunReport) -> bool:
    """Whether the table has a column of the full ranking for which the model has no ranks."""
    full = [measure for measure in report.columns if measure.ranking is Ranking.FULL]
    return any(summary.figure(measure) is None for measure in full)
