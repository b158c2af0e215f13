"""What the points of a learning curve are scored by. Loads no numeric library."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CurveMeasure:
    """One metric instead of those that every record stores.

    Attributes:
        metric: The metric and its cut-off, such as ``recall@20``.
        users: None to rank candidates. A number to rank the whole catalogue, for at most so many users with a case.
            They are drawn once, the same for all trials of a task.
    """

    metric: str
    users: int | None = None
