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
        n_seeds: Seeds.
        figures: Each metric over seeds; None where a seed does not have it.
        interactions_per_second: Throughput over seeds.
    """

    accepted_at: datetime
    label: str
    sha: str | None
    parameters: str
    n_seeds: int
    figures: dict[str, Spread | None]
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

    def sparkline(self, metric: str) -> str:
        """Returns a bar for the metric of each acceptance that has it, from the lowest to the highest of them."""
        return sparkline([spread.mean for one in self.acceptances if (spread := one.figures[metric])])


def trends(
    lines: Sequence[Accepted], metrics: Sequence[str], models: Collection[str] | None = None, task: str | None = None
) -> list[Trend]:
    """Groups the history by task digest and model.

    Args:
        lines: The history, by time.
        metrics: The metrics, such as ``hr@10``.
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
        Trend(
            name,
            digest,
            of,
            tuple(_acceptance(seeds, [*acceptances.values()], metrics) for seeds in acceptances.values()),
        )
        for (name, digest, of), acceptances in groups.items()
    ]


def sparkline(values: Sequence[float]) -> str:
    """Returns a bar for each value; all of one height if the values are the same."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high == low:
        return BARS[3] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


def _acceptance(seeds: Sequence[Accepted], others: Sequence[Sequence[Accepted]], metrics: Sequence[str]) -> Acceptance:
    first = seeds[0]
    beside = [one[0] for one in others if (one[0].accepted_at, one[0].label) == (first.accepted_at, first.label)]
    conditions = {(one.threads, one.device) for one in beside if one.parameters == first.parameters}
    told = f" (threads {first.threads}, device {first.device})" if len(conditions) > 1 else ""
    return Acceptance(
        first.accepted_at,
        first.label,
        first.sha,
        first.parameters + told,
        len(seeds),
        {metric: Spread.of_all(line.figure(metric) for line in seeds) for metric in metrics},
        Spread.of(line.interactions_per_second for line in seeds),
    )
