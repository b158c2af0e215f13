"""The types of the JSON document of ``run`` on a task with replicas."""

from typing import Literal

from typing_extensions import TypedDict

from recbench.reports.run.document_types import RunDocument


class ReplicatedMetricDocument(TypedDict):
    """A metric over all replicas. Standard deviations are of the figure of one replica and one seed.

    Attributes:
        mean: Mean over replicas of the means over seeds.
        split_sd: Between draws of the split for the same users.
        users_sd: Between samples of users, the part that stays when the draw changes.
        seeds_sd: Between seeds on one replica; null with one seed, and then part of `split_sd`.
        total_sd: Square root of the sum of the squares.
        usual_se: Standard error over the users of one replica.
        values: Mean over seeds of each replica.
    """

    mean: float
    split_sd: float
    users_sd: float
    seeds_sd: float | None
    total_sd: float
    usual_se: float
    values: list[float]


class ReplicatedResultDocument(TypedDict):
    """A configuration.

    Attributes:
        name: Its name in tables.
        metrics: By name; empty if it has no ranks in some replica.
    """

    name: str
    metrics: dict[str, ReplicatedMetricDocument]


class ReplicasDocument(TypedDict):
    """The document of `recbench run --json` on a task with replicas.

    Attributes:
        schema: Version of this schema.
        task: Name of the task, without a number.
        varies: What differs between the replicas.
        results: One object for each configuration.
        notes: The lines below the table.
        runs: The document of the run on each replica.
    """

    schema: Literal[1]
    task: str
    varies: str
    results: list[ReplicatedResultDocument]
    notes: list[str]
    runs: list[RunDocument]
