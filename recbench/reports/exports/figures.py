"""What an export holds of each trial and of each configuration."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from recbench.evaluation.inference import Sample, infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranks
from recbench.records.finished_trial import FinishedTrial
from recbench.records.grouping import TrialGroup, group_names, group_trials
from recbench.records.schema import Record
from recbench.reports.run.shown_measures import measures_of
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import timed_throughput

CUT_OFF = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over cases with its 95 % confidence interval over users; without one if all cases are of one user."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ExportedTrial:
    """A trial.

    Attributes:
        record: Its record.
        configuration: What tables call its configuration.
        figures: By measure, such as ``hr@10``; empty unless it is done.
    """

    record: Record
    configuration: str
    figures: dict[str, Figure]


@dataclass(frozen=True, slots=True, eq=False)
class ExportedConfiguration:
    """All seeds of a configuration.

    Attributes:
        name: What tables call it.
        group: Its trials.
        figures: Of the seeds averaged case by case, by measure; empty if no trial is done.
        labels: What tables call the measures.
    """

    name: str
    group: TrialGroup
    figures: dict[str, Figure]
    labels: dict[str, str]


def exported(trials: Sequence[FinishedTrial]) -> tuple[list[ExportedTrial], list[ExportedConfiguration]]:
    """Computes HR and NDCG at 10 of trials, also in the full ranking if they have one, with confidence intervals.

    Args:
        trials: The trials, of any tasks.

    Raises:
        RecbenchError: A seed occurs twice, or the ranks of a trial cannot be read.
    """
    groups = group_trials(trials)
    names = group_names(groups)
    keys: list[tuple[str, int, str]] = []
    samples: list[Sample] = []
    measures = {
        group.task.digest: measures_of(
            [trial for trial in trials if trial.record.task.digest == group.task.digest], (CUT_OFF,), None
        )
        for group in groups
    }
    for number, group in enumerate(groups):
        for measure in measures[group.task.digest]:
            for kind, ranks in _ranks(group, measure):
                keys.append((kind, number, measure.name))
                samples.append(seed_mean(ranks, measure))
    intervals, _ = infer(samples)
    figures: dict[tuple[str, int], dict[str, Figure]] = {}
    for (kind, number, metric), sample, interval in zip(keys, samples, intervals, strict=True):
        limits = (interval.low, interval.high) if interval else (None, None)
        figures.setdefault((kind, number), {})[metric] = Figure(float(sample.values.mean()), *limits)
    exported_trials = [
        ExportedTrial(trial.record, name, figures.get((f"seed {trial.record.seed}", number), {}))
        for number, (name, group) in enumerate(zip(names, groups, strict=True))
        for trial in group.trials
    ]
    configurations = [
        ExportedConfiguration(
            name,
            group,
            figures.get(("mean", number), {}),
            {measure.name: measure.label for measure in measures[group.task.digest]},
        )
        for number, (name, group) in enumerate(zip(names, groups, strict=True))
    ]
    return exported_trials, configurations


def _ranks(group: TrialGroup, measure: Measure) -> list[tuple[str, list[Ranks]]]:
    """Returns the ranks of each seed that has some, and of all seeds together if all have some."""
    of_seeds = [(trial.record.seed, trial.ranks_in(measure.ranking)) for trial in group.done]
    known = [(seed, ranks) for seed, ranks in of_seeds if ranks is not None]
    alone = [(f"seed {seed}", [ranks]) for seed, ranks in known]
    together = [ranks for _, ranks in known]
    return [*alone, *([("mean", together)] if together and len(known) == len(of_seeds) else [])]


def identifier(metric: str) -> str:
    """Returns the name of a measure for programs that take letters, digits and underscores only.

    >>> identifier("full-hr@10")
    'full_hr_at_10'
    """
    return re.sub(r"\W", "_", metric.replace("@", "_at_"), flags=re.ASCII)


def record_digest(record: Record) -> str:
    """Returns the SHA-256 of a record: the same trial is exported once."""
    return hashlib.sha256(record.model_dump_json(by_alias=True).encode()).hexdigest()


def facts_of(trial: ExportedTrial) -> dict[str, str]:
    """Returns what identifies a trial and its conditions: task, seed, versions and digests."""
    record = trial.record
    facts = {
        "task": record.task.name,
        "task_digest": record.task.digest,
        "configuration": trial.configuration,
        "model": record.model,
        "reference": record.reference,
        "seed": str(record.seed),
        "threads": str(record.threads),
        "device": record.device,
        "status": record.status.value,
        "code_version": record.code_version or "",
        "protocol_version": str(record.protocol_version),
        "recbench_version": record.recbench_version,
        "python": record.environment.python,
        "packages": " ".join(f"{name}=={version}" for name, version in sorted(record.environment.packages.items())),
        "revision": record.revision.sha + ("+" if record.revision.dirty else "") if record.revision else "",
        "started_at": record.started_at.isoformat(),
        "record": record_digest(record),
    }
    return {name: value for name, value in facts.items() if value}


def costs_of(record: Record) -> dict[str, float]:
    """Returns what a trial cost, as far as it was measured; no throughput of a fit that was too short to time."""
    timed = timed_throughput(Spread.of([record.interactions_per_second]), Spread.of([record.fit_seconds]))
    costs = {
        "fit_seconds": record.fit_seconds,
        "score_seconds": record.score_seconds,
        "interactions_per_second": None if timed is None else timed.mean,
        "process_peak_rss_bytes": record.process_peak_rss_bytes,
        "epochs": record.epochs,
    }
    return {name: float(value) for name, value in costs.items() if value is not None}
