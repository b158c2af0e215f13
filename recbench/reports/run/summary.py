"""Records of one task, summed up by configuration."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue, Record, Status
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
class CohortSpread:
    """A third of the cases; see ``recbench.evaluation.beyond_accuracy.Cohort``.

    Attributes:
        lowest: The lowest value by which cases are sorted.
        highest: The highest.
        n_cases: Cases.
        hr: HR over the seeds.
    """

    lowest: float
    highest: float
    n_cases: int
    hr: Spread


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """All seeds of one configuration.

    Attributes:
        model: The model's name.
        parameters: Its hyper-parameters.
        records: Its records, by seed.
        status: ``done`` if every seed is; else the first status that is not.
        metrics: For each metric, its mean over cases, over the seeds that are done.
        corrected: For each metric, its estimate for the whole catalogue from the sampled ranks; empty where the
            negatives were not drawn uniformly.
        catalogue: For each metric, its mean over cases in the whole catalogue, if that was asked for; also the
            ``coverage``, ``gini`` and ``popularity`` of the lists that users would be shown.
        cohorts: By what cases are sorted, the cohorts' HR.
        interactions_per_second: Training throughput.
        fit_seconds: Training time.
        epochs: Epochs of the seeds that are done; None if they differ or there are none.
    """

    model: str
    parameters: dict[str, ParameterValue]
    records: tuple[StoredRecord, ...]
    status: Status
    metrics: dict[str, Spread]
    corrected: dict[str, Spread]
    catalogue: dict[str, Spread]
    cohorts: dict[str, tuple[CohortSpread, ...]]
    interactions_per_second: Spread | None
    fit_seconds: Spread | None
    epochs: int | None

    @property
    def shared_machine(self) -> bool:
        """Whether any of the trials ran beside others, so that its timings say little."""
        return any(stored.record.concurrent_trials > 1 for stored in self.records)

    @property
    def errors(self) -> list[str]:
        """What went wrong, one line a seed that failed or could not rank the whole catalogue."""
        found = []
        for record in (stored.record for stored in self.records):
            if record.error:
                found.append(f"seed {record.seed}: {record.error.splitlines()[0]}")
            if record.catalogue_error:
                found.append(f"seed {record.seed}, whole catalogue: {record.catalogue_error.splitlines()[0]}")
        return found


def summarise(stored: Sequence[StoredRecord]) -> list[ModelSummary]:
    """Sums up records by model and parameters, in the order in which they first occur.

    Raises:
        RecbenchError: The records are of different tasks.
    """
    tasks = {one.record.task.digest: one.record.task.name for one in stored}
    if len(tasks) > 1:
        named = ", ".join(f"{name} {digest[:19]}" for digest, name in tasks.items())
        raise RecbenchError(
            f"These records are of different tasks, whose figures cannot be compared: {named}.",
            "Compare records of one task.",
        )
    groups: dict[tuple[str, str], list[StoredRecord]] = {}
    for one in stored:
        groups.setdefault((one.record.model, repr(sorted(one.record.parameters.items()))), []).append(one)
    return [_summarise_model(group) for group in groups.values()]


def _summarise_model(group: list[StoredRecord]) -> ModelSummary:
    group = sorted(group, key=lambda one: one.record.seed)
    records = [one.record for one in group]
    done = [record for record in records if record.status is Status.DONE]
    epochs = {record.epochs for record in done}
    return ModelSummary(
        records[0].model,
        records[0].parameters,
        tuple(group),
        next((record.status for record in records if record.status is not Status.DONE), Status.DONE),
        _spreads([{name: metric.mean for name, metric in record.metrics.items()} for record in done]),
        _spreads([record.corrected for record in done]),
        _spreads([_of_catalogue(record) for record in done]),
        _cohorts(done),
        Spread.of(record.interactions_per_second for record in done),
        Spread.of(record.fit_seconds for record in done),
        epochs.pop() if len(epochs) == 1 else None,
    )


def _spreads(of_seeds: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Sums up the figures that all seeds have."""
    common = [name for name in (of_seeds[0] if of_seeds else {}) if all(name in figures for figures in of_seeds)]
    return {name: spread for name in common if (spread := Spread.of(figures[name] for figures in of_seeds))}


def _of_catalogue(record: Record) -> dict[str, float]:
    if record.catalogue is None:
        return {}
    found = record.catalogue
    lists = {"coverage": found.coverage, "gini": found.gini, "popularity": found.popularity}
    return {**{name: metric.mean for name, metric in found.metrics.items()}, **lists}


def _cohorts(done: Sequence[Record]) -> dict[str, tuple[CohortSpread, ...]]:
    """Sums up cohorts, which are the same cases for every seed."""
    by = done[0].cohorts if done and all(record.cohorts for record in done) else {}
    return {
        name: tuple(
            CohortSpread(cohort.lowest, cohort.highest, cohort.n_cases, spread)
            for number, cohort in enumerate(cohorts)
            if (spread := Spread.of(record.cohorts[name][number].hr for record in done))
        )
        for name, cohorts in by.items()
    }
