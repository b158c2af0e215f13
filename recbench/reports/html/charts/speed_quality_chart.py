"""Quality against training time, with the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.counted import counted
from recbench.reports.html.charts.frame import FRAMES, Frame, axes
from recbench.reports.html.charts.labels import beside, box_between, dense
from recbench.reports.html.charts.scales import Scale, scale
from recbench.reports.html.charts.svg import Chart, Figure, Mark, Path, polyline
from recbench.reports.plots.focus import outside
from recbench.reports.plots.pareto import pareto_front
from recbench.reports.plots.short_labels import short_labels
from recbench.reports.plots.speed_quality import QualityPoint
from recbench.reports.plots.styles import Style
from recbench.reports.seconds import seconds_text

MARK_SIZE = 7


@dataclass(frozen=True, slots=True)
class StyledPoint:
    """A configuration in the chart.

    Attributes:
        point: Its figures.
        style: How it is drawn.
    """

    point: QualityPoint
    style: Style

    @property
    def text(self) -> str:
        """Its figures as text."""
        point = self.point
        between = f" [{point.interval.low:.4f}, {point.interval.high:.4f}]" if point.interval else ""
        return f"{point.label}: {point.quality.mean:.4f}{between}, {seconds_text(point.cost.mean)} s"


BARS = "Vertical bars: 95 % confidence interval over users. Horizontal bars: range over seeds."


def speed_quality_figure(name: str, points: Sequence[StyledPoint], quality: str, bars: str = BARS) -> Figure | None:
    """Draws a point for each configuration: the interval of its quality upright, the range of its cost level.

    Args:
        name: The figure's identifier in the page.
        points: The configurations, the best first.
        quality: What the quality is called.
        bars: What the bars are, in words.

    Returns:
        The figure; None without points.
    """
    if not points:
        return None
    hidden = outside([point.point.extent for point in points])
    shown = [point for number, point in enumerate(points) if number not in hidden]
    front = [
        points[number]
        for number in pareto_front([(point.point.cost.mean, point.point.quality.mean) for point in points])
    ]
    drawn = [_chart(frame, shown, [point for point in front if point in shown], quality) for frame in FRAMES]
    notes = [f"Outside of the chart: {'; '.join(points[number].text for number in sorted(hidden))}."] if hidden else []
    unlabelled = max(missing for _, missing in drawn)
    if unlabelled:
        notes.append(f"No room for the labels of {counted(unlabelled, 'point')}: hover over a point to read its name.")
    names = ", ".join(point.point.label for point in front)
    return Figure(
        name,
        f"{quality} against training time",
        f"Pareto front, from the fastest to the best: {names}. No other model is both faster and better than these. "
        f"{bars}",
        tuple(chart for chart, _ in drawn),
        tuple(notes),
    )


def _chart(
    frame: Frame, points: Sequence[StyledPoint], front: Sequence[StyledPoint], quality: str
) -> tuple[Chart, int]:
    extents = [point.point.extent for point in points]
    left, right = min(extent.left for extent in extents), max(extent.right for extent in extents)
    x = scale(left, right, frame.left, frame.right, logarithmic=True, margin=0.08)
    y = scale(min(extent.low for extent in extents), max(extent.high for extent in extents), frame.bottom, frame.top)
    paths, texts = axes(frame, x, y, "training time in seconds (less is better)", f"{quality} (more is better)")
    marks, spots, taken = [], [], []
    for point, extent in zip(points, extents, strict=True):
        at = x.at(point.point.cost.mean), y.at(point.point.quality.mean)
        left, right, low, high = x.at(extent.left), x.at(extent.right), y.at(extent.low), y.at(extent.high)
        bars = polyline([(left, at[1]), (right, at[1])]) + polyline([(at[0], low), (at[0], high)])
        paths.append(Path(bars, f"bar c{point.style.colour}"))
        marks.append(Mark(*at, point.style, point.text))
        spots.append(at)
        taken += [box_between(left, at[1], right, at[1], MARK_SIZE), box_between(at[0], low, at[0], high, MARK_SIZE)]
    if front:
        steps = _staircase(frame, x, y, front)
        paths.append(Path(polyline(steps), "front"))
        taken += [box_between(*place, *place, 2) for place in dense(steps)]
    labels = short_labels([point.point.label for point in points], frame.label_characters)
    named, leaders, missing = beside(spots, labels, frame.font, taken, frame.area)
    return Chart(frame.width, frame.height, (*paths, *leaders), tuple(marks), (*texts, *named)), missing


def _staircase(frame: Frame, x: Scale, y: Scale, front: Sequence[StyledPoint]) -> list[tuple[float, float]]:
    """Returns the line below which every place is beaten by a model on the front."""
    line: list[tuple[float, float]] = []
    for point in front:
        at = x.at(point.point.cost.mean), y.at(point.point.quality.mean)
        if line:
            line.append((at[0], line[-1][1]))
        line.append(at)
    return [*line, (frame.right, line[-1][1])]
