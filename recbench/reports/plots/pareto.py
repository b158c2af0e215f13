"""The Pareto front: the models that no other model beats in both quality and cost."""

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Returns the numbers of the points on the front, from the cheapest to the most expensive.

    Args:
        points: Cost, of which less is better, and quality, of which more is better.

    >>> pareto_front([(1.0, 0.3), (2.0, 0.5), (3.0, 0.4), (9.0, 0.6)])
    [0, 1, 3]
    """
    front: list[int] = []
    for number in sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1])):
        if not front or points[number][1] > points[front[-1]][1]:
            front.append(number)
    return front
