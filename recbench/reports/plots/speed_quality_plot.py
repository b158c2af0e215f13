"""The picture of quality against speed."""

from pathlib import Path
from typing import TYPE_CHECKING

from recbench.escaping.mathtext import mathtext
from recbench.output_files import OutputFile
from recbench.reports.plots.figures import new_figure, plain_text, reach, save_figure
from recbench.reports.plots.label_placement import NEAREST, Box, nearest_of, place_labels
from recbench.reports.plots.speed_quality import QualityPoint, SpeedQuality
from recbench.reports.plots.speed_quality_axes import Cost

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = {Cost.THROUGHPUT: "interactions/s (faster is right)", Cost.FIT_SECONDS: "fit seconds (faster is left)"}
LABEL_CHARACTERS = 100
"""The most characters of a label: a longer one covers the picture."""
MARKER = 7
"""Pixels from the middle of a point, or of a bar, to where a label may begin."""
LINE_FROM = 2 * NEAREST
"""A label farther away than this is joined to its point by a line."""


@plain_text()
def draw_speed_quality(found: SpeedQuality, output: OutputFile) -> Path:
    """Draws a point for each configuration: the interval over users upright, the range over seeds level.

    Raises:
        RecbenchError: matplotlib is not installed, or the picture cannot be written.
    """
    return save_figure(picture(found), output)


@plain_text()
def picture(found: SpeedQuality) -> "Figure":
    """Returns the picture; its labels are the texts of its axes."""
    figure = new_figure(9, 6)
    axes = figure.subplots()
    for number, point in enumerate(found.points):
        x, y = point.cost.mean, point.quality.mean
        left, low, right, high = _bars(point)
        upright, level = ([[one] for one in reach(*bar)] for bar in ((y, low, high), (x, left, right)))
        axes.errorbar(x, y, yerr=upright, xerr=level, fmt="o", capsize=3, color=_colour(number))
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.12)
    axes.grid(alpha=0.3)
    axes.set(
        xlabel=AXES[found.axis], ylabel=f"{mathtext(found.measure.label)}, 95 % over users", title=mathtext(found.task)
    )
    # Labels are placed when the axes have their final place.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    _label(axes, found)
    return figure


def _label(axes: "Axes", found: SpeedQuality) -> None:
    """Places the labels by pixels, and states their places in data: files of other kinds have other pixels."""
    texts = [
        axes.text(
            point.cost.mean,
            point.quality.mean,
            mathtext(point.label, LABEL_CHARACTERS),
            color=_colour(number),
            va="bottom",
            ha="left",
        )
        for number, point in enumerate(found.points)
    ]
    sizes = [(box.width, box.height) for box in (text.get_window_extent() for text in texts)]
    spots = [_to_pixels(axes, point.cost.mean, point.quality.mean) for point in found.points]
    taken = []
    for point, (x, y) in zip(found.points, spots, strict=True):
        left, low, right, high = _bars(point)
        (left, low), (right, high) = _to_pixels(axes, left, low), _to_pixels(axes, right, high)
        taken += [Box(left, y, right, y).grown(MARKER), Box(x, low, x, high).grown(MARKER)]
    area = Box(*axes.bbox.extents)
    for text, spot, box in zip(texts, spots, place_labels(spots, sizes, taken, area), strict=True):
        text.set_position(_to_data(axes, box.left, box.bottom))
        near = nearest_of(spot, box)
        if max(abs(near[0] - spot[0]), abs(near[1] - spot[1])) > LINE_FROM:
            ends = zip(_to_data(axes, *near), _to_data(axes, *spot), strict=True)
            axes.plot(*map(list, ends), color=text.get_color(), lw=0.6, scalex=False, scaley=False)


def _bars(point: QualityPoint) -> tuple[float, float, float, float]:
    """Returns where the point's bars end: left, low, right, high."""
    y = point.quality.mean
    low, high = (point.interval.low, point.interval.high) if point.interval else (y, y)
    return min(point.cost.values), low, max(point.cost.values), high


def _to_pixels(axes: "Axes", x: float, y: float) -> tuple[float, float]:
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _to_data(axes: "Axes", across: float, up: float) -> tuple[float, float]:
    x, y = axes.transData.inverted().transform((across, up))
    return float(x), float(y)


def _colour(number: int) -> str:
    return f"C{number % 10}"
