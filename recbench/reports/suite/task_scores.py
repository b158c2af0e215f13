"""The scores of every model on every task of a suite, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recbench.counted import counted
from recbench.errors import NothingToCompareError, RecbenchError, did_you_mean
from recbench.evaluation.inference import Sample, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.user_sums import UserSums
from recbench.records.grouping import TrialGroup, group_names, group_trials
from recbench.records.schema import TaskIdentity
from recbench.records.suite_folder import SuiteRecords
from recbench.records.suite_layout import MANIFEST


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A model of one source.

    Attributes:
        model: Its name within the source.
        name: What tables call it: with its source, if there are several.
        source: Whose records they are.
        groups: Its trials on each task that has some, by the digest of the task.
    """

    model: str
    name: str
    source: str
    groups: Mapping[str, TrialGroup]

    @property
    def machines(self) -> tuple[str, ...]:
        """The processors that its trials ran on."""
        records = [trial.record for group in self.groups.values() for trial in group.trials]
        return tuple(dict.fromkeys(record.environment.cpu for record in records))


@dataclass(frozen=True, slots=True)
class Missing:
    """A task that a model lacks, so that the report does not use the task.

    Attributes:
        task: The name of the task.
        model: What tables call the model.
        reason: Why the model has no figure.
    """

    task: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class TaskScores:
    """A task that every model has.

    Attributes:
        task: The task.
        by_user: The sums of each user's scores, a model a column.
    """

    task: TaskIdentity
    by_user: UserSums


def listed_only(sources: Sequence[SuiteRecords]) -> tuple[list[SuiteRecords], list[str]]:
    """Leaves out the records of tasks that the list of a source does not have.

    They are of a task that was removed from the suite, or that has another digest since.

    Returns:
        The sources, and a line for each that has such records.
    """
    kept, lines = [], []
    for source in sources:
        if source.manifest is None:
            kept.append(source)
            continue
        listed = {*source.manifest.tasks}
        trials = [trial for trial in source.trials if trial.record.task in listed]
        if len(trials) < len(source.trials):
            others = {trial.record.task for trial in source.trials} - listed
            names = ", ".join(sorted(f"{task.name} {task.digest[:19]}" for task in others))
            count = counted(len(source.trials) - len(trials), "record")
            lines.append(f"Not used: {count} of {source.source} of tasks that are not in its {MANIFEST}: {names}.")
        kept.append(replace(source, trials=tuple(trials)))
    return kept, lines


def entrants(sources: Sequence[SuiteRecords], models: Sequence[str] | None) -> list[Entrant]:
    """Returns the models of all sources, each of its tasks together.

    Args:
        sources: The records.
        models: Only these models; None for all.

    Raises:
        RecbenchError: No source has one of the models, or a seed of a model occurs twice.
    """
    entrants_of_all = []
    for source in sources:
        groups = group_trials(source.trials)
        by_name: dict[str, dict[str, TrialGroup]] = {}
        for name, group in zip(group_names(groups, same_on_all_tasks=True), groups, strict=True):
            if models is None or {name, group.name, group.model} & {*models}:
                by_name.setdefault(name, {})[group.task.digest] = group
        entrants_of_all += [
            Entrant(name, f"{name} [{source.source}]" if len(sources) > 1 else name, source.source, of_model)
            for name, of_model in by_name.items()
        ]
    _check_models(sources, models)
    return entrants_of_all


def _check_models(sources: Sequence[SuiteRecords], models: Sequence[str] | None) -> None:
    records = [trial.record for source in sources for trial in source.trials]
    known = {name for record in records for name in (record.model, record.label) if name}
    known |= {name for source in sources for name in group_names(group_trials(source.trials), same_on_all_tasks=True)}
    for name in models or ():
        if name not in known:
            raise RecbenchError(
                f"There is no model {name!r} in these records.{did_you_mean(name, known)}",
                f"Available: {', '.join(sorted(known))}",
            )


