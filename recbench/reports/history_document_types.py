"""The type of the JSON document of the history; the documentation has a JSON Schema of it."""

from typing import Literal

from pydantic import ConfigDict
from pydantic.config import with_config
from typing_extensions import TypedDict

from recbench.records.schema import ParameterValue
from recbench.reports.document_types import Interval


@with_config(ConfigDict(extra="allow"))
class AcceptanceOfTrendDocument(TypedDict):
    """Records that were accepted as a baseline, or a run of a past commit.

    Attributes:
        accepted_at: When, in ISO 8601.
        kind: `accepted`, or `run` for a run that was added to the history.
        label: The label of the baseline.
        revision: SHA of the commit; null if it is unknown.
        dirty: Whether files had uncommitted changes.
        parameters: The hash of the hyper-parameters and conditions.
        params: The hyper-parameters; null in older histories.
        seeds: Number of seeds.
        metrics: Mean over seeds of each metric of `--metrics`; null if a seed lacks it. The same values are also fields
            of the object, by the name of the metric.
        intervals: 95 % confidence interval over users, averaged over seeds, of HR@10.
        changes: Change of each mean from the acceptance before.
        interactions_per_second: Mean throughput; null without times.
        accepted_regressions: Why lower figures were accepted, by metric.
        renamed_from: Earlier name of the model; null if it is the same.
    """

    accepted_at: str
    kind: Literal["accepted", "run"]
    label: str
    revision: str | None
    dirty: bool
    parameters: str
    params: dict[str, ParameterValue] | None
    seeds: int
    metrics: dict[str, float | None]
    intervals: dict[str, Interval | None]
    changes: dict[str, float | None]
    interactions_per_second: float | None
    accepted_regressions: dict[str, str]
    renamed_from: str | None


class EndOfStepDocument(TypedDict):
    """The acceptance before or after a step.

    Attributes:
        revision: SHA of its commit; null if it is unknown.
        accepted_at: When, in ISO 8601.
    """

    revision: str | None
    accepted_at: str


class StepDocument(TypedDict):
    """A change of the mean that seeds do not explain.

    Attributes:
        metric: The metric.
        difference: The change.
        interval: Its 95 % confidence interval over seeds.
        before: The last acceptance before it.
        after: The first acceptance after it.
    """

    metric: str
    difference: float
    interval: Interval
    before: EndOfStepDocument
    after: EndOfStepDocument


class TrendDocument(TypedDict):
    """The history of a model on a task.

    Attributes:
        task: Name of the task.
        digest: Its digest.
        model: The model.
        acceptances: From the oldest to the newest.
        steps: Steps of the first metric.
    """

    task: str
    digest: str
    model: str
    acceptances: list[AcceptanceOfTrendDocument]
    steps: list[StepDocument]


class HistoryDocument(TypedDict):
    """The document of `recbench history --json`.

    Attributes:
        schema: Version of the document.
        trends: One object for each model and task.
    """

    schema: Literal[1]
    trends: list[TrendDocument]
