"""The columns of a comparison, with one line a model and metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recbench.records.grouping import TrialGroup
from recbench.reports.cells import NO_FIGURE, NO_RANKS, signed, with_sd
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.evidence import Level, Measured
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.compare.headline import WORST_FIRST
from recbench.reports.compare.short_fits import has_short_fit
from recbench.reports.compare.verdict import Verdict
from recbench.reports.short_figures import short_difference, short_figure

MODEL, METRIC, BASELINE, CURRENT, DIFFERENCE, SPEED, VERDICT = COMPARISON_COLUMNS = (
    "model", "metric", "baseline", "current", "difference", "speed", "verdict",
)  # fmt: skip
# In a table that is too wide, looks of a lower rank get room first: the difference before the whole word of a verdict.
_RANKS: Final = {VERDICT: 1, METRIC: 2, DIFFERENCE: 3, CURRENT: 7, BASELINE: 8, SPEED: 9}
_VERDICT_RANK, _HEADER_RANK, _INTERVAL_RANK = 4, 5, 6
_SHORT: Final = {"inconclusive": "inconcl.", "not comparable": "not comp."}
"""Verdicts for a narrow terminal; the lines around the table name them in full."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A model by one measure.

    Attributes:
        model: The model.
        label: What the measure is called.
        metric: Its name.
        measured: The figures.
        verdict: None for figures that nothing is decided by.
        is_accepted: Whether a regression was declared as intended.
    """

    model: Compared
    label: str
    metric: str
    measured: Measured
    verdict: Verdict | None
    is_accepted: bool = False

    @property
    def verdict_text(self) -> str:
        """The verdict with its mark."""
        marked = self.verdict.marked if self.verdict else ""
        return f"{marked}, accepted" if self.is_accepted else marked

    @property
    def short_verdict(self) -> str:
        """The verdict for a narrow terminal."""
        return _shortened(self.verdict_text)


def _shortened(text: str) -> str:
    for word, short in _SHORT.items():
        text = text.replace(word, short)
    return text


def comparison_columns(decided: DecidedComparison, models: Sequence[tuple[int, Compared]]) -> list[Column]:
    """Returns the columns of the models of one task.

    Args:
        decided: The comparison and its verdicts.
        models: These models, each with its number in the comparison.
    """
    rows = [row for number, model in models for row in _rows(decided, number, model)]
    evidence = [row.measured.evidence.get(row.metric) for row in rows]
    wide = [
        f"{signed(difference.difference)} ({signed(difference.interval.low)} to {signed(difference.interval.high)})"
        if difference
        else ""
        for difference in evidence
    ]
    alone = [short_difference(difference.difference) if difference else "" for difference in evidence]
    both = [
        f"{text} [{short_difference(difference.interval.low)}, {short_difference(difference.interval.high)}]"
        if difference
        else ""
        for text, difference in zip(alone, evidence, strict=True)
    ]
    speeds = [_speed(row.model) if row.verdict else None for row in rows]
    speed_cells = [
        "" if speed is None else NO_FIGURE if has_short_fit(row.model) else f"{speed:.2f}x"
        for row, speed in zip(rows, speeds, strict=True)
    ]
    return [
        text_column(MODEL, [row.model.label for row in rows], cut=Cut.MIDDLE),
        text_column(METRIC, [row.label for row in rows], rank=_RANKS[METRIC]),
        _level_column(BASELINE, [(row.measured.base.get(row.metric), row.model.match.base) for row in rows]),
        _level_column(CURRENT, [(row.measured.current.get(row.metric), row.model.match.current) for row in rows]),
        Column(
            DIFFERENCE,
            (Look("difference (95 %)", wide),),
            (
                Look("difference [95 %]", both, rank=_INTERVAL_RANK),
                Look(DIFFERENCE, alone, rank=_HEADER_RANK),
                Look("diff.", alone, rank=_RANKS[DIFFERENCE]),
            ),
            [None if difference is None else -difference.difference for difference in evidence],
        ),
        Column(
            SPEED,
            (Look(SPEED, speed_cells, rank=_RANKS[SPEED]),),
            keys=[
                None if speed is None or has_short_fit(row.model) else -speed
                for row, speed in zip(rows, speeds, strict=True)
            ],
            only_if_asked=set(speed_cells) <= {"", NO_FIGURE},
            only_beside=(DIFFERENCE, CURRENT),
        ),
        Column(
            VERDICT,
            (Look(VERDICT, [row.verdict_text for row in rows], "l", _VERDICT_RANK),),
            (
                Look(VERDICT, [row.verdict_text for row in rows], "l", _VERDICT_RANK),
                Look(VERDICT, [row.short_verdict for row in rows], "l", _RANKS[VERDICT]),
            ),
            keys=[WORST_FIRST.index(row.verdict) if row.verdict else None for row in rows],
        ),
    ]


def _rows(decided: DecidedComparison, number: int, model: Compared) -> list[_Row]:
    comparison = decided.comparison
    rows = [
        _Row(
            model,
            comparison.label(metric),
            metric,
            model.measured,
            decided.decisions[number][metric].verdict,
            (model, metric) in decided.accepted,
        )
        for metric in comparison.metrics
    ]
    measure = comparison.known_measure
    if model.known is not None and measure is not None:
        rows.append(_Row(model, f"known {measure.label}", measure.name, model.known, None))
    return rows


def _level_cell(level: Level | None, side: TrialGroup | None) -> str:
    """Returns the mean of one side; a dash where its records lack the ranks."""
    return NO_RANKS if level is None and side and side.done else with_sd(level.spread if level else None, 4)


def _level_column(name: str, levels: Sequence[tuple[Level | None, TrialGroup | None]]) -> Column:
    """Returns the column of the means of one side."""
    wide = [_level_cell(level, side) for level, side in levels]
    narrow = [short_figure(level.spread.mean) if level else text for (level, _), text in zip(levels, wide, strict=True)]
    keys = [-level.spread.mean if level else None for level, _ in levels]
    return Column(name, (Look(name, wide),), (Look(name, narrow, rank=_RANKS[name]),), keys)


def _speed(model: Compared) -> float | None:
    """Returns the throughput of CURRENT over that of BASE, if the model can be compared."""
    return None if model.obstacle else model.throughput_ratio