def tasks_of(sources: Sequence[SuiteRecords]) -> list[TaskIdentity]:
    """Returns the tasks of all sources, each once.

    Raises:
        RecbenchError: Two sources have different tasks of one name, or one task under two names.
    """
    digests: dict[str, tuple[str, str]] = {}
    names: dict[str, str] = {}
    for entry in sources:
        listed = entry.manifest.tasks if entry.manifest else ()
        for task in (*listed, *(trial.record.task for trial in entry.trials)):
            digest, source = digests.setdefault(task.name, (task.digest, entry.source))
            if digest != task.digest:
                raise RecbenchError(
                    f"The records of {entry.source} are of another task {task.name!r}: {task.digest[:19]}, and those "
                    f"of {source} are of {digest[:19]}.",
                    f"Figures of different tasks cannot be compared. Remove the folder {task.name} of one of the two, "
                    "or run the models again on the same task.",
                )
            if names.setdefault(task.digest, task.name) != task.name:
                raise RecbenchError(
                    f"{task.name} and {names[task.digest]} are the same task: {task.digest[:19]}.",
                    "A suite has each task once. Remove the records of one of the two.",
                )
    return [TaskIdentity(name=name, digest=digest) for name, (digest, _) in digests.items()]


def common_tasks(
    models: Sequence[Entrant], tasks: Sequence[TaskIdentity], measure: Measure
) -> tuple[list[TaskScores], list[Missing]]:
    """Returns the tasks that every model has, and what is missing on the others.

    Args:
        models: The models.
        tasks: All tasks.
        measure: The metric.

    Raises:
        RecbenchError: Two records of a task have different cases, or the metric cannot be computed.
        NothingToCompareError: Fewer than two models, or no two tasks that all models have.
    """
    if len(models) < 2:
        raise NothingToCompareError(
            f"A suite compares at least two models, and there is {models[0].name if models else 'none'}.",
            "Run another one: recbench suite run SUITE --models A,B",
        )
    common: list[TaskScores] = []
    missing: list[Missing] = []
    for task in tasks:
        samples: list[Sample] = []
        lacking: list[Missing] = []
        for model in models:
            sample = _sample(model.groups.get(task.digest), measure)
            if isinstance(sample, str):
                lacking.append(Missing(task.name, model.name, sample))
            else:
                samples.append(sample)
        if lacking:
            missing += lacking
        else:
            common.append(TaskScores(task, _together(samples, task)))
    if len(common) < 2:
        raise _too_few(common, missing, measure)
    return common, missing


def _sample(group: TrialGroup | None, measure: Measure) -> Sample | str:
    """Returns the values of the metric, seeds averaged; or why there are none."""
    if group is None:
        return "no records"
    if group.errors:
        return "; ".join(group.errors)
    ranks = [ranks_of_trial for trial in group.done if (ranks_of_trial := trial.ranks_in(measure.ranking)) is not None]
    if len(ranks) < len(group.done):
        return f"no full ranking, which {measure.label} needs"
    return seed_mean(ranks, measure)


def _together(samples: Sequence[Sample], task: TaskIdentity) -> UserSums:
    first = samples[0]
    if any(not np.array_equal(sample.users, first.users) for sample in samples):
        raise RecbenchError(
            f"Records of {task.name} {task.digest[:19]} have different cases.",
            "Run the models again: recbench suite run SUITE --force",
        )
    return UserSums.of(np.column_stack([sample.values for sample in samples]), first.users)


def _too_few(common: Sequence[TaskScores], missing: Sequence[Missing], measure: Measure) -> NothingToCompareError:
    have = f"only {common[0].task.name} has" if common else "no task has"
    reasons = "; ".join(missing_lines(missing)) or "there is one task only"
    return NothingToCompareError(
        f"A suite needs two tasks with {measure.label} of every model, and {have}: {reasons}.",
        "Run what is missing: recbench suite run SUITE. Or leave models out: --models A,B",
    )


def missing_lines(missing: Sequence[Missing]) -> list[str]:
    """Returns a line for each task that the report does not use, with the models that lack it and why."""
    by_task: dict[str, list[Missing]] = {}
    for gap in missing:
        by_task.setdefault(gap.task, []).append(gap)
    return [
        f"{task}: {', '.join(f'{gap.model} ({gap.reason})' for gap in of_task)}" for task, of_task in by_task.items()
    ]
