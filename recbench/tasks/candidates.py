"""Negatives: drawn without replacement from the items that a user never interacted with.

Drawing without replacement in proportion to weights means: draw, put the item aside, draw from the rest. Independent
draws from all items give the same sequence if items that were seen or drawn already are skipped. This works for many
cases at once, with whole numbers only: a draw by popularity is the item of a random row.
"""

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.random_bits import Purpose, RandomBits
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.spec import Negatives, PublishedNegatives

CASES_AT_ONCE = 512
"""Cases that share a stream of random numbers. Part of every digest: never change it."""
PATIENCE = 16
"""Independent draws per negative, before a case's weights are recomputed at each draw. Part of every digest."""


def draw_negatives(
    rule: Negatives | PublishedNegatives,
    purpose: Purpose,
    case_users: Int32Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    n_items: int,
    user_ids: IdTable,
) -> Int32Array:
    """Draws the negatives of each case.

    Args:
        rule: Method, count and seed.
        purpose: Which stream of random numbers.
        case_users: int32[cases].
        seen_indptr: int64[n_users + 1], bounds of each user's items in ``seen_items``.
        seen_items: int32[rows], all items that each user ever interacted with.
        n_items: Number of items.
        user_ids: Original ids, to name a user in an error.

    Returns:
        int32[cases, count].

    Raises:
        RecbenchError: A user has fewer unseen items than negatives are wanted.
    """
    _check_enough_unseen(rule.count, case_users, seen_indptr, n_items, user_ids)
    pool = seen_items if rule.method == "popularity" else np.arange(n_items, dtype=np.int32)
    negatives = np.empty((len(case_users), rule.count), dtype=np.int32)
    for block, start in enumerate(range(0, len(case_users), CASES_AT_ONCE)):
        users = case_users[start : start + CASES_AT_ONCE]
        taken = _seen_mask(users, seen_indptr, seen_items, n_items)
        bits = RandomBits(rule.seed, purpose, block)
        negatives[start : start + CASES_AT_ONCE] = _draw_block(bits, pool, taken, rule.count)
    return negatives


def _check_enough_unseen(
    count: int, case_users: Int32Array, seen_indptr: Int64Array, n_items: int, user_ids: IdTable
) -> None:
    unseen = n_items - np.diff(seen_indptr)[case_users]
    short = unseen < count
    if short.any():
        worst = int(unseen.argmin())
        raise RecbenchError(
            f"User {user_ids[int(case_users[worst])]!r} has only {unseen[worst]} items without an interaction, and "
            f"{count} negatives are wanted ({len(np.unique(case_users[short]))} such users).",
            "Lower the number of negatives (negatives.count in a spec), or keep more items with weaker filters.",
        )


def _seen_mask(users: Int32Array, indptr: Int64Array, items: Int32Array, n_items: int) -> npt.NDArray[np.bool_]:
    """Marks (bool[cases, n_items]) what each case's user interacted with."""
    mask = np.zeros((len(users), n_items), dtype=np.bool_)
    lengths = indptr[users + 1] - indptr[users]
    rows = np.repeat(np.arange(len(users)), lengths)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    mask[rows, items[np.repeat(indptr[users], lengths) + within]] = True
    return mask


def _draw_block(bits: RandomBits, pool: Int32Array, taken: npt.NDArray[np.bool_], count: int) -> Int32Array:
    """Fills int32[cases, count] from ``pool``; ``taken`` is written to."""
    n_cases = len(taken)
    chosen = np.empty((n_cases, count), dtype=np.int32)
    filled = np.zeros(n_cases, dtype=np.int64)
    every_case = np.arange(n_cases)
    for _ in range(PATIENCE * count):
        items = pool[bits.below(len(pool), n_cases)]
        cases = every_case[~taken[every_case, items] & (filled < count)]
        items = items[cases]
        taken[cases, items] = True
        chosen[cases, filled[cases]] = items
        filled[cases] += 1
        if len(cases) == 0 and (filled == count).all():
            return chosen
    weights = np.bincount(pool, minlength=taken.shape[1])
    for case in np.flatnonzero(filled < count):
        left = np.where(taken[case], 0, weights)
        for position in range(filled[case], count):
            sums = np.cumsum(left)
            item = np.searchsorted(sums, bits.below(int(sums[-1]), 1)[0], side="right")
            chosen[case, position] = item
            left[item] = 0
    return chosen
