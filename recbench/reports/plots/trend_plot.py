"""The picture of a history: the trend of each model, with its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from recbench.errors import NothingToCompareError
from recbench.escaping.mathtext import mathtext
from recbench.evaluation.metric import Measure
from recbench.output_files import OutputFile
from recbench.reports.cells import signed
from recbench.reports.history_table import parameters_text, varying_names
from recbench.reports.plots.figures import new_figure, plain_text, save_figure
from recbench.reports.plots.styles import LIGHT, MARKERS, Style, style
from recbench.reports.spread import Spread
from recbench.reports.trend import Acceptance, Trend
from recbench.reports.trend_series import Identity
from recbench.reports.trend_steps import Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 10, 2.6
"""Of one trend, in inches."""

MOST_TICKS = 8
REVISION = 7
"""Digits of a revision below the axis."""
MOST_NAMED = 6
"""A longer legend would cover the lines."""


@dataclass(frozen=True, slots=True)
class _Point:
    """An acceptance in the picture, at its place among all of its panel."""

    position: int
    acceptance: Acceptance
    spread: Spread


@plain_text()
def draw_trends(trends: Sequence[Trend], steps: Sequence[Sequence[Step]], measure: Measure, output: OutputFile) -> Path:
    """Draws the mean of a metric over seeds, with its range: a panel for each trend, and a line for each of its series.

    A trend without the metric has no panel. A dashed line marks each step.

    Args:
        trends: The trends.
        steps: The steps of each.
        measure: The metric.
        output: The picture.

    Raises:
        RecbenchError: matplotlib is not installed, or the picture cannot be written.
        NothingToCompareError: No trend has the metric.
    """
    drawn = [pair for pair in zip(trends, steps, strict=True) if _known(pair[0], measure)]
    if not drawn:
        raise NothingToCompareError(
            f"No line of the history that is shown has {measure.label}.", "Choose another metric: --metrics"
        )
    figure = new_figure(WIDTH, 0.5 + HEIGHT * len(drawn))
    panels = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for number, (axes, (trend, trend_steps)) in enumerate(zip(panels, drawn, strict=True)):
        axes.set_title(mathtext(f"{trend.model} on {trend.task}"), loc="left")
        axes.set_ylabel(mathtext(measure.label))
        _draw(axes, trend, trend_steps, measure, number)
    return save_figure(figure, output)


def _draw(axes: "Axes", trend: Trend, steps: Sequence[Step], measure: Measure, number: int) -> None:
    known = _known(trend, measure)
    positions = {id(acceptance): position for position, (acceptance, _) in enumerate(known)}
    series: dict[Identity, list[_Point]] = {}
    for position, (acceptance, spread) in enumerate(known):
        series.setdefault(acceptance.series, []).append(_Point(position, acceptance, spread))
    for place, points in enumerate(series.values()):
        name = mathtext(_name(points, trend)) if len(series) > 1 else None
        _draw_series(axes, points, style(number + place), name, few=len(known) <= WIDTH * 10)
        of_series = [
            step for step in steps if id(step.after) in positions and step.after.series == points[0].acceptance.series
        ]
        _draw_steps(axes, points, of_series, positions)
    if 1 < len(series) <= MOST_NAMED:
        axes.legend(fontsize="small")
    ticks = sorted({round(tick * (len(known) - 1) / max(MOST_TICKS - 1, 1)) for tick in range(MOST_TICKS)})
    axes.set_xticks(ticks, [_tick(known[position][0]) for position in ticks])
    axes.tick_params(axis="x", labelsize="small")


def _known(trend: Trend, measure: Measure) -> list[tuple[Acceptance, Spread]]:
    return [
        (acceptance, spread)
        for acceptance in trend.acceptances
        if (spread := acceptance.figures[measure.name]) is not None
    ]


def _name(points: Sequence[_Point], trend: Trend) -> str:
    """Returns the label of a series; with its hyper-parameters if the label has several series."""
    first = points[0].acceptance
    of_label = {acceptance.series for acceptance in trend.acceptances if acceptance.label == first.label}
    return first.label if len(of_label) == 1 else f"{first.label}, {parameters_text(first, varying_names(trend))}"


def _draw_series(axes: "Axes", points: Sequence[_Point], look: Style, name: str | None, *, few: bool) -> None:
    spreads = [point.spread for point in points]
    marker = MARKERS[look.marker].matplotlib if few else ","
    axes.errorbar(
        [point.position for point in points],
        [spread.mean for spread in spreads],
        yerr=[
            [spread.mean - min(spread.values) for spread in spreads],
            [max(spread.values) - spread.mean for spread in spreads],
        ],
        fmt=f"{marker}-",
        color=LIGHT[look.colour],
        markersize=4,
        linewidth=1,
        elinewidth=0.8,
        label=name,
    )


def _draw_steps(axes: "Axes", points: Sequence[_Point], steps: Sequence[Step], positions: Mapping[int, int]) -> None:
    """Draws the mean of each segment of a series, and a line between the two points of each step."""
    places = {id(point.acceptance): place for place, point in enumerate(points)}
    bounds = [0, *(places[id(step.after)] for step in steps), len(points)]
    if steps:
        for start, end in pairwise(bounds):
            segment = points[start:end]
            level = fmean(point.spread.mean for point in segment)
            axes.plot([segment[0].position, segment[-1].position], [level, level], color="black", linewidth=1.5)
    for step in steps:
        after = positions[id(step.after)]
        # The points between the two have no figure, or are not shown.
        middle = (after + positions.get(id(step.before), after - 1)) / 2
        axes.axvline(middle, color="black", linestyle="--", linewidth=0.8)
        axes.annotate(
            signed(step.size, 3),
            (middle, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            verticalalignment="top",
            fontsize="small",
        )


def _tick(acceptance: Acceptance) -> str:
    when = f"{acceptance.accepted_at:%Y-%m-%d}"
    return f"{when}\n{mathtext(acceptance.sha[:REVISION])}" if acceptance.sha else when
