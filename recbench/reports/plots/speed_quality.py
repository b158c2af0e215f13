"""Quality against speed, from records: what each configuration is worth, and what it costs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation.bootstrap import Interval
from recbench.records.schema import Status
from recbench.records.selection import Side
from recbench.records.store import StoredRecord
from recbench.reports.plots.speed_quality_axes import Cost, Quality
from recbench.reports.run.summary import ModelSummary, Spread, summarise
from recbench.reports.run.uncertainty import uncertainty
from recbench.reports.timing_notes import timing_notes


@dataclass(frozen=True, slots=True)
class QualityPoint:
    """One configuration.

    Attributes:
        label: The model; with the parameters, and then the run, that tell it from others of that name.
        quality: The metric, over the seeds.
        interval: Its 95 % interval over users, if it has one.
        cost: Throughput, or seconds, over the seeds.
    """

    label: str
    quality: Spread
    interval: Interval | None
    cost: Spread


@dataclass(frozen=True, slots=True)
class SpeedQuality:
    """All that the picture shows.

    Attributes:
        task: The task's name.
        metric: What stands on the upright axis.
        axis: What stands on the level axis.
        points: The configurations.
        left_out: Those that have no figures, and why.
        notes: Why not to trust the timings.
    """

    task: str
    metric: Quality
    axis: Cost
    points: tuple[QualityPoint, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def speed_quality(sides: Sequence[Side], metric: Quality, axis: Cost) -> SpeedQuality:
    """Sums up the records of one or several runs of a task.

    Raises:
        RecbenchError: They are of different tasks.
        NothingToCompareError: No trial among them is done.
    """
    records = [trial.record for side in sides for trial in side.trials]
    tasks = {record.task.digest: record.task.name for record in records}
    if len(tasks) > 1:
        named = ", ".join(f"{name} {digest[:19]}" for digest, name in tasks.items())
        raise RecbenchError(
            f"These records are of different tasks, whose figures cannot be compared: {named}.",
            "Draw a picture for each task.",
        )
    found = [one for side in sides for one in _of_side(side, metric)]
    labels = _labels([(summary, side.text) for summary, side, _ in found])
    points, left_out = [], []
    for (summary, _, interval), label in zip(found, labels, strict=True):
        cost = summary.interactions_per_second if axis is Cost.THROUGHPUT else summary.fit_seconds
        if metric in summary.metrics and cost is not None and min(cost.values) > 0:
            points.append(QualityPoint(label, summary.metrics[metric], interval, cost))
        else:
            left_out.append(f"{label} ({summary.status})")
    if not points:
        raise NothingToCompareError("None of these trials is done.", "Run them again: recbench run")
    return SpeedQuality(
        records[0].task.name, metric, axis, tuple(points), tuple(left_out), tuple(timing_notes(records))
    )


def _of_side(side: Side, metric: Quality) -> list[tuple[ModelSummary, Side, Interval | None]]:
    summaries = summarise([StoredRecord(trial.record, Path(trial.place)) for trial in side.trials])
    ranks = {id(trial.record): trial.ranks for trial in side.trials}
    by_seed = [
        {
            one.record.seed: found
            for one in summary.records
            if one.record.status is Status.DONE and (found := ranks[id(one.record)]) is not None
        }
        for summary in summaries
    ]
    standings = uncertainty(by_seed, (10,)).standings
    return [
        (summary, side, standing[metric].interval if metric in standing else None)
        for summary, standing in zip(summaries, standings, strict=True)
    ]


def _labels(found: Sequence[tuple[ModelSummary, str]]) -> list[str]:
    """Names the configurations, no two alike: what differs among those of one model is added."""
    labels = [summary.model for summary, _ in found]
    for number, (summary, _) in enumerate(found):
        alike = [other for other, _ in found if other.model == summary.model]
        differing = [
            f"{name}={value}"
            for name, value in summary.parameters.items()
            if any(other.parameters.get(name) != value for other in alike)
        ]
        labels[number] = " ".join([labels[number], *differing])
    count = Counter(labels)
    return [f"{label} ({run})" if count[label] > 1 else label for label, (_, run) in zip(labels, found, strict=True)]
