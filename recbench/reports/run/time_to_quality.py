"""How long models trained until they were good: from the learning curves in their records."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.records.schema import CurvePoint, Record, Status
from recbench.reports.run.summary import ModelSummary
from recbench.reports.spread import Spread

SHARE_OF_FINAL = 0.99


@dataclass(frozen=True, slots=True)
class TimeToQuality:
    """Seconds of training until a model was good, over its seeds.

    A curve is known at its points only, so each figure is the time of the first point that is good enough: an upper
    bound.

    Attributes:
        metric: Which metric of the curve, such as ``hr@10``.
        to_final: Seconds to 99 % of the final value.
        target: A value that all models are held to, if there is one.
        to_target: Seconds to ``target``, over the seeds that reached it.
        reached: Seeds that reached it, with a point at or above it.
        seeds: Seeds that have a curve.
        errors: Why curves have no points before the end, by seed.
    """

    metric: str
    to_final: Spread | None
    target: float | None
    to_target: Spread | None
    reached: int
    seeds: int
    errors: tuple[str, ...]


def time_to_quality(
    summaries: Sequence[ModelSummary], ks: Sequence[int], target: float | None = None
) -> list[TimeToQuality]:
    """Returns one for each summary.

    Args:
        summaries: The models.
        ks: The cut-offs of the run; HR@10 is looked at, or else HR at the first of them.
        target: HR that all models are held to.
    """
    metric = f"hr@{10 if 10 in ks else ks[0]}"
    return [_of_model([trial.record for trial in summary.trials], metric, target) for summary in summaries]


def seconds_to(curve: Sequence[CurvePoint], metric: str, value: float) -> float | None:
    """Returns the training time of the first point at or above ``value``; None if there is none."""
    return next((point.fit_seconds for point in curve if point.metrics[metric] >= value), None)


def _of_model(records: Sequence[Record], metric: str, target: float | None) -> TimeToQuality:
    curves = [record for record in records if record.status is Status.DONE and record.curve]
    # The points have the cut-offs of the run, and a report may ask for others.
    done = [
        record
        for record in curves
        if record.curve_error is None and all(metric in point.metrics for point in record.curve)
    ]
    to_final = [seconds_to(r.curve, metric, SHARE_OF_FINAL * r.curve[-1].metrics[metric]) for r in done]
    to_target = [seconds_to(r.curve, metric, target) if target is not None else None for r in done]
    return TimeToQuality(
        metric,
        Spread.of(to_final),
        target,
        Spread.of(to_target),
        sum(seconds is not None for seconds in to_target),
        len(done),
        tuple(f"seed {record.seed}, curve: {record.curve_error}" for record in curves if record.curve_error),
    )
