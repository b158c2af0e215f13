"""The best accepted records of a model, which are kept so that slow losses can be seen."""

from collections.abc import Sequence

from recbench.evaluation.metric_names import parse_measure
from recbench.records.grouping import TrialGroup, is_same
from recbench.records.history_metrics import HR
from recbench.records.replacement import renewed


def best_groups(
    best: Sequence[TrialGroup], accepted: Sequence[TrialGroup], removed: Sequence[TrialGroup], *, refresh: bool
) -> list[TrialGroup]:
    """Returns what is the best of a model on a task after an acceptance. Configurations are never averaged.

    A configuration is compared with itself. Configurations that only one of the two has, because hyper-parameters were
    changed, are compared as a whole, by the best of each.

    Args:
        best: What was the best before.
        accepted: What is accepted now.
        removed: The configurations that the acceptance has taken away without another in their place.
        refresh: Whether the records of unchanged results get the timings of the new ones.
    """
    if {group.task.digest for group in best} != {group.task.digest for group in accepted}:
        # There is none yet, or it is of another task by now.
        return list(accepted)
    left, alone, chosen = list(best), [], []
    for group in accepted:
        same = next((best_group for best_group in left if is_same(best_group.record, group.record)), None)
        if same is None:
            alone.append(group)
        else:
            left.remove(same)
            chosen.append(_better(same, group, refresh=refresh))
    if not alone:
        return chosen + [
            best_group for best_group in left if not any(is_same(best_group.record, other.record) for other in removed)
        ]
    return chosen + (left if left and max(map(_mean, left)) >= max(map(_mean, alone)) else alone)


def settled(accepted: Sequence[TrialGroup], group: TrialGroup, *, refresh: bool) -> TrialGroup:
    """Returns a group that is being accepted, with the accepted trials in place of those of the same result.

    Args:
        accepted: What was accepted before.
        group: The group.
        refresh: See ``renewed``.
    """
    present = {
        trial.record.seed: trial
        for accepted_group in accepted
        if is_same(accepted_group.record, group.record)
        for trial in accepted_group.trials
    }
    pairs = ((present.get(trial.record.seed), trial) for trial in group.trials)
    return TrialGroup(tuple((old and renewed(old, new, refresh=refresh)) or new for old, new in pairs))


def _better(best: TrialGroup, group: TrialGroup, *, refresh: bool) -> TrialGroup:
    """Returns the better of two groups of one configuration."""
    if _mean(group) > _mean(best):
        return settled([best], group, refresh=refresh)
    seeds = {trial.record.seed: trial for trial in group.trials}
    pairs = ((trial, seeds.get(trial.record.seed)) for trial in best.trials)
    return TrialGroup(tuple((new and renewed(old, new, refresh=refresh)) or old for old, new in pairs))


def _mean(group: TrialGroup) -> float:
    return group.mean(parse_measure(HR)) or 0.0
