"""Which tuned values lie at an edge of their search space: a wider space might hold a better value."""

from collections.abc import Mapping

from recbench.records.tuned_settings import Edge, SettingValue
from recbench.tuning.objective import EPOCHS
from recbench.tuning.spaces import Choices, Range, Space

EDGE_SHARE = 0.05
"""A value in this share of a range is at its edge; of a logarithmic range, the share of its orders of magnitude."""

FEWEST_SIZES = 3
"""With two numbers to choose from, both are ends."""


def at_edge(space: Space, parameters: Mapping[str, SettingValue]) -> dict[str, Edge]:
    """Returns the parameters whose value is at an edge of its range, and at which.

    A lower edge that no space can pass does not count: 0 of a fraction, and 1 of a whole number. Nor does the lower
    edge of ``epochs``, for the best epoch of a trial may come before it. The upper edge of a fraction counts, because
    exponents from 0 to 1 may be higher in another space. Choices have edges if they are sizes: three or more numbers.

    Args:
        space: Where the parameters were looked for.
        parameters: The tuned values.
    """
    edges = {name: _edge(name, where, parameters[name]) for name, where in space.items() if name in parameters}
    return {name: edge for name, edge in edges.items() if edge is not None}


def _edge(name: str, where: Range | Choices, value: SettingValue) -> Edge | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if isinstance(where, Choices):
        return _edge_of_sizes(where, value)
    if where.low == where.high:
        return None
    share = where.share(value)
    if share <= EDGE_SHARE and not where.begins_naturally and name != EPOCHS:
        return Edge.LOW
    if share >= 1 - EDGE_SHARE:
        return Edge.HIGH
    return None


def _edge_of_sizes(where: Choices, value: float) -> Edge | None:
    sizes = [choice for choice in where.choices if isinstance(choice, int | float) and not isinstance(choice, bool)]
    if len(sizes) < max(len(where.choices), FEWEST_SIZES):
        return None
    return Edge.LOW if value <= min(sizes) else Edge.HIGH if value >= max(sizes) else None
