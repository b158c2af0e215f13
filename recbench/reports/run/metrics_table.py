"""What accuracy at the cut-off does not tell: MRR, AUC, what lists look like, and who is served well."""

from tabulate import tabulate

from recbench.reports.cells import escape, with_sd
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import CohortSpread, ModelSummary

COHORT_NAMES = {"history": "user's train rows", "popularity": "item's train rows"}
LEGEND = (
    "MRR, AUC: among the candidates. coverage, Gini, popularity: of the lists that users with a case would be shown:",
    "the share of the catalogue in some list; from 0, all items alike, to 1, all on one; the items' mean percentile.",
    "HR by cohort: cases sorted by that number of rows, in three equal parts.",
)


def metrics_table(report: RunReport, *, markdown: bool) -> str:
    """Renders one line a model."""
    first = next((summary for summary in report.summaries if summary.cohorts), None)
    headers = ["model", "MRR", "AUC", "coverage", "Gini", "popularity"]
    for name, cohorts in (first.cohorts if first else {}).items():
        headers += [f"HR, {COHORT_NAMES[name]} {_range(cohort)}" for cohort in cohorts]
    table = tabulate(
        [_row(summary, markdown) for summary in report.summaries],
        headers,
        tablefmt="pipe" if markdown else "simple",
        colalign=("left", *["right"] * (len(headers) - 1)),
        disable_numparse=True,
        maxheadercolwidths=None if markdown else 18,
    )
    return "\n".join([table, "", *(f"- {line}" if markdown else line for line in LEGEND)])


def _row(summary: ModelSummary, markdown: bool) -> list[str]:
    figures = [summary.metrics.get("mrr"), summary.metrics.get("auc")]
    figures += [summary.catalogue.get(name) for name in ("coverage", "gini", "popularity")]
    figures += [cohort.hr for cohorts in summary.cohorts.values() for cohort in cohorts]
    model = escape(summary.model) if markdown else summary.model
    return [model, *(with_sd(figure, 4) for figure in figures)]


def _range(cohort: CohortSpread) -> str:
    return f"{cohort.lowest:,.0f}-{cohort.highest:,.0f}"
