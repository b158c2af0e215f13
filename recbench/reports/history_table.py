"""The trend of one configuration in the history as columns, and as a document."""

from collections.abc import Sequence
from typing import cast

from recbench.evaluation.metric import Measure
from recbench.records.history_metrics import HR
from recbench.reports.cells import NO_FIGURE, NO_RANKS, signed
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.history_document_types import AcceptanceOfTrendDocument, TrendDocument
from recbench.reports.short_figures import short_figure, short_interval, short_rate
from recbench.reports.timing_notes import timed_throughput, too_short
from recbench.reports.trend import Acceptance, Trend
from recbench.reports.trend_steps import Step

FIRST_COLUMNS = ("time", "label", "revision", "parameters", "seeds")
CHANGE, SPEED = "change", "speed"
RANKS = {"time": 0, "label": 3, "revision": 5, "parameters": 7, "seeds": 6}
DIRTY = "+"
"""Stands behind a revision whose files were changed and not committed."""


def column_names(measures: Sequence[Measure]) -> list[str]:
    """Returns the names of the columns, given the metrics."""
    names = [measure.name for measure in measures]
    return [*FIRST_COLUMNS, names[0], CHANGE, *names[1:], SPEED]


def history_columns(trend: Trend, measures: Sequence[Measure]) -> list[Column]:
    """Returns the columns of a trend: a row an acceptance; a dash where its records lack a metric.

    Args:
        trend: The trend.
        measures: The metrics; the first has its change beside it.
    """
    rows = trend.acceptances
    varying = varying_names(trend)
    texts = [
        [f"{row.accepted_at:%Y-%m-%d %H:%M}" for row in rows],
        [row.label for row in rows],
        [(row.sha or "")[:9] + (DIRTY if row.is_dirty else "") for row in rows],
        [parameters_text(row, varying) for row in rows],
        [str(row.n_seeds) for row in rows],
    ]
    columns = [
        text_column(name, cells, rank=RANKS[name], cut=Cut.MIDDLE if name in ("label", "parameters") else None)
        for name, cells in zip(FIRST_COLUMNS, texts, strict=True)
    ]
    first, *others = measures
    columns += [_metric(first, rows, 1), _change(first, rows)]
    columns += [_metric(measure, rows, 5 + number) for number, measure in enumerate(others)]
    return [*columns, _speed(rows)]


def parameters_line(trend: Trend) -> str:
    """Returns the hyper-parameters that the table does not show; empty if there are none, or they are not known."""
    last = trend.acceptances[-1].hyperparameters
    if not last:
        return ""
    hidden = trend.varying() if _all_known(trend) else []
    shown = ", ".join(f"{name}={value}" for name, value in last.items() if name not in hidden)
    if not shown:
        return ""
    return f"Parameters{'' if _all_known(trend) else ' of the last one'}: {shown}"


def step_line(step: Step, measure: Measure, trend: Trend) -> str:
    """Returns a step as a sentence: its size, its interval, and the two revisions that it lies between."""
    size = f"{signed(step.size)} [{signed(step.interval.low)}, {signed(step.interval.high)}]"
    labels = {acceptance.label for acceptance in trend.acceptances}
    label = f" ({step.after.label})" if len(labels) > 1 else ""
    return f"Step of {measure.label}{label}: {size}, between {_point(step.before)} and {_point(step.after)}"


def _point(acceptance: Acceptance) -> str:
    when = f"{acceptance.accepted_at:%Y-%m-%d}"
    return f"{acceptance.sha[:9]} ({when})" if acceptance.sha else f"{acceptance.label} of {when}"


def trend_document(trend: Trend, steps: Sequence[Step]) -> TrendDocument:
    """Returns a trend and its steps as an object of JSON."""
    return {
        "task": trend.task,
        "digest": trend.digest,
        "model": trend.model,
        "acceptances": [_document(acceptance) for acceptance in trend.acceptances],
        "steps": [
            {
                "metric": step.metric,
                "difference": step.size,
                "interval": [step.interval.low, step.interval.high],
                "before": {"revision": step.before.sha, "accepted_at": step.before.accepted_at.isoformat()},
                "after": {"revision": step.after.sha, "accepted_at": step.after.accepted_at.isoformat()},
            }
            for step in steps
        ],
    }


