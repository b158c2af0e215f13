"""Records in a folder that an earlier state of the code has written, beside those of the present one."""

from collections.abc import Sequence
from dataclasses import replace

from recbench.counted import counted
from recbench.records.finished_trial import FinishedTrial
from recbench.records.grouping import TrialGroup, group_names, group_trials
from recbench.records.selection import RecordSet


def without_superseded(records: RecordSet) -> RecordSet:
    """Returns a record set without configurations that were run only before the code of their model changed.

    Whoever changes a model and its hyper-parameters, and runs it again into the same folder, finds the records of both
    states there. The earlier ones say nothing of the present code. A configuration is left out if each of its records
    lists a file with other content than the latest record of the model on the task does.

    Args:
        records: What was read, such as a folder of runs.

    Returns:
        The others; ``RecordSet.superseded`` names what was left out.
    """
    by_model: dict[tuple[str, str], list[TrialGroup]] = {}
    for group in group_trials(records.trials):
        by_model.setdefault((group.task.digest, group.model), []).append(group)
    left_out: list[str] = []
    gone: set[int] = set()
    for groups in by_model.values():
        latest = max((trial for group in groups for trial in group.trials), key=lambda trial: trial.record.started_at)
        for group, name in zip(groups, group_names(groups), strict=True):
            if changed := _changed_since(group.trials, latest):
                gone |= {id(trial) for trial in group.trials}
                left_out.append(f"{counted(len(group.trials), 'record')} of {name}, run before {changed} changed")
    if not gone:
        return records
    kept = tuple(trial for trial in records.trials if id(trial) not in gone)
    return replace(records, trials=kept, superseded=tuple(left_out))


def _changed_since(trials: Sequence[FinishedTrial], latest: FinishedTrial) -> str:
    """Returns a file that differs from that of the latest record, if one does for each trial; empty otherwise."""
    differing = [latest.record.sources.differing(trial.record.sources) for trial in trials]
    return differing[0][0] if all(differing) else ""
