"""Parts that the JSON documents of several verbs share."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

Interval = Annotated[list[float], Field(min_length=2, max_length=2)]
"""The two ends of a 95 % confidence interval."""


class SpreadDocument(TypedDict):
    """A figure over seeds.

    Attributes:
        mean: Mean over the seeds.
        sd: Standard deviation over the seeds; null for one seed.
        values: The value of each seed.
    """

    mean: float
    sd: float | None
    values: list[float]


class TaskName(TypedDict):
    """A task.

    Attributes:
        name: Its name.
        digest: SHA-256 over all its arrays and rules.
    """

    name: str
    digest: str
