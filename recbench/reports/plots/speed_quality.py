"""Quality against speed, from records: what each configuration is worth, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.inference import infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.records.grouping import group_names
from recbench.records.schema import Status
from recbench.records.selection import RecordSet
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.run.run_report import seed_ranks
from recbench.reports.run.summary import ModelSummary, summarise
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import timing_notes


@dataclass(frozen=True, slots=True)
class QualityPoint:
    """One configuration.

    Attributes:
        label: The model; with the hyper-parameters, conditions and run that tell it from others of that name.
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
        measure: What stands on the upright axis.
        axis: What stands on the level axis.
        points: The configurations.
        left_out: Those that have no figures, and why.
        notes: Why not to trust the timings.
    """

    task: str
    measure: Measure
    axis: Cost
    points: tuple[QualityPoint, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def speed_quality(record_sets: Sequence[RecordSet], measure: Measure, axis: Cost) -> SpeedQuality:
    """Sums up the records of one or several runs of a task.

    Args:
        record_sets: The runs.
        measure: What stands on the upright axis; computed from the ranks.
        axis: What stands on the level axis.

    Raises:
        RecbenchError: They are of different tasks.
        NothingToCompareError: No trial among them is done.
    """
    records = [trial.record for one in record_sets for trial in one.trials]
    tasks = {record.task.digest: record.task.name for record in records}
    if len(tasks) > 1:
        named = ", ".join(f"{name} {digest[:19]}" for digest, name in tasks.items())
        raise RecbenchError(
            f"These records are of different tasks, whose figures cannot be compared: {named}.",
            "Draw a picture for each task.",
        )
    found = [(summary, one.text) for one in record_sets for summary in summarise(one.trials, [measure])]
    labels = group_names([summary.group for summary, _ in found], [text for _, text in found])
    points, left_out = [], []
    for (summary, _), label in zip(found, labels, strict=True):
        cost = summary.interactions_per_second if axis is Cost.THROUGHPUT else summary.fit_seconds
        quality = summary.figure(measure)
        if quality is not None and cost is not None and min(cost.values) > 0:
            points.append(QualityPoint(label, quality, _interval(summary, measure), cost))
        else:
            lacking = summary.status is Status.DONE and quality is None
            left_out.append(f"{label} ({'no full ranking' if lacking else summary.status})")
    if not points:
        full = measure.ranking is Ranking.FULL
        raise NothingToCompareError(
            f"None of these trials is done and has timings of its training{' and a full ranking' if full else ''}.",
            f"Scores that were computed elsewhere have none. Run other trials again: recbench run{' --full' * full}",
        )
    return SpeedQuality(
        records[0].task.name, measure, axis, tuple(points), tuple(left_out), tuple(timing_notes(records))
    )


def _interval(summary: ModelSummary, measure: Measure) -> Interval | None:
    ((interval,), _) = infer([seed_mean(seed_ranks(summary, measure.ranking).values(), measure)])
    return interval
