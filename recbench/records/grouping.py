"""Which trials are seeds of one configuration under one set of conditions. All reports group in this way."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from recbench.counted import counted
from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import ParameterValue, Record, Status, TaskIdentity, class_identity


@dataclass(frozen=True, slots=True, eq=False)
class TrialGroup:
    """All trials of one configuration on one task under one set of conditions, by seed; each seed once."""

    trials: tuple[FinishedTrial, ...]

    @property
    def record(self) -> Record:
        """The record of the first seed; what it says of the group holds for all."""
        return self.trials[0].record

    @property
    def model(self) -> str:
        """The model's name."""
        return self.record.model

    @property
    def name(self) -> str:
        """What people call it before anything that differs is added; comparisons match groups by it."""
        return name_of(self.record)

    @property
    def task(self) -> TaskIdentity:
        """The task."""
        return self.record.task

    @property
    def parameters(self) -> dict[str, ParameterValue]:
        """The hyper-parameters."""
        return self.record.parameters

    @property
    def done(self) -> tuple[FinishedTrial, ...]:
        """The trials that ended well, which are those with ranks."""
        return tuple(trial for trial in self.trials if trial.record.status is Status.DONE)

    @property
    def errors(self) -> list[str]:
        """What went wrong, one line a trial that did not end well."""
        return [
            f"seed {record.seed} {record.status}: {(record.error_with_place or 'no reason given').splitlines()[0]}"
            for record in (trial.record for trial in self.trials)
            if record.status is not Status.DONE
        ]

    def mean(self, measure: Measure) -> float | None:
        """Returns the mean over the seeds that are done; None unless all of these have such ranks."""
        values = [trial.mean(measure) for trial in self.done]
        known = [value for value in values if value is not None]
        return fmean(known) if known and len(known) == len(values) else None


def name_of(record: Record) -> str:
    """Returns what people call a record's configuration: the user's label, or else the model's name."""
    return record.label or record.model


def configuration_of(record: Record) -> tuple[object, ...]:
    """Returns what a configuration is known by within a task: its name, the model and its hyper-parameters."""
    return (name_of(record), record.model, repr(sorted(record.parameters.items())))


def conditions_of(record: Record) -> dict[str, str]:
    """Returns what a configuration ran under, in words: two of them are never averaged."""
    return {
        "threads": counted(record.threads, "thread"),
        "device": f"device {record.device}",
        "protocol_version": f"protocol version {record.protocol_version}",
        "reference": class_identity(record.reference),
    }


def identity_of(record: Record) -> tuple[object, ...]:
    """Returns what a group of trials is known by within a task: its configuration and its conditions."""
    return (*configuration_of(record), *conditions_of(record).values())


def is_same(first: Record, second: Record) -> bool:
    """Whether two records of a task belong to one group, whatever their seeds."""
    return identity_of(first) == identity_of(second)


def group_trials(trials: Iterable[FinishedTrial]) -> list[TrialGroup]:
    """Groups trials by task, configuration and conditions, in the order in which these first occur.

    Raises:
        RecbenchError: A seed occurs twice in a group; the message names both files.
    """
    groups: dict[tuple[object, ...], list[FinishedTrial]] = {}
    for trial in trials:
        groups.setdefault((trial.record.task.digest, *identity_of(trial.record)), []).append(trial)
    return [TrialGroup(_by_seed(group)) for group in groups.values()]


def group_names(
    groups: Sequence[TrialGroup], sources: Sequence[str] | None = None, *, same_on_all_tasks: bool = False
) -> list[str]:
    """Names the groups so that no two names are the same, as far as anything differs.

    A name is that of ``name_of``. Where several groups of a task share it, the hyper-parameters and conditions in which
    they differ follow in brackets, and then, if two are still alike, where they come from.

    Args:
        groups: The groups.
        sources: Where each comes from, such as the folder that was named.
        same_on_all_tasks: Whether what follows in brackets on one task follows on all.
    """
    alike: dict[tuple[str, str], list[TrialGroup]] = {}
    for group in groups:
        alike.setdefault((group.name, group.task.digest), []).append(group)
    varying = {key: differing(of_name) for key, of_name in alike.items()}
    if same_on_all_tasks:
        varying = _on_all_tasks(varying)
    details = [_details(group, *varying[group.name, group.task.digest]) for group in groups]
    counts = Counter(_key(group, detail) for group, detail in zip(groups, details, strict=True))
    if sources is not None:
        details = [
            [*detail, source] if counts[_key(group, detail)] > 1 else detail
            for group, detail, source in zip(groups, details, sources, strict=True)
        ]
    return [
        f"{group.name} ({', '.join(detail)})" if detail else group.name
        for group, detail in zip(groups, details, strict=True)
    ]


def _on_all_tasks(
    varying: Mapping[tuple[str, str], tuple[set[str], set[str]]],
) -> dict[tuple[str, str], tuple[set[str], set[str]]]:
    """Returns for each name, on each of its tasks, what varies on any of them."""
    parameters: dict[str, set[str]] = {}
    conditions: dict[str, set[str]] = {}
    for (name, _), (of_parameters, of_conditions) in varying.items():
        parameters.setdefault(name, set()).update(of_parameters)
        conditions.setdefault(name, set()).update(of_conditions)
    return {key: (parameters[key[0]], conditions[key[0]]) for key in varying}


def _key(group: TrialGroup, detail: Sequence[str]) -> tuple[str, ...]:
    return group.task.digest, group.name, *detail


def differing(groups: Sequence[TrialGroup]) -> tuple[set[str], set[str]]:
    """Returns the names of the hyper-parameters and of the conditions in which groups differ; at least one group."""
    first = groups[0]
    parameters = {name for group in groups for name in group.parameters}
    agreed = first.parameters
    conditions = [conditions_of(group.record) for group in groups]
    return (
        {
            name
            for name in parameters
            if any(group.parameters.get(name, _ABSENT) != agreed.get(name, _ABSENT) for group in groups)
        },
        {name for name, text in conditions[0].items() if any(condition[name] != text for condition in conditions)},
    )


def _details(group: TrialGroup, parameters: Container[str], conditions: Container[str]) -> list[str]:
    return [
        *(f"{name}={value}" for name, value in group.parameters.items() if name in parameters),
        *(text for name, text in conditions_of(group.record).items() if name in conditions),
    ]


_ABSENT = object()
"""The value of a hyper-parameter that a group does not have; None is a value."""


def _by_seed(trials: Iterable[FinishedTrial]) -> tuple[FinishedTrial, ...]:
    ordered = sorted(trials, key=lambda trial: trial.record.seed)
    for trial, other in pairwise(ordered):
        if trial.record.seed == other.record.seed:
            raise RecbenchError(
                f"Seed {trial.record.seed} of {trial.record.model} occurs twice under the same conditions: "
                f"{trial.place} and {other.place}.",
                "Keep one of the two records.",
            )
    return tuple(ordered)
