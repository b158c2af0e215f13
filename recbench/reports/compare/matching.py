"""Which group of trials of BASE belongs to which of CURRENT."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from recbench.errors import RecbenchError
from recbench.records.grouping import TrialGroup, configuration_of, group_names, group_trials, identity_of, name_of
from recbench.records.schema import Record
from recbench.records.selection import RecordSet

MOST_NAMED = 5
"""An error names at most so many groups of one side."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A configuration of both BASE and CURRENT; or of one, and None for the other."""

    base: TrialGroup | None
    current: TrialGroup | None

    @property
    def present(self) -> TrialGroup:
        """The group that is there: of CURRENT, or else of BASE."""
        group = self.current or self.base
        assert group is not None
        return group

    @property
    def names(self) -> frozenset[str]:
        """The names by which options and policies may call it: the model, and the label of its configuration."""
        return frozenset({self.present.model, self.present.name})


def match_groups(base: RecordSet, current: RecordSet) -> list[Match]:
    """Matches the groups of two record sets, in the order of CURRENT and then what only BASE has.

    Tasks are matched by digest. What is left is matched by the task's name, or, if each has one task left, with that
    one, so that a task that changed is reported as changed, not as one missing and one new. Within a task, models are
    matched by name. Where BASE or CURRENT has several groups of a model, equal hyper-parameters and conditions (such as
    threads) belong together, and then equal hyper-parameters, if only one group of each has them.

    Raises:
        RecbenchError: One of them has a seed twice, or it is not clear which groups belong together.
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
    for digest, groups in ours.items():
        matches += _match_models(theirs[partner[digest]] if digest in partner else [], groups)
    for digest, groups in theirs.items():
        if digest not in partner.values():
            matches += [Match(group, None) for group in groups]
    return matches


def _by_task(records: RecordSet) -> dict[str, list[TrialGroup]]:
    tasks: dict[str, list[TrialGroup]] = {}
    for group in group_trials(records.trials):
        tasks.setdefault(group.task.digest, []).append(group)
    return tasks


def _match_models(base: Sequence[TrialGroup], current: Sequence[TrialGroup]) -> list[Match]:
    matches = []
    current_by_name, base_by_name = _by_key(current, name_of), _by_key(base, name_of)
    for name in {**current_by_name, **base_by_name}:
        ours, theirs = current_by_name.get(name, []), base_by_name.get(name, [])
        if len(ours) == len(theirs) == 1:
            matches.append(Match(theirs[0], ours[0]))
            continue
        matches += _take_pairs(theirs, ours, identity_of)
        matches += _take_pairs(theirs, ours, configuration_of)
        if ours and theirs:
            raise RecbenchError(
                f"It is not clear which configurations of {name} belong together: BASE has "
                f"{'; '.join(_described(theirs))}, CURRENT has {'; '.join(_described(ours))}.",
                "Where there are several groups of a model, those with equal hyper-parameters are compared: "
                "give folders that have one configuration each.",
            )
        matches += [Match(None, group) for group in ours] + [Match(group, None) for group in theirs]
    return matches


def _take_pairs(base: list[TrialGroup], current: list[TrialGroup], key: Callable[[Record], Hashable]) -> list[Match]:
    """Takes the groups of equal keys, one of BASE and one of CURRENT, out of the lists."""
    ours, theirs = _by_key(current, key), _by_key(base, key)
    pairs = {
        known: Match(theirs[known][0], groups[0])
        for known, groups in ours.items()
        if len(groups) == len(theirs.get(known, ())) == 1
    }
    for groups in (base, current):
        groups[:] = [group for group in groups if key(group.record) not in pairs]
    return list(pairs.values())


def _by_key(groups: Sequence[TrialGroup], key: Callable[[Record], Hashable]) -> dict[Hashable, list[TrialGroup]]:
    groups_by_key: dict[Hashable, list[TrialGroup]] = {}
    for group in groups:
        groups_by_key.setdefault(key(group.record), []).append(group)
    return groups_by_key


def _described(groups: Sequence[TrialGroup]) -> list[str]:
    if len(groups) > 1:
        names = group_names(groups)
        more = [f"{len(names) - MOST_NAMED:,} more"] if names[MOST_NAMED:] else []
        return [*names[:MOST_NAMED], *more]
    parameters = groups[0].parameters
    return [", ".join(f"{name}={value}" for name, value in parameters.items()) or "no hyper-parameters"]
