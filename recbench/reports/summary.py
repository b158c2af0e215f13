"""Records of one task, summed up by configuration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from recbench.records.schema import ParameterValue, Status
from recbench.records.store import StoredRecord


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over seeds.

    Attributes:
        values: One value a seed that has one.
        mean: Their mean.
        sd: Their standard deviation (n - 1 in the denominator); None for fewer than two.
    """

    values: tuple[float, ...]
    mean: float
    sd: float | None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Spread | None":
        """Returns the spread of the values that are not None; None if there are none."""
        known = tuple(value for value in values if value is not None)
        if not known:
            return None
        return cls(known, fmean(known), stdev(known) if len(known) > 1 else None)


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """All seeds of one configuration.

    Attributes:
        model: The model's name.
        parameters: Its hyper-parameters.
        records: Its records, by seed.
        status: ``done`` if every seed is; else the first status that is not.
        metrics: For each metric, its mean over cases, over the seeds that are done.
        interactions_per_second: Training throughput.
        fit_seconds: Training time.
        epochs: Epochs of the seeds that are done; None if they differ or there are none.
    """

    model: str
    parameters: dict[str, ParameterValue]
    records: tuple[StoredRecord, ...]
    status: Status
    metrics: dict[str, Spread]
    interactions_per_second: Spread | None
    fit_seconds: Spread | None
    epochs: int | None

    @property
    def errors(self) -> list[str]:
        """What went wrong, one line a seed that failed."""
        return [f"seed {s.record.seed}: {s.record.error.splitlines()[0]}" for s in self.records if s.record.error]


def summarise(stored: Sequence[StoredRecord]) -> list[ModelSummary]:
    """Sums up records by model and parameters, in the order in which they first occur."""
    groups: dict[tuple[str, str], list[StoredRecord]] = {}
    for one in stored:
        groups.setdefault((one.record.model, repr(sorted(one.record.parameters.items()))), []).append(one)
    return [_summarise_model(group) for group in groups.values()]


def _summarise_model(group: list[StoredRecord]) -> ModelSummary:
    group = sorted(group, key=lambda one: one.record.seed)
    records = [one.record for one in group]
    done = [record for record in records if record.status is Status.DONE]
    metrics = {
        name: spread
        for name in (done[0].metrics if done else {})
        if (spread := Spread.of(record.metrics[name].mean for record in done))
    }
    epochs = {record.epochs for record in done}
    return ModelSummary(
        records[0].model,
        records[0].parameters,
        tuple(group),
        next((record.status for record in records if record.status is not Status.DONE), Status.DONE),
        metrics,
        Spread.of(record.interactions_per_second for record in done),
        Spread.of(record.fit_seconds for record in done),
        epochs.pop() if len(epochs) == 1 else None,
    )
