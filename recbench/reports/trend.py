"""The history of accepted baselines and tracked runs as a trend for each configuration that has a name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import fmean

from recbench.evaluation.bootstrap import Interval
from recbench.records.history import Accepted
from recbench.records.history_metrics import HISTORY_METRICS
from recbench.records.schema import ParameterValue
from recbench.reports.spread import Spread
from recbench.reports.trend_series import Identity, configuration, identity, predecessors, series

BARS = "▁▂▃▄▅▆▇█"
RUN = "run"
"""Stands for the label of a tracked run."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The seeds of one configuration that were accepted, or tracked, together.

    Attributes:
        accepted_at: When, UTC.
        label: Under which label; ``RUN`` for a tracked run.
        sha: Git revision of the run.
        parameters: Hash of the hyper-parameters; with the conditions, where others were accepted at the same time.
        n_seeds: Seeds.
        figures: Each metric over seeds; None where a seed does not have it.
        interactions_per_second: Throughput over seeds.
        fit_seconds: Training time over seeds; None in a history from before it was kept.
        hyperparameters: By name; None in a history from before they were kept.
        interval: 95 % interval of HR@10 over users, averaged over seeds; None where a seed has none.
        changes: How far the mean of each metric is from that of ``before``; None where there is none.
        is_dirty: Whether it was run from uncommitted changes.
        is_run: Whether it is a tracked run, and was not accepted.
        accepted_regressions: Why lower figures were accepted, by metric.
        renamed_from: The name of the model before; None if it is the same.
        identity: Its label and configuration; the texts of two configurations may be the same.
        before: The acceptance that it continues, see ``predecessors``; None if there is none.
        series: Acceptances of one series can be compared, see ``trend_series.series``.
        fingerprint: Every figure of every seed, whichever metrics are asked for: the same for the same training.
    """

    accepted_at: datetime
    label: str
    sha: str | None
    parameters: str
    n_seeds: int
    figures: dict[str, Spread | None]
    interactions_per_second: Spread | None
    fit_seconds: Spread | None
    hyperparameters: Mapping[str, ParameterValue] | None = None
    interval: Interval | None = None
    changes: Mapping[str, float | None] = field(default_factory=dict)
    is_dirty: bool = False
    is_run: bool = False
    accepted_regressions: Mapping[str, str] = field(default_factory=dict)
    renamed_from: str | None = None
    identity: Identity = ()
    # Neither compared nor shown: a chain as long as the history.
    before: "Acceptance | None" = field(default=None, compare=False, repr=False)
    series: Identity = ()
    fingerprint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trend:
    """One model, or one configuration with a label of the user's, on one task.

    Attributes:
        task: The task's name.
        digest: Its digest.
        model: The name of the model or configuration.
        acceptances: By time.
    """

    task: str
    digest: str
    model: str
    acceptances: tuple[Acceptance, ...]

    def sparkline(self, metric: str) -> str:
        """Returns a bar for the metric of each acceptance that has it, from the lowest to the highest of them."""
        return sparkline([spread.mean for acceptance in self.acceptances if (spread := acceptance.figures[metric])])

    def since(self, moment: datetime) -> "Trend":
        """Returns the trend without the acceptances before a moment."""
        return replace(
            self, acceptances=tuple(acceptance for acceptance in self.acceptances if acceptance.accepted_at >= moment)
        )

    def last(self, most: int) -> "Trend":
        """Returns the trend with the last acceptances alone.

        Args:
            most: How many; at least 1.
        """
        return replace(self, acceptances=self.acceptances[-most:])

    def varying(self) -> list[str]:
        """Returns the names of the hyper-parameters that are not the same in all acceptances whose values are known."""
        known = [
            acceptance.hyperparameters for acceptance in self.acceptances if acceptance.hyperparameters is not None
        ]
        names = dict.fromkeys(name for values in known for name in values)
        return [name for name in names if any(_value(value, name) != _value(known[0], name) for value in known)]


def trends(
    lines: Sequence[Accepted],
    metrics: Sequence[str],
    models: Collection[str] | None = None,
    tasks: Collection[str] | None = None,
    label: str | None = None,
) -> list[Trend]:
    """Groups the history by task digest and name. A renamed model continues the history of its earlier name.

    Args:
        lines: The history, by time.
        metrics: The metrics, such as ``hr@10``.
        models: Only these models, by any of their names, or configurations with these labels of the user's.
        tasks: Only the tasks of these names.
        label: Only what was accepted under this label; ``RUN`` for tracked runs.
    """
    groups: dict[tuple[str, str, str], dict[tuple[object, ...], list[Accepted]]] = {}
    names = _last_names(lines)
    selected = {
        name
        for line, name in zip(lines, names, strict=True)
        if models is None or {line.model, line.name, name} & {*models}
    }
    for line, name in zip(lines, names, strict=True):
        if name in selected and (tasks is None or line.task in tasks) and label in (None, label_of(line)):
            of_name = groups.setdefault((line.task, line.digest, name), {})
            key = (line.accepted_at, line.label, line.is_run, *configuration(line))
            of_name.setdefault(key, []).append(line)
    return [
        Trend(name, digest, of, _acceptances([*acceptances.values()], metrics))
        for (name, digest, of), acceptances in groups.items()
    ]


def label_of(line: Accepted) -> str:
    """Returns the label of a line of the history; ``RUN`` for a tracked run."""
    return RUN if line.is_run else line.label


def _last_names(lines: Sequence[Accepted]) -> list[str]:
    """Returns the last name of the model of each line. A name can come back as that of another model."""
    later: dict[tuple[str, str], str] = {}
    last_names = []
    for line in reversed(lines):
        last_names.append(later.get((line.task, line.name), line.name))
        if line.renamed_from is not None:
            later[line.task, line.renamed_from] = last_names[-1]
    return last_names[::-1]


def sparkline(values: Sequence[float]) -> str:
    """Returns a bar for each value; all of one height if the values are the same."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high == low:
        return BARS[3] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


