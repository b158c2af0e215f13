"""The table of a comment: the changed models, in rows that fit the column of a pull request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recbench.reports.cells import NO_FIGURE, Strong, escape, signed
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.evidence import Level
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.compare.headline import WORST_FIRST
from recbench.reports.compare.short_fits import has_short_fit
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import Format
from recbench.reports.rendering import render_table
from recbench.reports.short_figures import short_difference

MOST_WIDTH = 100
"""Characters of a row."""
AROUND_HEAD = 2
"""Characters by which tabulate makes a column wider than its head."""
LEAST_NAME, FAIR_NAME, MOST_NAME = 12, 20, 40
"""Characters to which the name of a model may be cut: at worst, for the sake of spread and speed, and always."""
BOLD = (Verdict.REGRESSED, Verdict.FAILED, Verdict.MISSING)
ELLIPSIS = "\u2026"
AROUND_CELL = len("|  ")
"""Characters of a row in Markdown beside its cells: three a cell, and one at the end."""


@dataclass(frozen=True, slots=True)
class ChangedFigures:
    """A table as text.

    Attributes:
        text: The table.
        notes: The full names that it cuts.
    """

    text: str
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Row:
    model: Compared
    metric: str
    label: str
    verdict: Verdict
    is_accepted: bool


_Cell = Callable[[_Row], str]
_Layout = tuple[tuple[str, str, _Cell], ...]
"""Head, alignment and cell of each column but the first."""


def changed_figures(decided: DecidedComparison, models: Sequence[Compared], form: Format) -> ChangedFigures:
    """Renders models, the worst first: with as many figures as fit ``MOST_WIDTH`` characters.

    Spread over seeds and speed are left out first, and the interval last. Names are cut in the middle.

    Args:
        decided: The comparison and its verdicts.
        models: Some of its models, all of one task.
        form: Markdown or HTML.
    """
    rows = _rows(decided, models)
    names = list(dict.fromkeys(row.model.label for row in rows))
    longest = max(len(escape(name, form)) for name in names)
    rooms = [(layout, _room(layout, rows, form), least) for layout, least in _layouts()]
    layout, size, _ = next((room for room in rooms if room[1] >= min(longest, room[2])), rooms[-1])
    short = _shortened(names, min(max(size, LEAST_NAME), MOST_NAME), form)
    cells = [[short[row.model.label], *(cell(row) for _, _, cell in layout)] for row in rows]
    headers = ["model", *(head for head, _, _ in layout)]
    alignment = "l" + "".join(letter for _, letter, _ in layout)
    notes = [f"{cut}: {name}" for name, cut in short.items() if cut != name]
    return ChangedFigures(render_table(cells, headers, alignment, form), notes)


def _rows(decided: DecidedComparison, models: Sequence[Compared]) -> list[_Row]:
    rows = [
        _Row(model, metric, decided.comparison.label(metric), decision.verdict, (model, metric) in decided.accepted)
        for model, metric, decision in decided.cells()
        if model in models
    ]
    worst = {model: min(WORST_FIRST.index(row.verdict) for row in rows if row.model is model) for model in models}
    return sorted(rows, key=lambda row: worst[row.model])


def _layouts() -> tuple[tuple[_Layout, int], ...]:
    """Returns the columns after the name, with the most figures first, and the room that a name must have then."""
    metric = ("metric", "l", lambda row: row.label)
    speed = ("speed", "r", _speed)
    verdict = ("verdict", "l", _verdict)
    with_sd = (("baseline", "r", _spread("base")), ("current", "r", _spread("current")))
    means = (("baseline", "r", _mean("base")), ("current", "r", _mean("current")))
    difference = ("difference [95 %]", "r", _difference)
    short = ("difference [95 %]", "r", _short_difference)
    alone = ("difference", "r", lambda row: _short_difference(row).partition(" ")[0])
    return (
        ((metric, *with_sd, difference, speed, verdict), FAIR_NAME),
        ((metric, *with_sd, difference, verdict), FAIR_NAME),
        ((metric, *means, difference, speed, verdict), FAIR_NAME),
        ((metric, *means, difference, verdict), LEAST_NAME),
        ((metric, *means, short, verdict), LEAST_NAME),
        ((metric, *means, alone, verdict), LEAST_NAME),
    )


def _room(layout: _Layout, rows: Sequence[_Row], form: Format) -> int:
    """Returns the characters that are left for names."""
    widths = [
        max(len(head) + AROUND_HEAD, *(len(_marked(escape(cell(row), form), cell(row))) for row in rows))
        for head, _, cell in layout
    ]
    return MOST_WIDTH - sum(widths) - AROUND_CELL * (len(widths) + 1) - 1


def _marked(escaped: str, cell: str) -> str:
    return f"**{escaped}**" if isinstance(cell, Strong) else escaped


def _shortened(names: Sequence[str], size: int, form: Format) -> dict[str, str]:
    """Returns the names as they fit; no two of them become the same."""
    short_names: dict[str, str] = {}
    for name in names:
        short = _cut(name, size, form)
        number = 1
        while short in short_names.values():
            number += 1
            ending = f"{ELLIPSIS}{number}"
            short = _cut(name, size - len(ending), form) + ending
        short_names[name] = short
    return short_names


def _cut(name: str, size: int, form: Format) -> str:
    kept = len(name)
    short = name
    while len(escape(short, form)) > size and kept > 2:
        kept -= 1
        start = kept // 2
        short = f"{name[:start]}{ELLIPSIS}{name[len(name) - (kept - 1 - start) :]}"
    return short


def _level(row: _Row, side: str) -> Level | None:
    measured = row.model.measured
    return (measured.base if side == "base" else measured.current).get(row.metric)


def _spread(side: str) -> _Cell:
    def cell(row: _Row) -> str:
        level = _level(row, side)
        if level is None:
            return ""
        return f"{level.spread.mean:.3f}" + ("" if level.spread.sd is None else f" ± {level.spread.sd:.3f}")

    return cell


def _mean(side: str) -> _Cell:
    return lambda row: "" if (level := _level(row, side)) is None else f"{level.spread.mean:.4f}"


def _difference(row: _Row) -> str:
    evidence = row.model.measured.evidence.get(row.metric)
    if evidence is None:
        return ""
    return f"{signed(evidence.difference)} [{signed(evidence.interval.low)}, {signed(evidence.interval.high)}]"


def _short_difference(row: _Row) -> str:
    evidence = row.model.measured.evidence.get(row.metric)
    if evidence is None:
        return ""
    low, high = short_difference(evidence.interval.low), short_difference(evidence.interval.high)
    return f"{short_difference(evidence.difference)} [{low}, {high}]"


def _speed(row: _Row) -> str:
    ratio = None if row.model.obstacle else row.model.throughput_ratio
    if ratio is None:
        return ""
    return NO_FIGURE if has_short_fit(row.model) else f"{ratio:.2f}x"


def _verdict(row: _Row) -> str:
    if row.is_accepted:
        return f"{row.verdict}, accepted"
    return Strong(row.verdict) if row.verdict in BOLD else row.verdict.value
