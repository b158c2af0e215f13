"""Negatives: drawn without replacement from the items that a user never interacted with.

Drawing without replacement in proportion to weights means: draw, put the item aside, draw from the rest. Independent
draws from all items give the same sequence if items that were seen or drawn already are skipped. This works for many
cases at once, with whole numbers only: a draw by popularity is the item of a random row.
"""

import logging

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.ordering import count_distinct
from recbench.data.random_bits import Purpose, RandomBits
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.exchange.forms import TooFew
from recbench.tasks.spec import Negatives, PublishedNegatives
from recbench.tasks.task import NO_ITEM

log = logging.getLogger(__name__)

CASES_AT_ONCE = 512
"""Cases that share a stream of random numbers. Part of every digest: never change it."""
PATIENCE = 16
"""Independent draws per negative, before a case's weights are recomputed at each draw. Part of every digest."""


def unseen_counts(method: str, seen_indptr: Int64Array, seen_items: Int32Array, n_items: int) -> Int64Array:
    """Returns int64[n_users], how many items can be drawn as negatives of each user.

    Args:
        method: The method of the rule. Items without a row cannot be drawn by popularity.
        seen_indptr: int64[n_users + 1], bounds of each user's items in ``seen_items``.
        seen_items: int32[rows], all items that each user ever interacted with.
        n_items: Number of items.
    """
    drawable = count_distinct(seen_items, n_items) if method == "popularity" else n_items
    return np.asarray(drawable - np.diff(seen_indptr), dtype=np.int64)


def users_to_leave_out(
    rule: Negatives, case_users: Int32Array, unseen: Int64Array, user_ids: IdTable
) -> npt.NDArray[np.bool_]:
    """Marks (bool[n_users]) the users with a case for whom the rule does not find enough negatives.

    Args:
        rule: The rule.
        case_users: int32[cases].
        unseen: int64[n_users], see ``unseen_counts``.
        user_ids: Original ids, to name a user.

    Raises:
        RecbenchError: They are all users with a case, or more than half of them and the rule is unset.
    """
    needed = 1 if rule.too_few is TooFew.FEWER else rule.count
    short = np.zeros(len(unseen), dtype=np.bool_)
    short[case_users] = unseen[case_users] < needed
    n_short, n_users = int(short.sum()), len(np.unique(case_users))
    if not n_short:
        return short
    first = int(np.where(short, unseen, unseen.max()).argmin())
    requirement = "a case needs at least one" if needed == 1 else f"a case needs {needed:,} negatives"
    problem = (
        f"{n_short:,} of {n_users:,} users have too few items without an interaction: user {user_ids[first]!r} has "
        f"{unseen[first]:,}, and {requirement}"
    )
    if n_short == n_users or (rule.too_few is None and 2 * n_short > n_users):
        raise RecbenchError(f"{problem}.", _more_negatives(rule, n_short < n_users, bool(unseen[case_users].any())))
    log.warning(
        '%s. They are left out, with their rows. To take fewer negatives for them: negatives.too_few = "%s" in a spec.',
        problem,
        TooFew.FEWER,
    )
    return short


def _more_negatives(rule: Negatives, some_have_enough: bool, some_have_any: bool) -> str:
    """Returns what helps where users have too few items without an interaction; nothing that cannot help.

    Args:
        rule: The rule.
        some_have_enough: Whether some users with a case have as many as the rule needs.
        some_have_any: Whether some users with a case have at least one.
    """
    if not some_have_any:
        return (
            "Every user with a case has interacted with all items, so no candidates are left. Add rows of more items."
        )
    options, values = [], []
    if rule.too_few is not TooFew.FEWER:
        options.append(f"Take fewer negatives for these users: --too-few-negatives {TooFew.FEWER}.")
        values.append(f'"{TooFew.FEWER}"')
    if some_have_enough:
        options.append(f"Leave these users out: --too-few-negatives {TooFew.LEAVE_OUT}.")
        values.append(f'"{TooFew.LEAVE_OUT}"')
    first = "Lower the number of negatives (negatives.count in a spec), or keep more items with weaker filters."
    if not options:
        return first
    return f"{first}\n{' '.join(options)}\nIn a spec or in Python: negatives.too_few = {' or '.join(values)}."


