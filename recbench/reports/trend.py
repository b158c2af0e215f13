"""The history of accepted baselines as a trend for each model."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from recbench.records.history import Accepted
from recbench.reports.spread import Spread

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The seeds of one model that were accepted together.

    Attributes:
        accepted_at: When, UTC.
        label: Under which label.
        sha: Git revision of the run.
        parameters: Hash of the hyper-parameters; with the conditions, where others were accepted at the same time.
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


def trends(lines: Sequence[Accepted], models: Collection[str] | None = None, task: str | None = None) -> list[Trend]:
    """Groups the history by task digest and model.

    Args:
        lines: The history, by time.
        models: Only these models.
        task: Only the task of this name.
    """
    groups: dict[tuple[str, str, str], dict[tuple[object, ...], list[Accepted]]] = {}
    for line in lines:
        if (models is None or line.model in models) and task in (None, line.task):
            of_model = groups.setdefault((line.task, line.digest, line.model), {})
            key = (line.accepted_at, line.label, line.parameters, line.threads, line.device)
            of_model.setdefault(key, []).append(line)
    return [
        Trend(name, digest, of, tuple(_acceptance(seeds, [*acceptances.values()]) for seeds in acceptances.values()))
        for (name, digest, of), acceptances in groups.items()
    ]


def sparkline(values: Sequence[float]) -> str:
    """Returns a bar for each value; all of one height if the values are the same."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high == low:
        return BARS[3] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


def _acceptance(seeds: Sequence[Accepted], others: Sequence[Sequence[Accepted]]) -> Acceptance:
    first = seeds[0]
    beside = [one[0] for one in others if (one[0].accepted_at, one[0].label) == (first.accepted_at, first.label)]
    conditions = {(one.threads, one.device) for one in beside if one.parameters == first.parameters}
    told = f" (threads {first.threads}, device {first.device})" if len(conditions) > 1 else ""
    return Acceptance(
        first.accepted_at,
        first.label,
        first.sha,
        first.parameters + told,
        Spread.of(line.hr for line in seeds),
        Spread.of(line.ndcg for line in seeds),
        Spread.of(line.interactions_per_second for line in seeds),
    )
