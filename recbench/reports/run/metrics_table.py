"""What accuracy at the cut-off does not tell: MRR, AUC, what lists look like, and who is served well."""

from recbench.escaping.data_files import json_text
from recbench.evaluation.metric_names import measures_at
from recbench.reports.cells import with_sd
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, render_lines, render_table
from recbench.reports.run.run_report import ALWAYS_SUMMED_UP, RunReport
from recbench.reports.run.summary import CohortSpread, ModelSummary
from recbench.reports.spread import Spread

COHORT_NAMES = {"history": "user's train rows", "popularity": "item's train rows"}
ALWAYS = measures_at(ALWAYS_SUMMED_UP, ())
LEGEND = (
    "MRR, AUC: among the candidates. coverage, exposure Gini, popularity: of the lists that users with a case would be "
    "shown:",
    "the share of the catalogue in some list; from 0, all items alike, to 1, all on one; the items' mean percentile.",
    "HR by cohort: cases sorted by that number of rows, in three equal parts.",
)


def metrics_table(report: RunReport, form: Format) -> str:
    """Renders one line a model; CSV and JSON have the means in full precision, and no legend."""
    first = next((summary for summary in report.summaries if summary.cohorts), None)
    headers = ["model", *(one.label for one in ALWAYS), "coverage", "exposure Gini", "popularity"]
    for name, cohorts in (first.cohorts if first else {}).items():
        headers += [f"HR, {COHORT_NAMES[name]} {_range(cohort)}" for cohort in cohorts]
    if form in (Format.CSV, Format.JSON):
        rows = [[one.name, *(None if f is None else f.mean for f in _figures(one))] for one in report.summaries]
        if form is Format.CSV:
            return csv_text(rows, headers)
        # A model without a done trial has no cohorts.
        return json_text([dict(zip(headers, row, strict=False)) for row in rows])
    cells = [[one.name, *(with_sd(figure, 4) for figure in _figures(one))] for one in report.summaries]
    table = render_table(cells, headers, f"l{'r' * (len(headers) - 1)}", form, header_width=18)
    return "\n".join([table, "", *render_lines(LEGEND, form)])


def _figures(summary: ModelSummary) -> list[Spread | None]:
    figures = [summary.metrics.get(measure.name) for measure in ALWAYS]
    figures += [summary.catalogue.get(name) for name in ("coverage", "exposure_gini", "popularity")]
    return [*figures, *(cohort.hr for cohorts in summary.cohorts.values() for cohort in cohorts)]


def _range(cohort: CohortSpread) -> str:
    return f"{cohort.lowest:,.0f}-{cohort.highest:,.0f}"