def draw_negatives(
    rule: Negatives | PublishedNegatives,
    purpose: Purpose,
    case_users: Int32Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    n_items: int,
) -> Int32Array:
    """Draws the negatives of each case.

    Args:
        rule: Method, count and seed.
        purpose: Which stream of random numbers.
        case_users: int32[cases], users for whom the rule finds negatives, see ``users_to_leave_out``.
        seen_indptr: int64[n_users + 1], bounds of each user's items in ``seen_items``.
        seen_items: int32[rows], all items that each user ever interacted with.
        n_items: Number of items.

    Returns:
        int32[cases, count], filled up with ``NO_ITEM`` where the user has fewer.
    """
    unseen = unseen_counts(rule.method, seen_indptr, seen_items, n_items)
    counts = np.minimum(unseen[case_users], rule.count)
    pool = seen_items if rule.method == "popularity" else np.arange(n_items, dtype=np.int32)
    negatives = np.empty((len(case_users), rule.count), dtype=np.int32)
    # One mask for all blocks, of which only what was marked is cleared: to get new memory would take longer.
    mask = np.zeros((min(CASES_AT_ONCE, len(case_users)), n_items), dtype=np.bool_)
    for block, start in enumerate(range(0, len(case_users), CASES_AT_ONCE)):
        cases = slice(start, start + CASES_AT_ONCE)
        taken = mask[: len(case_users[cases])]
        seen = _seen_by(case_users[cases], seen_indptr, seen_items)
        taken[seen] = True
        drawn = _draw_block(RandomBits(rule.seed, purpose, block), pool, taken, counts[cases], rule.count)
        taken[seen] = False
        np.put_along_axis(taken, drawn, values=False, axis=1)
        negatives[cases] = drawn
    return negatives


def _seen_by(users: Int32Array, indptr: Int64Array, items: Int32Array) -> tuple[Int64Array, Int32Array]:
    """Returns the pairs (int64[n] cases, int32[n] items) of what each case's user interacted with."""
    lengths = indptr[users + 1] - indptr[users]
    rows = np.repeat(np.arange(len(users)), lengths)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return rows, items[np.repeat(indptr[users], lengths) + within]


def _draw_block(
    bits: RandomBits, pool: Int32Array, taken: npt.NDArray[np.bool_], counts: Int64Array, width: int
) -> Int32Array:
    """Fills int32[cases, width] with ``counts`` (int64[cases]) items of ``pool`` each; ``taken`` is written to."""
    n_cases = len(taken)
    chosen = np.full((n_cases, width), NO_ITEM, dtype=np.int32)
    filled = np.zeros(n_cases, dtype=np.int64)
    every_case = np.arange(n_cases)
    for attempt in range(PATIENCE * width):
        if attempt % PATIENCE == 0:
            # The same numbers as one call for each attempt.
            several = pool[bits.below(len(pool), PATIENCE * n_cases)].reshape(PATIENCE, n_cases)
        items = several[attempt % PATIENCE]
        cases = every_case[~taken[every_case, items] & (filled < counts)]
        items = items[cases]
        taken[cases, items] = True
        chosen[cases, filled[cases]] = items
        filled[cases] += 1
        if len(cases) == 0 and (filled == counts).all():
            return chosen
    weights = np.bincount(pool, minlength=taken.shape[1])
    for case in np.flatnonzero(filled < counts):
        left = np.where(taken[case], 0, weights)
        for position in range(filled[case], counts[case]):
            sums = np.cumsum(left)
            item = np.searchsorted(sums, bits.below(int(sums[-1]), 1)[0], side="right")
            chosen[case, position] = item
            left[item] = 0
    return chosen
