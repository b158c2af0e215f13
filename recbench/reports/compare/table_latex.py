"""The comparison as LaTeX, for papers: the better side in bold, and stars for significant differences."""

from collections.abc import Sequence
from dataclasses import replace

from recbench.records.grouping import TrialGroup
from recbench.reports.cells import NO_RANKS, Strong, p_value, signed, with_sd
from recbench.reports.column_rendering import render_columns
from recbench.reports.columns import Column, Look
from recbench.reports.compare.columns import SPEED, comparison_columns
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.costs import render_costs
from recbench.reports.compare.evidence import Level, Measured
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.compare.lines import by_task, legend, new_case_lines, obstacles, task_line
from recbench.reports.formats import Format
from recbench.reports.rendering import render_lines
from recbench.reports.view import DEFAULT_VIEW, View

HEADERS = {
    "model": ("model",),
    "metric": ("metric",),
    "baseline": ("baseline",),
    "current": ("current",),
    "difference": ("difference", "95 %"),
    "p": ("p (Holm)",),
    "verdict": ("verdict",),
}
"""The headers of each column."""
TEXTS = ("model", "metric", "verdict")
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""The p-values, after Holm, below which a difference has stars; the smallest first."""


def compare_latex(decided: DecidedComparison, headline: str, view: View = DEFAULT_VIEW) -> str:
    """Renders a table for each task, and one for the cost in use if it was measured; other lines are comments.

    Args:
        decided: The comparison and its verdicts.
        headline: The outcome in one sentence.
        view: Which columns to show.
    """
    form, comparison = Format.LATEX, decided.comparison
    blocks = ["\n".join(render_lines([headline, *obstacles(decided)], form))]
    for digest, numbered in by_task(comparison).items():
        columns = _columns(decided, numbered)
        # A paper has no room for the speed, so that it must be asked for.
        shown = view if view.columns is not None else replace(view, columns=tuple(HEADERS))
        table = render_columns(columns, form, shown)
        above = render_lines([task_line(numbered[0][1])], form)
        below = render_lines([*table.notes, *new_case_lines(comparison, digest)], form)
        blocks.append("\n".join([*above, table.text, *below]))
        if costs := render_costs([model for _, model in numbered], form, view):
            blocks.append(costs)
    stars = ", ".join(f"{stars} p < {limit:g}" for limit, stars in reversed(STARS))
    *meanings, on_speed = legend(decided)
    lines = [f"Bold: the higher of baseline and current. {stars} after Holm.", *meanings]
    lines += [on_speed] if SPEED in (view.columns or ()) else []
    return "\n\n".join([*blocks, "\n".join(render_lines(lines, form))])


def _columns(decided: DecidedComparison, numbered: Sequence[tuple[int, Compared]]) -> list[Column]:
    rows = [row for number, model in numbered for row in _rows(decided, number, model)]
    # The plain table has the same rows.
    plain = {column.name: column for column in comparison_columns(decided, numbered)}
    keys = {name: column.sort_keys for name, column in plain.items()}
    columns, place = [plain[SPEED]], 0
    for name, headers in HEADERS.items():
        letter = "l" if name in TEXTS else "r"
        looks = [Look(header, [row[place + n] for row in rows], letter) for n, header in enumerate(headers)]
        columns.append(Column(name, tuple(looks), keys=keys.get(name, ())))
        place += len(headers)
    return columns


def _rows(decided: DecidedComparison, number: int, model: Compared) -> list[list[str]]:
    comparison, rows = decided.comparison, []
    for metric in comparison.metrics:
        decision = decided.decisions[number][metric]
        figures = _figures(model, model.measured, metric, decision.p_adjusted)
        rows.append([model.label, comparison.label(metric), *figures, decision.verdict.value])
    if model.known is not None and (measure := comparison.known_measure) is not None:
        label = f"known {measure.label}"
        rows.append([model.label, label, *_figures(model, model.known, measure.name, None), ""])
    return rows


def _figures(model: Compared, measured: Measured, metric: str, p: float | None) -> list[str]:
    """Returns the cells from the baseline to p; p is None for a difference without a test."""
    base, current = measured.base.get(metric), measured.current.get(metric)
    evidence = measured.evidence.get(metric)
    cells = [
        _side(base, current, model.match.base),
        _side(current, base, model.match.current),
    ]
    if evidence is None:
        return [*cells, "", "", ""]
    stars = "" if p is None else next((stars for limit, stars in STARS if p < limit), "")
    interval = f"{signed(evidence.interval.low)} to {signed(evidence.interval.high)}"
    return [*cells, f"{signed(evidence.difference)}{stars}", interval, "" if p is None else p_value(p)]


def _side(level: Level | None, other: Level | None, group: TrialGroup | None) -> str:
    """Returns the mean of one side, in bold if it is the higher one."""
    if level is None:
        return NO_RANKS if group and group.done else ""
    text = with_sd(level.spread, 4)
    return Strong(text) if other is not None and level.spread.mean > other.spread.mean else text
