"""Where labels stand in a picture, so that they cover neither each other nor what they name. Geometry only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

NEAREST, FARTHEST, STEP = 8, 400, 8
"""Distances between a point and its label that are tried, in the unit of the boxes."""
DIRECTIONS = 24
"""How many are tried at each distance, from the upper right on."""
MARGIN = 3
"""Free space around a label."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with upright sides."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "Box") -> bool:
        """Whether they have a point in common."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.bottom <= other.top
            and other.bottom <= self.top
        )

    def holds(self, other: "Box") -> bool:
        """Whether the other lies within."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )

    def grown(self, by: float) -> "Box":
        """Returns the box with so much more at each side."""
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)


def place_labels(
    points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], taken: Sequence[Box], area: Box
) -> list[Box | None]:
    """Finds the nearest free place for each label, one after the other. No two labels overlap.

    Args:
        points: What each names.
        sizes: Width and height of each.
        taken: Where no label may stand: points and the bars around them.
        area: Where labels must stay.

    Returns:
        A box for each label; None if no place within ``FARTHEST`` and the area is free.
    """
    boxes: list[Box | None] = []
    placed: list[Box] = []
    lines: list[Box] = []
    for point, size in zip(points, sizes, strict=True):
        within = (box for box in _candidates(point, size) if area.holds(box))
        free = [box for box in within if not _meets_any(box.grown(MARGIN), (*taken, *placed))]
        # Lines may cross labels rather than that labels cross each other.
        uncrossed = (
            box
            for box in free
            if not _meets_any(box, lines) and not any(_meets_any(spot, placed) for spot in line_to(point, box))
        )
        chosen = next(uncrossed, free[0] if free else None)
        boxes.append(chosen)
        if chosen is not None:
            placed.append(chosen)
            lines += line_to(point, chosen)
    return boxes


def nearest_of(point: tuple[float, float], box: Box) -> tuple[float, float]:
    """Returns the point of a box that is nearest to another."""
    return min(max(point[0], box.left), box.right), min(max(point[1], box.bottom), box.top)


def line_to(point: tuple[float, float], box: Box) -> list[Box]:
    """Returns spots along the line from a point to its label."""
    x, y = nearest_of(point, box)
    n_segments = max(int(max(abs(x - point[0]), abs(y - point[1])) // NEAREST), 1)
    along = [segment / n_segments for segment in range(1, n_segments)]
    spots = [(point[0] + share * (x - point[0]), point[1] + share * (y - point[1])) for share in along]
    return [Box(a, b, a, b).grown(1) for a, b in spots]


def _meets_any(box: Box, others: Iterable[Box]) -> bool:
    return any(box.meets(other) for other in others)


def _candidates(point: tuple[float, float], size: tuple[float, float]) -> Iterator[Box]:
    width, height = size
    for distance in range(NEAREST, FARTHEST, STEP):
        for direction in range(DIRECTIONS):
            # To the right and a little up first, then to both sides in turn.
            turn = (direction + 1) // 2 * (1 if direction % 2 else -1)
            angle = pi / 8 + turn * 2 * pi / DIRECTIONS
            x = point[0] + cos(angle) * (distance + width / 2)
            y = point[1] + sin(angle) * (distance + height / 2)
            yield Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
