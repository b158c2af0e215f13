"""The trend of one configuration in the history as columns, and as a document."""

from collections.abc import Sequence
from typing import cast

from recbench.evaluation.metric import Measure
from recbench.records.history_metrics import HR
from recbench.reports.cells import NO_FIGURE, NO_RANKS
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.history_document_types import AcceptanceOfTrendDocument, TrendDocument
from recbench.reports.short_figures import short_figure, short_interval, short_rate
from recbench.reports.timing_notes import too_short
from recbench.reports.trend import Acceptance, Trend
from recbench.reports.trend_steps import Step

FIRST_COLUMNS = ("accepted", "label", "revision", "parameters", "seeds")
CHANGE, SPEED = "change", "speed"
RANKS = {"accepted": 0, "label": 3, "revision": 5, "parameters": 7, "seeds": 6}
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
    varying = trend.varying() if _all_known(trend) else None
    texts = [
        [f"{one.accepted_at:%Y-%m-%d %H:%M}" for one in rows],
        [one.label for one in rows],
        [(one.sha or "")[:9] + (DIRTY if one.is_dirty else "") for one in rows],
        [_parameters(one, varying) for one in rows],
        [str(one.n_seeds) for one in rows],
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


def step_line(step: Step, measure: Measure) -> str:
    """Returns a step as a sentence: its size, its interval, and the two revisions that it lies between."""
    size = f"{step.size:+.4f} [{step.interval.low:+.4f}, {step.interval.high:+.4f}]"
    return f"Step of {measure.label}: {size}, between {_point(step.before)} and {_point(step.after)}"


def _point(one: Acceptance) -> str:
    when = f"{one.accepted_at:%Y-%m-%d}"
    return f"{one.sha[:9]} ({when})" if one.sha else f"{one.label} of {when}"


def trend_document(trend: Trend, steps: Sequence[Step]) -> TrendDocument:
    """Returns a trend and its steps as an object of JSON."""
    return {
        "task": trend.task,
        "digest": trend.digest,
        "model": trend.model,
        "acceptances": [_document(one) for one in trend.acceptances],
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


def _document(one: Acceptance) -> AcceptanceOfTrendDocument:
    means = {metric: spread.mean if spread else None for metric, spread in one.figures.items()}
    document: AcceptanceOfTrendDocument = {
        "accepted_at": one.accepted_at.isoformat(),
        "kind": "run" if one.is_run else "accepted",
        "label": one.label,
        "revision": one.sha,
        "dirty": one.is_dirty,
        "parameters": one.parameters,
        "params": None if one.hyperparameters is None else dict(one.hyperparameters),
        "seeds": one.n_seeds,
        "metrics": means,
        "intervals": {HR: None if one.interval is None else [one.interval.low, one.interval.high]},
        "changes": dict(one.changes),
        "interactions_per_second": one.interactions_per_second.mean if one.interactions_per_second else None,
        "accepted_regressions": dict(one.accepted_regressions),
        "renamed_from": one.renamed_from,
    }
    # Documents have always had these; a type cannot name them.
    return cast(AcceptanceOfTrendDocument, {**document, **means})


def _all_known(trend: Trend) -> bool:
    return all(one.hyperparameters is not None for one in trend.acceptances)


def _parameters(one: Acceptance, varying: Sequence[str] | None) -> str:
    """Returns the hyper-parameters that differ in the trend, by name; their hash if not all of them are known."""
    if one.hyperparameters is None or varying is None:
        return one.parameters
    _, _, conditions = one.parameters.partition(" ")
    names = ", ".join(f"{name}={one.hyperparameters[name]}" for name in varying if name in one.hyperparameters)
    return " ".join(text for text in (names, conditions) if text)


def _metric(measure: Measure, rows: Sequence[Acceptance], rank: int) -> Column:
    spreads = [one.figures[measure.name] for one in rows]
    wide = [f"{one.mean:.4f}" if one else NO_RANKS for one in spreads]
    narrow = [short_figure(one.mean) if one else NO_RANKS for one in spreads]
    keys = [-one.mean if one else None for one in spreads]
    figures = Look(measure.label, narrow, "l", rank)
    intervals = [one.interval if measure.name == HR else None for one in rows]
    if not any(intervals):
        return Column(measure.name, (Look(measure.label, wide, "l"),), (figures,), keys)
    limits = [f"{one.low:.3f}-{one.high:.3f}" if one else "" for one in intervals]
    both = [
        f"{text} {short_interval(interval)}" if interval else text
        for text, interval in zip(narrow, intervals, strict=True)
    ]
    header = f"{measure.label} [95 %]"
    looks = (Look(measure.label, wide, "l"), Look("95 %", limits, "l"))
    return Column(measure.name, looks, (Look(header, both, "l", 4), figures), keys)


def _change(measure: Measure, rows: Sequence[Acceptance]) -> Column:
    changes = [one.changes.get(measure.name) for one in rows]
    cells = ["" if change is None else f"{change:+.4f}" for change in changes]
    keys = [None if change is None else -change for change in changes]
    return Column(CHANGE, (Look(CHANGE, cells, "l", 2),), keys=keys)


def _speed(rows: Sequence[Acceptance]) -> Column:
    """Returns the column of throughput; a dash where the fit was too short to time."""
    speeds = [None if too_short(one.fit_seconds) else one.interactions_per_second for one in rows]
    absent = [NO_FIGURE if too_short(one.fit_seconds) else "" for one in rows]
    wide = [f"{one.mean:,.0f}" if one else text for one, text in zip(speeds, absent, strict=True)]
    narrow = [short_rate(one.mean) if one else text for one, text in zip(speeds, absent, strict=True)]
    keys = [-one.mean if one else None for one in speeds]
    return Column(SPEED, (Look("interactions/s", wide, "l"),), (Look(SPEED, narrow, "l", 8),), keys)
