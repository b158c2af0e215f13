"""The history of accepted baselines as a trend for each model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recbench.records.history import Accepted
from recbench.reports.run.summary import Spread

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The seeds of one model that were accepted together.

    Attributes:
        accepted_at: When, UTC.
        label: Under which label.
        sha: Git revision of the run.
        parameters: Hash of the hyper-parameters.
        hr: HR@10 over seeds.
        ndcg: NDCG@10 over seeds.
        interactions_per_second: Throughput over seeds.
    """

    accepted_at: datetime
    label: str
    sha: str | None
    parameters: str
    hr: Spread | None
    ndcg: Spread | None
    interactions_per_second: Spread | None


@dataclass(frozen=True, slots=True)
class Trend:
    """One model on one task.

    Attributes:
        task: The task's name.
        digest: Its digest.
        model: The model's name.
        acceptances: By time.
    """

    task: str
    digest: str
    model: str
    acceptances: tuple[Acceptance, ...]

    @property
    def sparkline(self) -> str:
        """A bar for each acceptance's HR@10, from the lowest to the highest of them."""
        return sparkline([one.hr.mean for one in self.acceptances if one.hr])


def trends(lines: Sequence[Accepted], model: str | None = None, task: str | None = None) -> list[Trend]:
    """Groups the history by task digest and model.

    Args:
        lines: The history, by time.
        model: Only this model.
        task: Only the task of this name.
    """
    groups: dict[tuple[str, str, str], dict[tuple[datetime, str, str], list[Accepted]]] = {}
    for line in lines:
        if model in (None, line.model) and task in (None, line.task):
            of_model = groups.setdefault((line.task, line.digest, line.model), {})
            of_model.setdefault((line.accepted_at, line.label, line.parameters), []).append(line)
    return [
        Trend(name, digest, of, tuple(_acceptance(seeds) for seeds in acceptances.values()))
        for (name, digest, of), acceptances in groups.items()
    ]


def sparkline(values: Sequence[float]) -> str:
    """Returns a bar for each value; all of one height if the values are the same."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high == low:
        return BARS[3] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


def _acceptance(seeds: Sequence[Accepted]) -> Acceptance:
    first = seeds[0]
    return Acceptance(
        first.accepted_at,
        first.label,
        first.sha,
        first.parameters,
        Spread.of(line.hr for line in seeds),
        Spread.of(line.ndcg for line in seeds),
        Spread.of(line.interactions_per_second for line in seeds),
    )
