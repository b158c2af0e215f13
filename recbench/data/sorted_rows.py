"""Whether the rows of a file are sorted by user or by item, so that the last row of a user need not be the latest.

Three signs, each compared with what the same rows show in a random order:

- runs: the rows of each item, or of each user, stand together;
- ids: where the item (or user) changes, the ids ascend in nearly all places, or descend, as numbers or as text;
- one order of items for all users: each user's rows follow the ids of the items, their popularity, or any other order
  that users have in common.

A sign counts only if the file has enough places where it could fail.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.ordering import stable_order
from recbench.protocol import Int32Array, Int64Array

MOST_RUNS = 0.01
"""Runs beyond one for each item, at most, as a share of those of a random order."""
LEAST_RUNS = 6
"""Runs beyond one for each item, at least, in a random order."""
LEAST_SHARE = 0.9
"""Share of places, at least, that follow an order; half of them do in a random order."""
LEAST_DEVIATIONS = 4.0
"""Standard deviations, at least, between that share and a half."""
COMMON_ITEMS = 100
"""The items with the most rows, whose order is compared between users."""
COMMON_USERS = 20_000
"""The users, at most, between whom it is compared."""
LEAST_USERS = 16
"""The users, at least, between whom it is compared."""
LONGEST_STEP = 16
"""Rows of such items, at most, between two items whose order is compared."""
LEAST_AGREEMENT = 0.95
"""Share of such pairs, at least, that two users have in the same order; half of them in a random order."""

NUMBERED = re.compile(r"([^0-9]*)0*([0-9]+)")
"""An id such as 17, u17 or item-017."""


class SortedBy(StrEnum):
    """What the rows of a file are sorted by."""

    USER = "user"
    ITEM = "item"
    USER_THEN_ITEM = "user and then by item"
    ITEM_WITHIN_USER = "item within each user"


def sorted_by(interactions: Interactions) -> SortedBy | None:
    """Returns what the rows are sorted by; None if they are in no such order.

    Args:
        interactions: The rows, in the order of the file.
    """
    users, items = interactions.users, interactions.items
    users_together = _stand_together(users)
    if not users_together and _stand_together(items):
        return SortedBy.ITEM
    one_order = _one_order_of_items(interactions)
    if users_together or _follow(users, _id_ranks(interactions.user_ids)):
        return SortedBy.USER_THEN_ITEM if one_order else SortedBy.USER
    if _follow(items, _id_ranks(interactions.item_ids)):
        return SortedBy.ITEM
    return SortedBy.ITEM_WITHIN_USER if one_order else None


def _stand_together(codes: Int32Array) -> bool:
    """Whether the rows of each code (int32[rows]) stand together, and would not do so in a random order."""
    n_rows, counts = len(codes), np.bincount(codes)
    if n_rows < 2:
        return False
    alike = float((counts * (counts - 1.0)).sum()) / (n_rows * (n_rows - 1.0))
    least = len(counts) - 1
    by_chance = (n_rows - 1) * (1 - alike) - least
    more = int((codes[1:] != codes[:-1]).sum()) - least
    return by_chance >= LEAST_RUNS and more <= MOST_RUNS * by_chance


def _one_order_of_items(interactions: Interactions) -> bool:
    """Whether the rows of each user follow one order of the items."""
    by_user = stable_order(interactions.users)
    users, items = interactions.users[by_user], interactions.items[by_user]
    same_user = users[1:] == users[:-1]
    popularity = np.bincount(items, minlength=interactions.n_items)
    return (
        _follow(items, _id_ranks(interactions.item_ids), same_user)
        or _follow(items, [popularity], same_user)
        or _users_agree(users, items, popularity)
    )


def _follow(codes: Int32Array, ranks: Iterable[Int64Array], compared: npt.NDArray[np.bool_] | None = None) -> bool:
    """Whether successive rows ascend, or descend, in one of the ``ranks``.

    Args:
        codes: int32[rows].
        ranks: Orders of the codes, int64[codes] each; codes with equal ranks are not compared.
        compared: bool[rows - 1], which successive rows are compared; None for all.
    """
    for rank in ranks:
        steps = np.diff(rank[codes])
        if compared is not None:
            steps = steps[compared]
        n_steps, up = int((steps != 0).sum()), int((steps > 0).sum())
        share = max(up, n_steps - up) / n_steps if n_steps else 0.0
        if share >= LEAST_SHARE and (2 * share - 1) * np.sqrt(n_steps) >= LEAST_DEVIATIONS:
            return True
    return False


def _id_ranks(ids: IdTable) -> Iterator[Int64Array]:
    """Yields the order of the ids as text, and by their number if each is a number, possibly after a prefix."""
    texts = list(ids)
    yield _ranks(texts)
    if all(matches := [NUMBERED.fullmatch(text) for text in texts]):
        # Text of a number without leading zeros: the longer is the larger.
        yield _ranks([(match[1], len(match[2]), match[2]) for match in matches if match])


def _ranks(keys: Sequence[str | tuple[str, int, str]]) -> Int64Array:
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
    return ranks


def _users_agree(users: Int32Array, items: Int32Array, popularity: Int64Array) -> bool:
    """Whether users have pairs of popular items in the same order.

    Args:
        users: int32[rows], ascending.
        items: int32[rows].
        popularity: int64[items], rows of each item.
    """
    number = np.full(len(popularity), -1, dtype=np.int64)
    common = np.argsort(-popularity, kind="stable")[:COMMON_ITEMS]
    number[common] = np.arange(len(common))
    chosen = (number[items] >= 0) & (users < COMMON_USERS)
    users, numbers = users[chosen], number[items[chosen]]
    n = len(common)
    before = np.zeros((n, n), dtype=np.int64)
    several = np.zeros(len(users), dtype=np.bool_)
    for step in range(1, LONGEST_STEP + 1):
        same = (users[step:] == users[:-step]) & (numbers[step:] != numbers[:-step])
        if not same.any():
            break
        several[step:] |= same
        before += np.bincount(numbers[:-step][same] * n + numbers[step:][same], minlength=n * n).reshape(n, n)
    both = before + before.T
    comparisons = int((both * (both - 1)).sum()) / 2
    agreeing = int((before * (before - 1)).sum())
    return (
        len(np.unique(users[several])) >= LEAST_USERS
        and comparisons >= LEAST_USERS
        and agreeing >= LEAST_AGREEMENT * comparisons
    )