def _document(acceptance: Acceptance) -> AcceptanceOfTrendDocument:
    means = {metric: spread.mean if spread else None for metric, spread in acceptance.figures.items()}
    document: AcceptanceOfTrendDocument = {
        "accepted_at": acceptance.accepted_at.isoformat(),
        "kind": "run" if acceptance.is_run else "accepted",
        "label": acceptance.label,
        "revision": acceptance.sha,
        "dirty": acceptance.is_dirty,
        "parameters": acceptance.parameters,
        "params": None if acceptance.hyperparameters is None else dict(acceptance.hyperparameters),
        "seeds": acceptance.n_seeds,
        "metrics": means,
        "intervals": {HR: None if acceptance.interval is None else [acceptance.interval.low, acceptance.interval.high]},
        "changes": dict(acceptance.changes),
        "interactions_per_second": acceptance.interactions_per_second.mean
        if acceptance.interactions_per_second
        else None,
        "accepted_regressions": dict(acceptance.accepted_regressions),
        "renamed_from": acceptance.renamed_from,
    }
    # Documents have always had these; a type cannot name them.
    return cast(AcceptanceOfTrendDocument, {**document, **means})


def _all_known(trend: Trend) -> bool:
    return all(acceptance.hyperparameters is not None for acceptance in trend.acceptances)


def varying_names(trend: Trend) -> list[str] | None:
    """Returns the hyper-parameters that are not the same in all of a trend; None if those of a part are not known."""
    return trend.varying() if _all_known(trend) else None


def parameters_text(acceptance: Acceptance, varying: Sequence[str] | None) -> str:
    """Returns the hyper-parameters of an acceptance that vary in its trend, by name; their hash if that is not known.

    Args:
        acceptance: The acceptance.
        varying: See ``varying_names``.
    """
    if acceptance.hyperparameters is None or varying is None:
        return acceptance.parameters
    _, _, conditions = acceptance.parameters.partition(" ")
    names = ", ".join(
        f"{name}={acceptance.hyperparameters[name]}" for name in varying if name in acceptance.hyperparameters
    )
    return " ".join(text for text in (names, conditions) if text)


def _metric(measure: Measure, rows: Sequence[Acceptance], rank: int) -> Column:
    spreads = [row.figures[measure.name] for row in rows]
    wide = [f"{spread.mean:.4f}" if spread else NO_RANKS for spread in spreads]
    narrow = [short_figure(spread.mean) if spread else NO_RANKS for spread in spreads]
    keys = [-spread.mean if spread else None for spread in spreads]
    figures = Look(measure.label, narrow, "l", rank)
    intervals = [row.interval if measure.name == HR else None for row in rows]
    if not any(intervals):
        return Column(measure.name, (Look(measure.label, wide, "l"),), (figures,), keys)
    limits = [f"{interval.low:.3f}-{interval.high:.3f}" if interval else "" for interval in intervals]
    both = [
        f"{text} {short_interval(interval)}" if interval else text
        for text, interval in zip(narrow, intervals, strict=True)
    ]
    header = f"{measure.label} [95 %]"
    looks = (Look(measure.label, wide, "l"), Look("95 %", limits, "l"))
    return Column(measure.name, looks, (Look(header, both, "l", 4), figures), keys)


def _change(measure: Measure, rows: Sequence[Acceptance]) -> Column:
    changes = [row.changes.get(measure.name) for row in rows]
    cells = ["" if change is None else signed(change) for change in changes]
    keys = [None if change is None else -change for change in changes]
    return Column(CHANGE, (Look(CHANGE, cells, "l", 2),), keys=keys)


def _speed(rows: Sequence[Acceptance]) -> Column:
    """Returns the column of throughput; a dash where the fit was too short to time."""
    speeds = [timed_throughput(row.interactions_per_second, row.fit_seconds) for row in rows]
    absent = [NO_FIGURE if too_short(row.fit_seconds) else "" for row in rows]
    wide = [f"{speed.mean:,.0f}" if speed else text for speed, text in zip(speeds, absent, strict=True)]
    narrow = [short_rate(speed.mean) if speed else text for speed, text in zip(speeds, absent, strict=True)]
    keys = [-speed.mean if speed else None for speed in speeds]
    return Column(SPEED, (Look("interactions/s", wide, "l"),), (Look(SPEED, narrow, "l", 8),), keys)
