"""All pairs of models on the same cases."""

from collections.abc import Sequence

from recbench.escaping.data_files import json_text
from recbench.reports.cells import p_value, signed
from recbench.reports.column_rendering import prose, render_columns
from recbench.reports.columns import Column, Cut, Look
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text
from recbench.reports.run.document import pair_document
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.uncertainty import Pair
from recbench.reports.screen import Screen
from recbench.reports.short_figures import short_difference, short_interval
from recbench.reports.view import View

PAIR, DIFFERENCE = "first - second", "difference"
HEADERS = [
    "metric",
    PAIR,
    DIFFERENCE,
    "95 %",
    "p",
    "p (Holm)",
    "McNemar",
    "better in",
    "equal in",
    "worse in",
    "detectable",
]
RANKS = {"p (Holm)": 1, "p": 3, "better in": 4, "equal in": 4, "worse in": 4, "detectable": 5, "McNemar": 6}
"""Which columns get room first in a table that is too wide."""
CSV_HEADERS = (
    "metric", "first", "second", "difference", "low", "high", "p", "p_holm", "p_mcnemar", "won", "tied", "lost",
    "detectable_difference",
)  # fmt: skip
DIFFERENCE_LINES = {
    True: "Difference: first minus second on the same cases, seeds averaged; 95 %: its interval, by a bootstrap over "
    "users.",
    False: "Difference: first minus second on the same cases, seeds averaged. [ ]: its 95 % confidence interval, by a "
    "bootstrap over users.",
}
"""For the wide table, in which the interval has a column of its own, and for the narrow one."""
LEGEND = (
    "p: randomisation test over users (signs of users' sums, 10,000 times); Holm: over all pairs by that metric.",
    "McNemar: exact test on hits, the largest p over seeds; only where each user has one case.",
    "better in, equal in, worse in: shares of cases in which the first model is better, equal or worse (metrics of "
    "users: shares of users). detectable: the smallest true difference found with 80 % power at p < 0.05.",
)


def pairs_table(report: RunReport, form: Format, screen: Screen | None = None) -> str:
    """Renders the pairs; a line of text if there are none. CSV and JSON have full precision, and no legend.

    Args:
        report: The run.
        form: How to render it.
        screen: The terminal that plain text has to fit; None for the wide table.
    """
    pairs = [pair for pair in report.uncertainty.pairs if pair.measure in report.columns]
    if form is Format.JSON:
        return json_text([pair_document(pair, report) for pair in pairs])
    if form is Format.CSV:
        return csv_text([_figures(pair, report) for pair in pairs], CSV_HEADERS)
    if not pairs:
        return "\n".join(prose(["No pairs: nothing to compare."], form, screen))
    table = render_columns(_columns(pairs, report), form, View(screen=screen))
    return "\n".join([table.text, "", *prose([*table.notes, DIFFERENCE_LINES[table.wide], *LEGEND], form, screen)])


def _columns(pairs: Sequence[Pair], report: RunReport) -> list[Column]:
    rows = [_row(pair, report) for pair in pairs]
    columns = [
        Column(
            header,
            (Look(header, [row[place] for row in rows], "l" if place < 2 else "r", RANKS.get(header, 0)),),
            cut=Cut.MIDDLE if header == PAIR else None,
        )
        for place, header in enumerate(HEADERS)
    ]
    differences = [short_difference(pair.evidence.difference) for pair in pairs]
    intervals = [short_interval(pair.evidence.interval) for pair in pairs]
    both = Column(
        DIFFERENCE,
        (*columns[2].wide, *columns[3].wide),
        (
            Look(
                DIFFERENCE,
                [f"{difference} {interval}" for difference, interval in zip(differences, intervals, strict=True)],
                rank=2,
            ),
            Look(DIFFERENCE, differences, rank=1),
        ),
    )
    return [*columns[:2], both, *columns[4:]]


def _figures(pair: Pair, report: RunReport) -> list[object]:
    evidence = pair.evidence
    names = [report.summaries[number].name for number in (pair.first, pair.second)]
    mcnemar = max(pair.mcnemar) if pair.mcnemar else None
    tests = [evidence.p, pair.p_adjusted, mcnemar]
    figures = [
        evidence.difference,
        evidence.interval.low,
        evidence.interval.high,
        *tests,
        evidence.won,
        pair.tied,
        evidence.lost,
    ]
    return [pair.measure.name, *names, *figures, pair.detectable]


def _row(pair: Pair, report: RunReport) -> list[str]:
    evidence = pair.evidence
    return [
        pair.measure.label,
        f"{report.summaries[pair.first].name} - {report.summaries[pair.second].name}",
        signed(evidence.difference),
        f"{signed(evidence.interval.low)} to {signed(evidence.interval.high)}",
        p_value(evidence.p),
        p_value(pair.p_adjusted),
        p_value(max(pair.mcnemar)) if pair.mcnemar else "",
        *(f"{share:.1%}" for share in (evidence.won, pair.tied, evidence.lost)),
        # Models that agree in every case say nothing of what a difference would look like.
        "" if evidence.won == evidence.lost == 0 else f"{pair.detectable:.4f}",
    ]