def _acceptances(groups: Sequence[Sequence[Accepted]], metrics: Sequence[str]) -> tuple[Acceptance, ...]:
    # An older line has the hash of its hyper-parameters alone; another line may say what it stands for.
    known = {line.parameters: line.hyperparameters for group in groups for line in group if line.reference}
    conditions: dict[tuple[object, ...], set[tuple[object, ...]]] = {}
    for group in groups:
        conditions.setdefault((_moment(group), group[0].parameters), set()).add((group[0].threads, group[0].device))
    acceptances: list[Acceptance] = []
    for group, earlier, of_series in zip(groups, predecessors(groups), series(groups), strict=True):
        first = group[0]
        alone = len(conditions[_moment(group), first.parameters]) == 1
        suffix = "" if alone else f" (threads {first.threads}, device {first.device})"
        acceptance = _acceptance(group, first.parameters + suffix, known.get(first.parameters), metrics)
        before = None if earlier is None else acceptances[earlier]
        figures = before.figures if before else {}
        changes = {metric: _difference(acceptance.figures[metric], figures.get(metric)) for metric in metrics}
        acceptances.append(replace(acceptance, changes=changes, before=before, series=of_series))
    return tuple(acceptances)


def _moment(group: Sequence[Accepted]) -> tuple[datetime, str]:
    return group[0].accepted_at, label_of(group[0])


def _difference(spread: Spread | None, before: Spread | None) -> float | None:
    return spread.mean - before.mean if spread and before else None


def _acceptance(
    seeds: Sequence[Accepted],
    parameters: str,
    hyperparameters: Mapping[str, ParameterValue] | None,
    metrics: Sequence[str],
) -> Acceptance:
    first = seeds[0]
    return Acceptance(
        first.accepted_at,
        label_of(first),
        first.sha,
        parameters,
        len(seeds),
        {metric: Spread.of_all(line.figure(metric) for line in seeds) for metric in metrics},
        Spread.of(line.interactions_per_second for line in seeds),
        Spread.of_all(line.fit_seconds for line in seeds),
        hyperparameters,
        _mean_interval(seeds),
        is_dirty=any(line.is_dirty for line in seeds),
        is_run=first.is_run,
        accepted_regressions={metric: reason for line in seeds for metric, reason in line.accepted_regressions.items()},
        renamed_from=first.renamed_from,
        identity=identity(first),
        fingerprint=tuple(sorted(repr([line.figure(metric) for metric in HISTORY_METRICS]) for line in seeds)),
    )


def _mean_interval(seeds: Sequence[Accepted]) -> Interval | None:
    known = [line.hr_interval for line in seeds if line.hr_interval is not None]
    if len(known) < len(seeds):
        return None
    return Interval(fmean(low for low, _ in known), fmean(high for _, high in known))


_ABSENT = object()
"""The value of a hyper-parameter that a configuration does not have; None is a value."""


def _value(values: Mapping[str, ParameterValue], name: str) -> object:
    return values.get(name, _ABSENT)
