"""Quality against speed, from records: the metric of each configuration, and its cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recbench.errors import NothingToCompareError
from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.inference import infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.records.grouping import group_names
from recbench.records.schema import Status
from recbench.records.selection import RecordSet
from recbench.records.task_names import require_one_task
from recbench.reports.plots.focus import Extent
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.run.best_compared import MOST_COMPARED
from recbench.reports.run.run_report import seed_ranks
from recbench.reports.run.summary import ModelSummary, summarise
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import SHORTEST_FIT, timed_throughput, timing_notes, too_short


@dataclass(frozen=True, slots=True)
class QualityPoint:
    """One configuration.

    Attributes:
        model: The model's name.
        label: The model; with the hyper-parameters, conditions and run that tell it from others of that name.
        quality: The metric, over the seeds.
        interval: Its 95 % interval over users, if it has one.
        cost: Throughput, or seconds, over the seeds.
    """

    model: str
    label: str
    quality: Spread
    interval: Interval | None
    cost: Spread

    @property
    def extent(self) -> Extent:
        """What the point and its bars cover: its interval upright, and the range over seeds level."""
        low, high = (self.interval.low, self.interval.high) if self.interval else (self.quality.mean, self.quality.mean)
        return Extent(self.model, min(self.cost.values), max(self.cost.values), low, high)


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
    records = [trial.record for record_set in record_sets for trial in record_set.trials]
    require_one_task(records, "Draw a picture for each task.")
    summaries_with_texts = [
        (summary, record_set.text) for record_set in record_sets for summary in summarise(record_set.trials, [measure])
    ]
    labels = group_names(
        [summary.group for summary, _ in summaries_with_texts], [text for _, text in summaries_with_texts]
    )
    drawn: list[tuple[ModelSummary, QualityPoint]] = []
    left_out = []
    for (summary, _), label in zip(summaries_with_texts, labels, strict=True):
        point = quality_point(summary, label, measure, axis, None)
        if point is not None:
            drawn.append((summary, point))
        else:
            left_out.append(f"{label} ({_reason(summary, measure, axis)})")
    if not drawn:
        if any(_is_too_short(summary, axis) for summary, _ in summaries_with_texts):
            raise NothingToCompareError(
                f"The fits of these trials took less than {SHORTEST_FIT:g} s: too short to time.",
                'Show the training time: --x-axis fit-seconds, in Python against="fit-seconds".',
            )
        full = measure.ranking is Ranking.FULL
        raise NothingToCompareError(
            f"None of these trials is done and has timings of its training{' and a full ranking' if full else ''}.",
            f"Scores that were computed elsewhere have none. Run other trials again: recbench run{' --full' * full}",
        )
    notes = timing_notes(records)
    if len(drawn) > MOST_COMPARED:
        notes = [
            f"Only the best {MOST_COMPARED} of {len(drawn):,} configurations are drawn. Choose models: --models A,B",
            *notes,
        ]
        ranked = sorted(range(len(drawn)), key=lambda place: -drawn[place][1].quality.mean)
        drawn = [drawn[place] for place in sorted(ranked[:MOST_COMPARED])]
    points = tuple(replace(point, interval=_interval(summary, measure)) for summary, point in drawn)
    return SpeedQuality(records[0].task.name, measure, axis, points, tuple(left_out), tuple(notes))


def quality_point(
    summary: ModelSummary, label: str, measure: Measure, axis: Cost, interval: Interval | None
) -> QualityPoint | None:
    """Returns the figures of a configuration; None if it has no ranks or no timings, or too short ones.

    Args:
        summary: The configuration.
        label: Its name.
        measure: Its quality.
        axis: Its cost.
        interval: The confidence interval of its quality, if it has one.
    """
    speed = timed_throughput(summary.interactions_per_second, summary.fit_seconds)
    cost = speed if axis is Cost.THROUGHPUT else summary.fit_seconds
    quality = summary.figure(measure)
    if quality is None or cost is None or min(cost.values) <= 0:
        return None
    return QualityPoint(summary.model, label, quality, interval, cost)


def _reason(summary: ModelSummary, measure: Measure, axis: Cost) -> str:
    """Returns why a configuration has no point."""
    if summary.status is Status.DONE and summary.figure(measure) is None:
        return "no full ranking"
    return "too short to time" if _is_too_short(summary, axis) else summary.status.value


def _is_too_short(summary: ModelSummary, axis: Cost) -> bool:
    return axis is Cost.THROUGHPUT and too_short(summary.fit_seconds)


def _interval(summary: ModelSummary, measure: Measure) -> Interval | None:
    ((interval,), _) = infer([seed_mean(seed_ranks(summary, measure.ranking).values(), measure)])
    return interval
