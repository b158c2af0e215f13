"""All pairs of models on the same cases, as text or Markdown."""

from tabulate import tabulate

from recbench.reports.cells import escape
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.uncertainty import Pair

HEADERS = [
    "metric",
    "first - second",
    "difference",
    "95 %",
    "p",
    "p (Holm)",
    "McNemar",
    "won",
    "tied",
    "lost",
    "80 % at",
]
LEGEND = (
    "Difference: first minus second on the same cases, seeds averaged; 95 %: its interval, by a bootstrap over users.",
    "p: randomisation test over users (signs of users' sums, 10,000 times); Holm: over all pairs of that metric.",
    "McNemar: exact test on hits, the largest p over seeds; only where each user has one case.",
    "won, tied, lost: shares of cases. 80 % at: the smallest true difference found with 80 % power at p < 0.05.",
)


def pairs_table(report: RunReport, *, markdown: bool) -> str:
    """Renders the pairs; a line of text if there are none."""
    if not report.uncertainty.pairs:
        return "No pairs: nothing to compare."
    rows = [_row(pair, report, markdown) for pair in report.uncertainty.pairs]
    table = tabulate(
        rows,
        HEADERS,
        tablefmt="pipe" if markdown else "simple",
        colalign=("left", "left", *["right"] * (len(HEADERS) - 2)),
        disable_numparse=True,
    )
    return "\n".join([table, "", *(f"- {line}" if markdown else line for line in LEGEND)])


def _row(pair: Pair, report: RunReport, markdown: bool) -> list[str]:
    models = f"{report.summaries[pair.first].model} - {report.summaries[pair.second].model}"
    return [
        pair.metric.upper(),
        escape(models) if markdown else models,
        f"{pair.difference:+.4f}",
        f"{pair.interval.low:+.4f} to {pair.interval.high:+.4f}",
        _p(pair.p),
        _p(pair.p_adjusted),
        _p(max(pair.mcnemar)) if pair.mcnemar else "",
        *(f"{share:.1%}" for share in (pair.won, pair.tied, pair.lost)),
        # Models that agree in every case say nothing of what a difference would look like.
        "" if pair.won == pair.lost == 0 else f"{pair.detectable:.4f}",
    ]


def _p(value: float) -> str:
    return "<0.0001" if value < 0.00005 else f"{value:.4f}"
