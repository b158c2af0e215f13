"""Steps in the trend of a model: between which two acceptances or commits a metric has changed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.change_points import Z, find_changes
from recbench.evaluation.student import student_quantile
from recbench.reports.compare.policy import Policy
from recbench.reports.trend import Acceptance, Trend
from recbench.reports.trend_series import Identity

ASSUMED_SEED_SD: Final = float(Policy.model_fields["assumed_seed_sd"].default)
"""Standard deviation over seeds where each point has one seed; the same as in the gate."""

LEAST_DEGREES: Final = 2
LEAST_DIFFERENCES: Final = 8
"""From so many differences of neighbours on, they say how much single seeds vary."""

SHARE_OF_USERS: Final = 0.5
"""With fewer, a single seed is taken to vary by this share of the standard error over users. For three models
on two tasks of 943 users, the share was at most .3."""
OF_NORMAL: Final = 0.6745
"""The median of the absolute value of a standard normal variable."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the mean of a metric.

    Attributes:
        metric: The metric.
        before: The last point before it.
        after: The first point after it.
        size: How far the mean after it, up to the next step, is from the mean before it.
        interval: 95 % confidence interval of the size: what other seeds would give for the same users.
    """

    metric: str
    before: Acceptance
    after: Acceptance
    size: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class _Measurement:
    """Acceptances in a row with the same results: the code has not changed, so that they are one measurement."""

    first: Acceptance
    last: Acceptance
    values: tuple[float, ...]


def trend_steps(trend: Trend, metric: str) -> list[Step]:
    """Returns the steps of a metric, by time.

    The uncertainty of each point is that of its mean over seeds. The standard deviation over seeds is pooled over all
    points. All points are of the same users, so that the interval over users says nothing about a step. Runs of
    uncommitted changes are left out. Each label is a series of its own. If it had several configurations beside each
    other, as after a sweep, each of them is.

    Args:
        trend: The trend.
        metric: One of the metrics with which it was computed.
    """
    steps = [step for series in _series(trend) for step in _steps(series, metric)]
    return sorted(steps, key=lambda step: step.after.accepted_at)


def _series(trend: Trend) -> list[list[Acceptance]]:
    series: dict[Identity, list[Acceptance]] = {}
    for acceptance in trend.acceptances:
        if not (acceptance.is_run and acceptance.is_dirty):
            series.setdefault(acceptance.series, []).append(acceptance)
    return list(series.values())


def _steps(points: Sequence[Acceptance], metric: str) -> list[Step]:
    measurements = _measurements(points, metric)
    if len(measurements) < 2:
        return []
    errors = np.array([_seed_sd(measurements) / math.sqrt(len(measurement.values)) for measurement in measurements])
    means = np.array([math.fsum(measurement.values) / len(measurement.values) for measurement in measurements])
    return [
        Step(
            metric, measurements[change.start - 1].last, measurements[change.start].first, change.size, change.interval
        )
        for change in find_changes(means, errors)
    ]


def _measurements(points: Sequence[Acceptance], metric: str) -> list[_Measurement]:
    known = [(point, spread.values) for point in points if (spread := point.figures[metric]) is not None]
    measurements = []
    # Every figure: two trainings can have the same HR by chance.
    for _, group in groupby(known, key=lambda pair: pair[0].fingerprint):
        same = list(group)
        measurements.append(_Measurement(same[0][0], same[-1][0], same[0][1]))
    return measurements


def _seed_sd(measurements: Sequence[_Measurement]) -> float:
    """Returns the standard deviation over seeds, widened for how little is known of it."""
    degrees = sum(len(measurement.values) - 1 for measurement in measurements)
    if degrees >= LEAST_DEGREES:
        squares = math.fsum(
            (len(measurement.values) - 1) * float(np.var(measurement.values, ddof=1))
            for measurement in measurements
            if len(measurement.values) > 1
        )
        return math.sqrt(squares / degrees) * student_quantile(Z, degrees) / Z
    differences = np.abs(np.diff([measurement.values[0] for measurement in measurements]))
    if len(differences) < LEAST_DIFFERENCES:
        widths = [
            acceptance.interval.high - acceptance.interval.low
            for acceptance in (m.first for m in measurements)
            if acceptance.interval
        ]
        return max([ASSUMED_SEED_SD, *(SHARE_OF_USERS * width / (2 * Z) for width in widths)])
    return max(float(np.median(differences)) / OF_NORMAL / math.sqrt(2), ASSUMED_SEED_SD)
