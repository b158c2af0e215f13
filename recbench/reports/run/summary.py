"""The trials of one task, summed up by configuration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.records.finished_trial import FinishedTrial
from recbench.records.grouping import TrialGroup, group_names, group_trials
from recbench.records.schema import CatalogueValue, ParameterValue, Record, Status
from recbench.records.task_names import require_one_task
from recbench.reports.spread import Spread
from recbench.trials.facts import NOT_KEPT


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
    """All seeds of one configuration under one set of conditions.

    Attributes:
        group: Its trials.
        name: What tables call it; no other summary has the same name, as far as anything differs.
        status: ``done`` if every seed is; else the first status that is not.
        metrics: For each measure, its mean among the candidates, over the seeds that are done.
        corrected: For each measure, its estimate for the full ranking from the ranks among the candidates, where it
            may be shown: see ``FinishedTrial.corrected``.
        catalogue: For each measure by its ``base_name``, its mean in the full ranking, if that was asked for; also the
            ``coverage``, ``exposure_gini`` (also as ``gini``, its former name) and ``popularity`` of the lists that
            users would be shown.
        cohorts: By what cases are sorted, the cohorts' HR.
        interactions_per_second: Training throughput.
        fit_seconds: Training time.
        fit_cpu_seconds: CPU time of the training; None if some record has none.
        epochs: Epochs of the seeds that are done; None if they differ or there are none.
    """

    group: TrialGroup
    name: str
    status: Status
    metrics: dict[str, Spread]
    corrected: dict[str, Spread]
    catalogue: dict[str, Spread]
    cohorts: dict[str, tuple[CohortSpread, ...]]
    interactions_per_second: Spread | None
    fit_seconds: Spread | None
    fit_cpu_seconds: Spread | None
    epochs: int | None

    @property
    def model(self) -> str:
        """The model's name."""
        return self.group.model

    def figure(self, measure: Measure) -> Spread | None:
        """Returns the mean of a measure in its ranking; None if a seed has no such ranks."""
        figures = self.metrics if measure.ranking is Ranking.CANDIDATES else self.catalogue
        return figures.get(measure.base_name)

    @property
    def parameters(self) -> dict[str, ParameterValue]:
        """The hyper-parameters."""
        return self.group.parameters

    @property
    def trials(self) -> tuple[FinishedTrial, ...]:
        """The trials, by seed."""
        return self.group.trials

    @property
    def shared_machine(self) -> bool:
        """Whether any of the trials ran beside others, so that its timings say little."""
        return any(trial.record.concurrent_trials > 1 for trial in self.trials)

    @property
    def throughput_doubts(self) -> list[str]:
        """Why the throughput may be wrong, one line a seed and reason."""
        records = (trial.record for trial in self.trials)
        return [f"seed {record.seed}: {doubt}" for record in records for doubt in record.throughput_doubts]

    @property
    def errors(self) -> list[str]:
        """What went wrong, one line a seed and reason: it failed, or lacks a ranking, figures in use or a fact."""
        records = [trial.record for trial in self.trials]
        return [f"seed {record.seed}{problem}" for record in records for problem in _problems(record)]

    @property
    def errors_by_reason(self) -> list[str]:
        """The same, one line for each reason."""
        seeds: dict[str, list[int]] = {}
        for record in (trial.record for trial in self.trials):
            for problem in _problems(record):
                seeds.setdefault(problem, []).append(record.seed)
        return [f"seed{'s' if of[1:] else ''} {', '.join(map(str, of))}{problem}" for problem, of in seeds.items()]


def _problems(record: Record) -> Iterator[str]:
    """Yields what went wrong in a trial, to follow its seed."""
    if record.error_with_place:
        yield f": {record.error_with_place.splitlines()[0]}"
    if record.catalogue_error:
        yield f", full ranking: {record.catalogue_error.splitlines()[0]}"
    if record.serving_error:
        yield f", serving: {record.serving_error.splitlines()[0]}"
    for name, value in record.facts.items():
        if isinstance(value, str) and value.startswith(NOT_KEPT):
            yield f": report({name}=...) was {value}"


def summarise(
    trials: Sequence[FinishedTrial],
    measures: Sequence[Measure],
    catalogue_size: int | None = None,
    uniform: bool | None = None,
) -> list[ModelSummary]:
    """Sums up the trials of a task by configuration and conditions, in the order in which these first occur.

    Args:
        trials: The trials.
        measures: What to compute from their ranks. Those among the candidates are computed in the full ranking too.
        catalogue_size: Mean number of items in the full ranking of a case, for corrected figures; None to take it from
            the full ranks, where there are any.
        uniform: Whether the negatives are uniform; None for what the records say.

    Raises:
        RecbenchError: The trials are of different tasks, or a seed occurs twice.
    """
    require_one_task((trial.record for trial in trials), "Compare records of one task.")
    groups = group_trials(trials)
    return [
        _summarise_group(group, name, measures, catalogue_size, uniform)
        for group, name in zip(groups, group_names(groups), strict=True)
    ]


def _summarise_group(
    group: TrialGroup, name: str, measures: Sequence[Measure], catalogue_size: int | None, uniform: bool | None
) -> ModelSummary:
    done = group.done
    records = [trial.record for trial in done]
    epochs = {record.epochs for record in records}
    sampled = [measure for measure in measures if measure.ranking is Ranking.CANDIDATES]
    full = dict.fromkeys(measure.in_ranking(Ranking.FULL) for measure in measures)
    corrected = {
        measure.name: Spread.of_all(trial.corrected(measure, catalogue_size, uniform) for trial in done)
        for measure in sampled
        if measure.metric.gains is not None
    }
    return ModelSummary(
        group,
        name,
        next((trial.record.status for trial in group.trials if trial.record.status is not Status.DONE), Status.DONE),
        _known({measure.name: Spread.of_all(trial.mean(measure) for trial in done) for measure in sampled}),
        _known(corrected),
        _known(
            {
                **{measure.base_name: Spread.of_all(trial.mean(measure) for trial in done) for measure in full},
                **_lists([record.catalogue for record in records]),
            }
        ),
        _cohorts(records),
        Spread.of(record.interactions_per_second for record in records),
        Spread.of(record.fit_seconds for record in records),
        Spread.of_all(record.fit_cpu_seconds for record in records),
        epochs.pop() if len(epochs) == 1 else None,
    )


def _known(spreads: dict[str, Spread | None]) -> dict[str, Spread]:
    return {name: spread for name, spread in spreads.items() if spread is not None}


def _lists(values: Sequence[CatalogueValue | None]) -> dict[str, Spread | None]:
    """Sums up what the lists of best items look like: it cannot be derived from ranks."""
    return {
        "coverage": Spread.of_all(value.coverage if value else None for value in values),
        "gini": Spread.of_all(value.gini if value else None for value in values),
        "exposure_gini": Spread.of_all(value.gini if value else None for value in values),
        "popularity": Spread.of_all(value.popularity if value else None for value in values),
    }


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
