"""Learning curves against the seconds of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from recbench.counted import counted
from recbench.records.schema import CurvePoint
from recbench.reports.html.charts.frame import FRAMES, Frame, axes
from recbench.reports.html.charts.labels import beside, box_between, dense
from recbench.reports.html.charts.scales import scale
from recbench.reports.html.charts.svg import Chart, Figure, Mark, Path, polyline
from recbench.reports.plots.short_labels import short_labels
from recbench.reports.plots.styles import Style
from recbench.reports.seconds import seconds_text

SHOWN_BELOW = 3
"""How many times the range of the final values is shown below them; what models did before is cut off."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The learning curve of one configuration, its seeds averaged.

    Attributes:
        name: The configuration.
        style: How it is drawn.
        points: Seconds of training and the metric, by epoch.
    """

    name: str
    style: Style
    points: tuple[tuple[float, float], ...]

    @property
    def final(self) -> float:
        """The metric of the trained models."""
        return self.points[-1][1]


def mean_curve(curves: Sequence[Sequence[CurvePoint]], metric: str) -> tuple[tuple[float, float], ...]:
    """Averages the curves of the seeds: at the epochs that all of them have, and at the end of each training.

    Args:
        curves: The curve of each seed; the last point is that of the trained model.
        metric: Such as ``hr@10``.

    Returns:
        Seconds and the metric, by epoch. Trainings may end at different epochs; the last point is the mean of the ends.
        Nothing if one of them lacks the metric at its end.
    """
    ends = [curve[-1] for curve in curves]
    if not all(metric in end.metrics for end in ends):
        return ()
    by_epoch: dict[int, list[CurvePoint]] = {}
    for curve in curves:
        for point in curve:
            if metric in point.metrics:
                by_epoch.setdefault(point.epoch, []).append(point)
    of_all = [points for _, points in sorted(by_epoch.items()) if len(points) == len(curves)]
    if len({end.epoch for end in ends}) > 1:
        of_all.append(ends)
    return tuple(
        (fmean(point.fit_seconds for point in points), fmean(point.metrics[metric] for point in points))
        for points in of_all
    )


def curves_figure(name: str, curves: Sequence[LearningCurve], label: str) -> Figure | None:
    """Draws a line for each configuration.

    Args:
        name: The figure's identifier in the page.
        curves: The configurations with a curve, the best first.
        label: The metric, such as ``HR@10``.

    Returns:
        The figure; None without curves.
    """
    if not curves:
        return None
    drawn = [_chart(frame, curves, label) for frame in FRAMES]
    notes = []
    unlabelled = max(missing for _, missing in drawn)
    if unlabelled:
        notes.append(
            f"No room for the labels of {counted(unlabelled, 'line')}: hover over the end of a line to read its name."
        )
    finals = "; ".join(
        f"{curve.name}: {curve.final:.4f} after {seconds_text(curve.points[-1][0])} s" for curve in curves
    )
    return Figure(
        name, f"{label} during training", f"Final values: {finals}.", tuple(c for c, _ in drawn), tuple(notes)
    )


def _chart(frame: Frame, curves: Sequence[LearningCurve], label: str) -> tuple[Chart, int]:
    seconds = [point[0] for curve in curves for point in curve.points]
    finals = [curve.final for curve in curves]
    values = [point[1] for curve in curves for point in curve.points]
    top, weakest = max(values), min(finals)
    # At least half of the way up, also where all models end alike.
    lowest = max(min(values), weakest - max(SHOWN_BELOW * (top - weakest), (weakest - min(values)) / 2))
    x = scale(min(seconds), max(seconds), frame.left, frame.right, logarithmic=True, margin=0.05)
    y = scale(lowest, top, frame.bottom, frame.top)
    paths, texts = axes(frame, x, y, "seconds of training", label)
    marks, spots, taken = [], [], []
    for curve in curves:
        line = _within([(x.at(second), y.at(value)) for second, value in curve.points], frame.bottom)
        paths.append(Path(polyline(line), f"curve c{curve.style.colour}"))
        marks.append(Mark(*line[-1], curve.style, f"{curve.name}: {curve.final:.4f}"))
        spots.append(line[-1])
        taken += [box_between(*at, *at, 3) for at in dense(line)]
    labels = short_labels([curve.name for curve in curves], frame.label_characters)
    taken += [box_between(*at, *at, 7) for at in spots]
    named, leaders, missing = beside(spots, labels, frame.font, taken, frame.area)
    return Chart(frame.width, frame.height, (*paths, *leaders), tuple(marks), (*texts, *named)), missing


def _within(line: Sequence[tuple[float, float]], bottom: float) -> list[tuple[float, float]]:
    """Returns a line that enters at the lower edge; later places below the edge are moved to it."""
    first = next((number for number, (_, y) in enumerate(line) if y <= bottom), len(line) - 1)
    if first == 0:
        entry = line[0]
    else:
        (x1, y1), (x2, y2) = line[first - 1], line[first]
        share = (y1 - bottom) / (y1 - y2) if y1 != y2 else 1.0
        entry = (x1 + share * (x2 - x1), bottom)
    return [entry, *((x, min(y, bottom)) for x, y in line[max(first, 1) :])]
