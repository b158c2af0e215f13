"""Filters: interactions in, interactions out."""

import logging

import numpy as np
import numpy.typing as npt

from recbench.data.interactions import Interactions
from recbench.errors import RecbenchError
from recbench.tasks.spec import Filters

log = logging.getLogger(__name__)


def apply_filters(interactions: Interactions, filters: Filters) -> Interactions:
    """Applies the filters in their order.

    Raises:
        RecbenchError: An item to drop does not exist, there are no ratings to compare, or no row is left.
    """
    keep = np.ones(len(interactions), dtype=np.bool_)
    if filters.drop_items:
        keep &= not_of_items(interactions, filters.drop_items)
        _report("dropping items", interactions, keep)
    if filters.min_rating is not None:
        keep &= rated_at_least(interactions, filters.min_rating)
        _report(f"minimum rating {filters.min_rating:g}", interactions, keep)
    if filters.k_core > 1:
        keep = k_core(interactions, filters.k_core, keep)
        _report(f"{filters.k_core}-core", interactions, keep)
    return interactions.select(keep) if not keep.all() else interactions


def not_of_items(interactions: Interactions, ids: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the rows of other items than ``ids``."""
    index = {item_id: i for i, item_id in enumerate(interactions.item_ids)}
    if unknown := [item_id for item_id in ids if item_id not in index]:
        raise RecbenchError(
            f"drop_items names items that the data does not have: {', '.join(unknown)}.",
            "Ids are text, exactly as in the ratings file.",
        )
    return ~np.isin(interactions.items, [index[item_id] for item_id in ids])


def rated_at_least(interactions: Interactions, minimum: float) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the rows with a rating of at least ``minimum``."""
    if interactions.ratings is None:
        raise RecbenchError(
            "min_rating is set, but the data has no ratings.", "Name the rating column, or remove min_rating."
        )
    return interactions.ratings >= minimum


def k_core(interactions: Interactions, k: int, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Returns the largest part of ``keep`` (bool[rows]) in which every user and every item has at least k rows."""
    keep = keep.copy()
    while True:
        per_user = np.bincount(interactions.users[keep], minlength=interactions.n_users)
        per_item = np.bincount(interactions.items[keep], minlength=interactions.n_items)
        dense = (per_user[interactions.users] >= k) & (per_item[interactions.items] >= k)
        if not (keep & ~dense).any():
            return keep
        keep &= dense


def _report(step: str, interactions: Interactions, keep: npt.NDArray[np.bool_]) -> None:
    left = int(keep.sum())
    log.info("After %s: %s of %s rows", step, f"{left:,}", f"{len(interactions):,}")
    if not left:
        raise RecbenchError(f"No row is left after {step}.", "Relax the filters of the task's spec.")
