"""Models that were renamed: their accepted records go on under the new name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from recbench.errors import RecbenchError, unknown_name
from recbench.records.finished_trial import FinishedTrial
from recbench.records.grouping import name_of
from recbench.records.schema import Record
from recbench.records.selection import RecordSet

EXAMPLE = "For example: --renamed Old=New"


def read_renames(texts: Iterable[str]) -> dict[str, str]:
    """Reads ``Old=New``; returns the new names by the old ones.

    Raises:
        RecbenchError: A text is not of this form, or a name is renamed twice.
    """
    renames: dict[str, str] = {}
    for text in texts:
        old, equals, new = (part.strip() for part in text.partition("="))
        if not (old and equals and new):
            raise RecbenchError(f"--renamed {text!r} is not Old=New.", EXAMPLE)
        if renames.setdefault(old, new) != new:
            raise RecbenchError(f"--renamed gives {old} two new names: {renames[old]} and {new}.", EXAMPLE)
    check_renames(renames)
    return renames


def check_renames(renames: Mapping[str, str]) -> None:
    """Checks that no name is both old and new, and that no two models get one name.

    Raises:
        RecbenchError: A name is, or two do.
    """
    both = sorted(set(renames) & set(renames.values()))
    if both:
        raise RecbenchError(f"{both[0]} is an old and a new name.", f"Give only the last name. {EXAMPLE}")
    new = list(renames.values())
    twice = [name for name in new if new.count(name) > 1]
    if twice:
        raise RecbenchError(f"Two models are renamed to {twice[0]}.", f"Each model needs its own new name. {EXAMPLE}")


def renames_that_apply(base: RecordSet, renames: Mapping[str, str]) -> dict[str, str]:
    """Returns those renames that apply: BASE has the old name, and not yet the new one."""
    names = {name_of(trial.record) for trial in base.trials}
    return {old: new for old, new in renames.items() if old in names and new not in names}


def check_applied(base: RecordSet, current: RecordSet, renames: Mapping[str, str]) -> None:
    """Checks that all renames apply, because a user has asked for them. A new name may be accepted already.

    Raises:
        RecbenchError: BASE has neither of the two names or both, or CURRENT lacks a new name or has an old one.
    """
    before, after = ({name_of(trial.record) for trial in side.trials} for side in (base, current))
    for old, new in renames.items():
        if old not in before and new not in before:
            raise unknown_name("model of BASE", old, before, EXAMPLE)
        if old in before and new in before:
            raise RecbenchError(f"BASE has {old} and {new}: they are two models.", "Leave out --renamed.")
        if new not in after:
            raise unknown_name("model of CURRENT", new, after, EXAMPLE)
        if old in after:
            raise RecbenchError(f"CURRENT still has {old} beside {new}.", "Leave out --renamed, or run again.")


def with_new_names(records: RecordSet, renames: Mapping[str, str]) -> RecordSet:
    """Returns the records under their new names."""
    return replace(records, trials=tuple(renamed_trials(records.trials, renames))) if renames else records


def renamed_trials(trials: Sequence[FinishedTrial], renames: Mapping[str, str]) -> list[FinishedTrial]:
    """Returns trials under their new names, in memory; those of other models stay the same objects."""
    return [
        type(trial).in_memory(_renamed(trial.record, renames[name_of(trial.record)]), trial.ranks, trial.place)
        if name_of(trial.record) in renames
        else trial
        for trial in trials
    ]


def _renamed(record: Record, new: str) -> Record:
    return record.model_copy(update={"label" if record.label else "model": new})
