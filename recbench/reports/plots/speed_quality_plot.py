"""The picture of quality against speed."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from recbench.escaping.mathtext import mathtext
from recbench.output_files import OutputFile
from recbench.reports.plots.figures import new_figure, plain_text, reach, save_figure
from recbench.reports.plots.focus import outside
from recbench.reports.plots.label_placement import NEAREST, Box, nearest_of, place_labels
from recbench.reports.plots.short_labels import short_labels
from recbench.reports.plots.speed_quality import QualityPoint, SpeedQuality
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.plots.styles import LIGHT, MARKERS, style
from recbench.reports.seconds import seconds_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = {Cost.THROUGHPUT: "interactions/s (faster is right)", Cost.FIT_SECONDS: "training time, s (faster is left)"}
NARROWEST_RANGE = 1.01
"""The highest cost over the lowest; below, models count as equally fast."""
LABEL_CHARACTERS = 40
"""The most characters of a label: the middle of a longer one is left out."""
NOTE_CHARACTERS = 110
"""The most characters of a line below the picture."""
MARKER = 8
"""Pixels from the middle of a point, or of a bar, to where a label may begin."""
LINE_FROM = 2 * NEAREST
"""A label farther away than this is joined to its point by a line."""


@plain_text()
def draw_speed_quality(content: SpeedQuality, output: OutputFile) -> Path:
    """Draws a point for each configuration: the interval over users upright, the range over seeds level.

    Raises:
        RecbenchError: matplotlib is not installed, or the picture cannot be written.
    """
    return save_figure(picture(content), output)


@plain_text()
def picture(content: SpeedQuality) -> "Figure":
    """Returns the picture; its labels are the texts of its axes."""
    hidden = outside([point.extent for point in content.points])
    figure = new_figure(9, 6)
    axes = figure.subplots()
    drawn = {number: point for number, point in enumerate(content.points) if number not in hidden}
    axes.set_xscale("log")
    extents = [point.extent for point in drawn.values()]
    left, right = min(extent.left for extent in extents), max(extent.right for extent in extents)
    if right < left * NARROWEST_RANGE:
        # Matplotlib finds no limits for numbers that are nearly the same. Set before it looks for them.
        axes.set_xlim(left / 2, right * 2)
    for number, point in drawn.items():
        x, y, extent = point.cost.mean, point.quality.mean, point.extent
        upright = [[length] for length in reach(y, extent.low, extent.high)]
        level = [[length] for length in reach(x, extent.left, extent.right)]
        marker = MARKERS[style(number).marker].matplotlib
        axes.errorbar(x, y, yerr=upright, xerr=level, fmt=marker, ms=8, capsize=3, color=LIGHT[style(number).colour])
    axes.margins(x=0.15, y=0.12)
    axes.grid(alpha=0.3)
    notes = [_outside(content.points[number], content.axis) for number in sorted(hidden)]
    below = wrap(f"Outside of the picture: {'; '.join(notes)}", NOTE_CHARACTERS) if notes else []
    axes.set(
        xlabel="\n".join([AXES[content.axis], *below]),
        ylabel=f"{mathtext(content.measure.label)}, 95 % over users",
        title=mathtext(content.task),
    )
    # Labels are placed when the axes have their final place.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    _label(axes, list(drawn.values()))
    return figure


def _outside(point: QualityPoint, axis: Cost) -> str:
    """Returns the figures of a point that is not drawn."""
    cost = f"{point.cost.mean:,.0f} interactions/s" if axis is Cost.THROUGHPUT else f"{seconds_text(point.cost.mean)} s"
    return f"{mathtext(short_labels([point.label], LABEL_CHARACTERS)[0])} ({point.quality.mean:.4f}, {cost})"


def _label(axes: "Axes", points: Sequence[QualityPoint]) -> None:
    """Places the labels by pixels, and states their places in data: files of other kinds have other pixels."""
    texts = [
        axes.text(point.cost.mean, point.quality.mean, mathtext(label), va="bottom", ha="left")
        for point, label in zip(points, short_labels([point.label for point in points], LABEL_CHARACTERS), strict=True)
    ]
    sizes = [(box.width, box.height) for box in (text.get_window_extent() for text in texts)]
    spots = [_to_pixels(axes, point.cost.mean, point.quality.mean) for point in points]
    taken = []
    for point, (x, y) in zip(points, spots, strict=True):
        extent = point.extent
        (left, low), (right, high) = (
            _to_pixels(axes, extent.left, extent.low), _to_pixels(axes, extent.right, extent.high)
        )  # fmt: skip
        taken += [Box(left, y, right, y).grown(MARKER), Box(x, low, x, high).grown(MARKER)]
    area = Box(*axes.bbox.extents)
    for text, spot, box in zip(texts, spots, place_labels(spots, sizes, taken, area), strict=True):
        if box is None:
            # It would cover another label or a point.
            text.remove()
            continue
        text.set_position(_to_data(axes, box.left, box.bottom))
        near = nearest_of(spot, box)
        if max(abs(near[0] - spot[0]), abs(near[1] - spot[1])) > LINE_FROM:
            ends = zip(_to_data(axes, *near), _to_data(axes, *spot), strict=True)
            axes.plot(*map(list, ends), color="0.4", lw=0.6, scalex=False, scaley=False)


def _to_pixels(axes: "Axes", x: float, y: float) -> tuple[float, float]:
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _to_data(axes: "Axes", across: float, up: float) -> tuple[float, float]:
    x, y = axes.transData.inverted().transform((across, up))
    return float(x), float(y)
