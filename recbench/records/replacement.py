"""What becomes of a stored trial when the same trial has run again: a good record is never replaced by a worse one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from recbench.evaluation.ranking import Ranks
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.schema import Record, Status


def combined(
    present: FinishedTrial | None, new: FinishedTrial, is_of_same_code: Callable[[Record], bool]
) -> FinishedTrial | None:
    """Returns the trial to store, given the stored one and the new one.

    What only the stored trial has, such as the full ranking, is added to the new one if both gave the same ranks of
    the candidates. If the ranks differ, the trial that has more stays.

    Args:
        present: The stored trial; None if there is none, or its files are damaged.
        new: The new trial of the same task, configuration and seed.
        is_of_same_code: Whether a stored record is of the code that the new one ran.

    Returns:
        None if the stored trial stays as it is.
    """
    if present is None or present.record.status is not Status.DONE or not is_of_same_code(present.record):
        return new
    if new.record.status is not Status.DONE:
        return None
    missing = _missing(present.record, new.record)
    if not missing:
        return new
    before, after = present.ranks, new.ranks
    if before is None or after is None or not are_equal(before.candidates, after.candidates):
        return None
    return FinishedTrial.in_memory(
        new.record.model_copy(update=missing),
        TrialRanks(after.candidates, after.catalogue or before.catalogue, after.new or before.new),
        new.place,
    )


def _missing(present: Record, new: Record) -> dict[str, Any]:
    """Returns the fields of the stored record that the new one has no values for."""
    found: dict[str, Any] = {}
    if present.catalogue is not None and new.catalogue is None:
        found |= {"catalogue": present.catalogue, "catalogue_error": None}
    if len(present.curve) > len(new.curve):
        found |= {"curve": present.curve, "curve_error": present.curve_error}
    return found


def are_equal(one: Ranks, other: Ranks) -> bool:
    """Whether two trials gave the same ranks."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("users", "n_others", "better", "tied")
    )
