"""What becomes of a stored trial when the same trial has run again: a good record is never replaced by a worse one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from recbench.evaluation.ranking import Ranks
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.grouping import is_same
from recbench.records.schema import Record, Status
from recbench.records.unclear_code import why_unclear


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


def renewed(accepted: FinishedTrial, new: FinishedTrial, *, refresh: bool) -> FinishedTrial | None:
    """Returns what to store of an accepted trial when the same trial is accepted again with the same result.

    The same result means: the same ranks, hyper-parameters, conditions and code. Then the two records differ in what
    every run changes, such as timings. The accepted trial stays, so that its files do not change, and two branches
    that both accept it can be merged.

    Args:
        accepted: The accepted trial.
        new: The trial that is being accepted. It is done.
        refresh: Whether to store the timings, and all else of the new record.

    Returns:
        The accepted trial itself if it stays as it is. Otherwise the new one, with what only the accepted one has, such
        as the full ranking: if ``refresh`` is given, or the new one has more, or only its code is in a commit. None if
        the result is another one.
    """
    if not _has_same_result(accepted, new):
        return None
    is_clearer = why_unclear(accepted.record) is not None and why_unclear(new.record) is None
    if not (refresh or is_clearer or _missing(new.record, accepted.record)):
        return accepted
    return combined(accepted, new, lambda _: True)


def _has_same_result(first: FinishedTrial, second: FinishedTrial) -> bool:
    identities = {(trial.record.task.digest, trial.record.seed, trial.record.code_version) for trial in (first, second)}
    if len(identities) > 1 or not is_same(first.record, second.record) or first.ranks is None or second.ranks is None:
        return False
    full = first.full_ranks, second.full_ranks
    return are_equal(first.ranks.candidates, second.ranks.candidates) and (
        full[0] is None or full[1] is None or are_equal(full[0], full[1])
    )


def _missing(present: Record, new: Record) -> dict[str, Any]:
    """Returns the fields of the stored record that the new one has no values for."""
    fields: dict[str, Any] = {}
    if present.catalogue is not None and new.catalogue is None:
        fields |= {"catalogue": present.catalogue, "catalogue_error": None}
    # Times are of a machine; ranks are not.
    if present.serving is not None and new.serving is None and present.environment == new.environment:
        fields |= {"serving": present.serving, "serving_error": None}
    if len(present.curve) > len(new.curve):
        fields |= {"curve": present.curve, "curve_error": present.curve_error}
    return fields


def are_equal(first: Ranks, second: Ranks) -> bool:
    """Whether two trials gave the same ranks."""
    return all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in ("users", "n_others", "better", "tied")
    )
