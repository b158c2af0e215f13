"""Which configuration of one side belongs to which of the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue, Status, TaskIdentity
from recbench.records.selection import RankedTrial, Side


@dataclass(frozen=True, slots=True, eq=False)
class Configured:
    """All trials of one configuration on one task, by seed."""

    trials: tuple[RankedTrial, ...]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.trials[0].record.model

    @property
    def task(self) -> TaskIdentity:
        """The task."""
        return self.trials[0].record.task

    @property
    def parameters(self) -> dict[str, ParameterValue]:
        """The hyper-parameters."""
        return self.trials[0].record.parameters

    @property
    def done(self) -> tuple[RankedTrial, ...]:
        """The trials that ended well, which are those with ranks."""
        return tuple(trial for trial in self.trials if trial.record.status is Status.DONE)

    @property
    def errors(self) -> list[str]:
        """What went wrong, one line a trial that did not end well."""
        return [
            f"seed {t.record.seed} {t.record.status}: {(t.record.error or 'no reason given').splitlines()[0]}"
            for t in self.trials
            if t.record.status is not Status.DONE
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A configuration on both sides; or on one, and None on the other."""

    base: Configured | None
    current: Configured | None


def match_sides(base: Side, current: Side) -> list[Match]:
    """Matches the configurations of two sides, in the order of CURRENT and then what only BASE has.

    Tasks are matched by digest. What is left is matched by the task's name, or, if each side has one task left,
    with that one, so that a task that changed is told as such and not as one missing and one new. Within a task,
    models are matched by name; if one side has several configurations of a model, by equal parameters.

    Raises:
        RecbenchError: One side has a seed twice, or it is not clear which configuration belongs to which.
    """
    ours, theirs = _by_task(current), _by_task(base)
    partner = {digest: digest for digest in ours if digest in theirs}
    left = [digest for digest in ours if digest not in partner]
    free = [digest for digest in theirs if digest not in partner]
    for digest in left:
        name = ours[digest][0].task.name
        same = [other for other in free if theirs[other][0].task.name == name]
        if same or (len(left) == len(free) == 1):
            partner[digest] = (same or free)[0]
    matches = []
    for digest, configured in ours.items():
        matches += _match_models(theirs[partner[digest]] if digest in partner else [], configured)
    for digest, configured in theirs.items():
        if digest not in partner.values():
            matches += [Match(one, None) for one in configured]
    return matches


def _by_task(side: Side) -> dict[str, list[Configured]]:
    groups: dict[tuple[str, str, str], list[RankedTrial]] = {}
    for trial in side.trials:
        record = trial.record
        key = (record.task.digest, record.model, repr(sorted(record.parameters.items())))
        groups.setdefault(key, []).append(trial)
    tasks: dict[str, list[Configured]] = {}
    for (digest, model, _), trials in groups.items():
        trials = sorted(trials, key=lambda trial: trial.record.seed)
        for one, other in pairwise(trials):
            if one.record.seed == other.record.seed:
                raise RecbenchError(
                    f"{side.text} has seed {one.record.seed} of {model} twice: {one.place} ({_conditions(one)}) and "
                    f"{other.place} ({_conditions(other)}).",
                    "Keep one of them in the folder.",
                )
        tasks.setdefault(digest, []).append(Configured(tuple(trials)))
    return tasks


def _conditions(trial: RankedTrial) -> str:
    record = trial.record
    return f"threads {record.threads}, device {record.device}, {record.reference}"


def _match_models(base: Sequence[Configured], current: Sequence[Configured]) -> list[Match]:
    matches = []
    for model in _names(current, base):
        ours = [one for one in current if one.model == model]
        theirs = [one for one in base if one.model == model]
        if len(ours) == len(theirs) == 1:
            matches.append(Match(theirs[0], ours[0]))
            continue
        for one in list(ours):
            same = [other for other in theirs if other.parameters == one.parameters]
            if same:
                matches.append(Match(same[0], one))
                ours.remove(one)
                theirs.remove(same[0])
        if ours and theirs:
            raise RecbenchError(
                f"It is not clear which configurations of {model} belong together: BASE has "
                f"{'; '.join(map(_settings, theirs))}, CURRENT has {'; '.join(map(_settings, ours))}.",
                "Where a side has several configurations of a model, those with equal parameters are compared: "
                "give folders that have one configuration each.",
            )
        matches += [Match(None, one) for one in ours] + [Match(one, None) for one in theirs]
    return matches


def _settings(configured: Configured) -> str:
    return ", ".join(f"{name}={value}" for name, value in configured.parameters.items()) or "no parameters"


def _names(*sides: Iterable[Configured]) -> list[str]:
    return list(dict.fromkeys(configured.model for side in sides for configured in side))
