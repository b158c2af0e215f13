"""The gate's verdict in every format: the comparison, and whether the gate passes."""

from recbench.escaping.data_files import json_text
from recbench.reports.column_rendering import prose
from recbench.reports.compare.comment import comment
from recbench.reports.compare.document import gate_document
from recbench.reports.compare.gate import GateReport
from recbench.reports.compare.gate_lines import accepted_lines, details_lines, first_baseline_lines
from recbench.reports.compare.headline import gate_headline
from recbench.reports.compare.lines import legend, origins, reasons, seeds_compared
from recbench.reports.compare.table import figures
from recbench.reports.compare.table_csv import compare_csv
from recbench.reports.compare.table_latex import compare_latex
from recbench.reports.formats import Format
from recbench.reports.view import DEFAULT_VIEW, View


def gate_table(report: GateReport, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders a gate's report; as CSV, the figures alone; as JSON, the document; as LaTeX, for papers.

    Args:
        report: The gate's report.
        form: How.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    decided = report.decided
    if form is Format.CSV:
        return compare_csv(decided)
    if form is Format.JSON:
        return json_text(gate_document(report))
    if form is Format.LATEX:
        return compare_latex(decided, gate_headline(report), view)
    if form is not Format.TEXT:
        return comment(report, form, view)
    listed = [f"- {line}" for line in report.reasons] if report.reasons[1:] else []
    *shown, policy = details_lines(report)
    notes = [*reasons(decided), *legend(decided), policy, *origins(decided), f"Again: {decided.command}"]
    blocks = [[gate_headline(report), *listed], [*accepted_lines(report), *seeds_compared(decided), *shown], notes]
    top, *others = ("\n".join(prose(block, form, view.screen)) for block in blocks if block)
    first = first_baseline_lines(report)
    return "\n\n".join([top, *(["\n".join(first)] if first else []), figures(decided, form, view), *others])
