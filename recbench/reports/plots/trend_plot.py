"""The picture of a history: the trend of each model, with its steps."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.escaping.mathtext import mathtext
from recbench.evaluation.metric import Measure
from recbench.output_files import OutputFile
from recbench.reports.plots.figures import new_figure, plain_text, save_figure
from recbench.reports.plots.styles import LIGHT, MARKERS, style
from recbench.reports.spread import Spread
from recbench.reports.trend import Acceptance, Trend
from recbench.reports.trend_steps import Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 10, 2.6
"""Of one trend, in inches."""

MOST_TICKS = 8
REVISION = 7
"""Digits of a revision below the axis."""


@plain_text()
def draw_trends(trends: Sequence[Trend], steps: Sequence[Sequence[Step]], measure: Measure, output: OutputFile) -> Path:
    """Draws the mean of a metric over seeds, with its range, one panel a trend; a line marks each step.

    Args:
        trends: The trends.
        steps: The steps of each.
        measure: The metric.
        output: The picture.

    Raises:
        RecbenchError: matplotlib is not installed, or the picture cannot be written.
    """
    figure = new_figure(WIDTH, 0.5 + HEIGHT * len(trends))
    panels = figure.subplots(len(trends), 1, squeeze=False)[:, 0]
    for number, (axes, trend, trend_steps) in enumerate(zip(panels, trends, steps, strict=True)):
        axes.set_title(mathtext(f"{trend.model} on {trend.task}"), loc="left")
        axes.set_ylabel(mathtext(measure.label))
        _draw(axes, trend, trend_steps, measure, number)
    return save_figure(figure, output)


def _draw(axes: "Axes", trend: Trend, steps: Sequence[Step], measure: Measure, number: int) -> None:
    known = [
        (acceptance, spread)
        for acceptance in trend.acceptances
        if (spread := acceptance.figures[measure.name]) is not None
    ]
    if not known:
        return
    look, at = style(number), range(len(known))
    low = [spread.mean - min(spread.values) for _, spread in known]
    high = [max(spread.values) - spread.mean for _, spread in known]
    marker = MARKERS[look.marker].matplotlib if len(known) <= WIDTH * 10 else ","
    axes.errorbar(
        at,
        [spread.mean for _, spread in known],
        yerr=[low, high],
        fmt=f"{marker}-",
        color=LIGHT[look.colour],
        markersize=4,
        linewidth=1,
        elinewidth=0.8,
    )
    positions = {id(acceptance): position for position, (acceptance, _) in enumerate(known)}
    _draw_steps(axes, known, [step for step in steps if id(step.after) in positions], positions)
    ticks = sorted({round(tick * (len(known) - 1) / max(MOST_TICKS - 1, 1)) for tick in range(MOST_TICKS)})
    axes.set_xticks(ticks, [_tick(known[position][0]) for position in ticks])
    axes.tick_params(axis="x", labelsize="small")


def _draw_steps(
    axes: "Axes",
    known: Sequence[tuple[Acceptance, Spread]],
    steps: Sequence[Step],
    positions: Mapping[int, int],
) -> None:
    """Draws the mean of each segment, and a line between the two points of each step."""
    bounds = [0, *(positions[id(step.after)] for step in steps), len(known)]
    if steps:
        for start, end in pairwise(bounds):
            means = [spread.mean for _, spread in known[start:end]]
            level = sum(means) / len(means)
            axes.plot([start, end - 1], [level, level], color="black", linewidth=1.5)
    for step in steps:
        after = positions[id(step.after)]
        # The points between the two have no figure, or are not shown.
        middle = (after + positions.get(id(step.before), after - 1)) / 2
        axes.axvline(middle, color="black", linestyle="--", linewidth=0.8)
        axes.annotate(
            f"{step.size:+.3f}",
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
