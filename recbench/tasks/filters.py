"""Filters: interactions in, interactions out."""

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recbench.data.interactions import Interactions, hash_order
from recbench.data.ordering import stable_order
from recbench.data.random_bits import Purpose, RandomBits
from recbench.errors import RecbenchError
from recbench.protocol import Float32Array
from recbench.tasks.dates import DateOrNumber, in_unit_of
from recbench.tasks.repeats import merged_repeats
from recbench.tasks.spec import Filters, Weights

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
    if filters.since is not None or filters.until is not None:
        keep &= in_window(interactions, filters.since, filters.until)
        _report("the window of time", interactions, keep)
    if filters.keeps_repeated:
        interactions = merged_repeats(interactions.select(keep), filters.repeated)
        keep = np.ones(len(interactions), dtype=np.bool_)
    if filters.min_rating is not None:
        keep &= rated_at_least(interactions, filters.min_rating)
        _report(f"minimum rating {filters.min_rating:g}", interactions, keep)
    if filters.sample_users is not None:
        keep &= of_sampled_users(interactions, filters.sample_users, filters.sample_seed, keep)
        _report(f"sampling {filters.sample_users:,} users", interactions, keep)
    if filters.k_core > 1:
        keep = k_core(interactions, filters.k_core, keep)
        _report(f"{filters.k_core}-core", interactions, keep)
    kept = interactions.select(keep) if not keep.all() else interactions
    if filters.weights is Weights.RATINGS:
        return kept
    return replace(kept, rows=replace(kept.rows, ratings=weights(kept, filters.weights)))


def without_users(interactions: Interactions, left_out: npt.NDArray[np.bool_], filters: Filters) -> Interactions:
    """Returns filtered rows without those of some users; what is left has the k-core of the filters again.

    Users of a sample are not replaced by others.

    Args:
        interactions: Rows that the filters keep.
        left_out: bool[n_users].
        filters: The filters.

    Raises:
        RecbenchError: No row is left.
    """
    keep = ~left_out[interactions.users]
    _report("leaving out users with too few negatives", interactions, keep)
    if filters.k_core > 1:
        keep = k_core(interactions, filters.k_core, keep)
        _report(f"{filters.k_core}-core without them", interactions, keep)
    left = interactions.select(keep)
    if filters.sample_users is not None:
        log.warning(
            "sample_users is %s, and %s users are left: no others are drawn for those that are left out.",
            f"{filters.sample_users:,}", f"{left.n_users:,}",
        )  # fmt: skip
    return left


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


def in_window(
    interactions: Interactions, since: DateOrNumber | None, until: DateOrNumber | None
) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the rows from ``since`` on and before ``until``."""
    times = interactions.timestamps
    if times is None:
        raise RecbenchError(
            "since or until is set, but the data has no timestamps.", "Name the timestamp column, or remove them."
        )
    keep = np.ones(len(interactions), dtype=np.bool_)
    if since is not None:
        keep &= times >= in_unit_of(interactions, since)
    if until is not None:
        keep &= times < in_unit_of(interactions, until)
    return keep


def of_sampled_users(
    interactions: Interactions, count: int, seed: int, keep: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the rows of ``count`` users, drawn from those with a row in ``keep``.

    Each user is given a random number in the order of a hash of the ids, so that the draw does not depend on the order
    of the file; the users with the smallest are taken.
    """
    numbers = np.empty(interactions.n_users, dtype=np.int64)
    numbers[hash_order(interactions.user_ids)] = RandomBits(seed, Purpose.USER_SAMPLE).below(2**62, len(numbers))
    candidates = np.flatnonzero(np.bincount(interactions.users[keep], minlength=interactions.n_users))
    if count > len(candidates):
        raise RecbenchError(
            f"sample_users is {count:,}, but only {len(candidates):,} users are left.", "Lower or remove sample_users."
        )
    sampled = np.zeros(interactions.n_users, dtype=np.bool_)
    sampled[candidates[stable_order(numbers[candidates])[:count]]] = True
    return sampled[interactions.users]


def weights(interactions: Interactions, kind: Weights) -> Float32Array | None:
    """Returns float32[rows], what models are given as ratings; None for nothing."""
    if kind is Weights.NONE:
        return None
    if interactions.ratings is None or interactions.ratings.min() < 0:
        problem = "no ratings" if interactions.ratings is None else "negative ratings"
        raise RecbenchError(f'weights is "{kind}", but the data has {problem}.', "Remove weights from the filters.")
    if kind is Weights.LOG:
        rounded: Float32Array = np.rint(np.log2(1 + interactions.ratings.astype(np.float64)) * 1024).astype(np.float32)
        return rounded / np.float32(1024)
    return interactions.ratings


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
