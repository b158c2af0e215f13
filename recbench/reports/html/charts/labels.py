"""Labels beside the points of a chart, which overlap neither each other nor what is drawn."""

from collections.abc import Sequence
from itertools import pairwise

from recbench.reports.html.charts.svg import Path, Text, polyline
from recbench.reports.html.charts.text_width import text_width
from recbench.reports.plots.label_placement import NEAREST, Box, nearest_of, place_labels

LINE_FROM = 2 * NEAREST
"""A label farther away than this is joined to its point by a line."""
DESCENT = 0.22
"""The part of a font's size below the base line."""


def box_between(x1: float, y1: float, x2: float, y2: float, margin: float) -> Box:
    """Returns the box around two places in pixels, whose y grows downwards, for ``beside``."""
    return Box(min(x1, x2), -max(y1, y2), max(x1, x2), -min(y1, y2)).grown(margin)


def beside(
    points: Sequence[tuple[float, float]], labels: Sequence[str], size: float, taken: Sequence[Box], area: Box
) -> tuple[list[Text], list[Path], int]:
    """Places labels.

    Args:
        points: What each label names, in pixels.
        labels: The texts; the first get the best places.
        size: Size of the font in pixels.
        taken: Where no label may be; see ``box_between``.
        area: Where labels must stay; see ``box_between``.

    Returns:
        The labels; lines from labels to points that are far away; and how many labels found no place.
    """
    flipped = [(x, -y) for x, y in points]
    sizes = [(text_width(label, size), size) for label in labels]
    boxes = place_labels(flipped, sizes, taken, area)
    texts, lines = [], []
    for point, label, box in zip(flipped, labels, boxes, strict=True):
        if box is None:
            continue
        texts.append(
            Text(box.left, -box.bottom - DESCENT * size, label, css="label", length=round(box.right - box.left, 1))
        )
        x, y = nearest_of(point, box)
        if max(abs(x - point[0]), abs(y - point[1])) > LINE_FROM:
            lines.append(Path(polyline([(point[0], -point[1]), (x, -y)]), "leader"))
    return texts, lines, sum(box is None for box in boxes)


def dense(line: Sequence[tuple[float, float]], step: float = 8) -> list[tuple[float, float]]:
    """Returns places along a line at most ``step`` pixels apart."""
    points = list(line[:1])
    for (x1, y1), (x2, y2) in pairwise(line):
        count = max(int(max(abs(x2 - x1), abs(y2 - y1)) // step), 1)
        points += [(x1 + part / count * (x2 - x1), y1 + part / count * (y2 - y1)) for part in range(1, count + 1)]
    return points
