"""What accuracy at the cut-off does not tell: MRR, AUC, what lists look like, and who is served well."""

from collections.abc import Sequence

from recbench.escaping.data_files import json_text
from recbench.evaluation.metric_names import measures_at
from recbench.reports.cells import with_sd
from recbench.reports.column_rendering import prose, render_columns
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, render_lines, render_table
from recbench.reports.run.run_report import ALWAYS_SUMMED_UP, RunReport
from recbench.reports.run.summary import CohortSpread, ModelSummary
from recbench.reports.screen import Screen
from recbench.reports.short_figures import short_figure
from recbench.reports.spread import Spread
from recbench.reports.view import View

COHORT_NAMES = {"history": "user's train rows", "popularity": "item's train rows"}
ALWAYS = measures_at(ALWAYS_SUMMED_UP, ())
LEGEND = (
    "MRR, AUC: among the candidates. coverage, exposure Gini, popularity: of the top lists of all users with a case.",
    "coverage: share of the catalogue that is in a list. exposure Gini: 0 if all items are in equally many lists, 1 if "
    "all lists have the same item. popularity: mean popularity percentile of the items in the lists.",
    "HR by cohort: three equal parts of the cases, sorted by this number of train rows.",
)


def metrics_table(report: RunReport, form: Format, screen: Screen | None = None) -> str:
    """Renders one line a model; CSV and JSON have the means in full precision, and no legend.

    Args:
        report: The run.
        form: How to render it.
        screen: The terminal that plain text has to fit; None for the wide table.
    """
    first = next((summary for summary in report.summaries if summary.cohorts), None)
    headers = [*(measure.label for measure in ALWAYS), "coverage", "exposure Gini", "popularity"]
    for name, cohorts in (first.cohorts if first else {}).items():
        headers += [f"HR, {COHORT_NAMES[name]} {_range(cohort)}" for cohort in cohorts]
    names = [summary.name for summary in report.summaries]
    figures = [_figures(summary) for summary in report.summaries]
    if form in (Format.CSV, Format.JSON):
        rows = [
            [name, *(None if spread is None else spread.mean for spread in row)]
            for name, row in zip(names, figures, strict=True)
        ]
        if form is Format.CSV:
            return csv_text(rows, ["model", *headers])
        # A model without a done trial has no cohorts.
        return json_text([dict(zip(["model", *headers], row, strict=False)) for row in rows])
    if screen is None:
        cells = [[name, *(with_sd(spread, 4) for spread in row)] for name, row in zip(names, figures, strict=True)]
        table = render_table(cells, ["model", *headers], f"l{'r' * len(headers)}", form, header_width=18)
        return "\n".join([table, "", *render_lines(LEGEND, form)])
    columns = [
        text_column("model", names, cut=Cut.MIDDLE),
        *(_column(header, [row[place : place + 1] for row in figures], place) for place, header in enumerate(headers)),
    ]
    shown = render_columns(columns, form, View(screen=screen))
    return "\n".join([shown.text, "", *prose([*shown.notes, *LEGEND], form, screen)])


def _column(header: str, figures: Sequence[Sequence[Spread | None]], place: int) -> Column:
    """Returns the column of a figure; a model without a done trial has no cohorts."""
    values = [row[0] if row else None for row in figures]
    wide = Look(header, [with_sd(value, 4) for value in values])
    short = ["" if value is None else short_figure(value.mean) for value in values]
    return Column(header, (wide,), (Look(_short_header(header), short, rank=place + 1),))


def _short_header(header: str) -> str:
    """Returns a header without the words that do not tell columns apart.

    >>> _short_header("HR, user's train rows 10-50"), _short_header("exposure Gini")
    ('user 10-50', 'Gini')
    """
    for name in COHORT_NAMES.values():
        header = header.replace(f"HR, {name}", name.partition("'")[0])
    return header.removeprefix("exposure ")


def _figures(summary: ModelSummary) -> list[Spread | None]:
    figures = [summary.metrics.get(measure.name) for measure in ALWAYS]
    figures += [summary.catalogue.get(name) for name in ("coverage", "exposure_gini", "popularity")]
    return [*figures, *(cohort.hr for cohorts in summary.cohorts.values() for cohort in cohorts)]


def _range(cohort: CohortSpread) -> str:
    return f"{cohort.lowest:,.0f}-{cohort.highest:,.0f}"
