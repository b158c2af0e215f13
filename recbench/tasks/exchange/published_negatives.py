"""Published negatives that are none: the positive itself, items that the user interacted with, and repeated entries.

A list with such an entry is refused, and the message names the entry. A waiver drops the entry instead.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.ordering import pair_keys
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array
from recbench.tasks.spec import Waiver
from recbench.tasks.task import NO_ITEM

log = logging.getLogger(__name__)

Entries = npt.NDArray[np.bool_]
"""bool[cases, width], which entries of the lists."""
CASES_AT_ONCE = 2**15
"""Bounds the memory."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of a published split say something, for messages.

    Attributes:
        source: Names the candidates.
        negative: Returns the position of a negative, by its case and its column in the list of the case.
        train_row: Returns the position of a train row, by the original ids of its user and item; None if it is unknown.
    """

    source: str
    negative: Callable[[int, int], str]
    train_row: Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True, eq=False)
class PublishedLists:
    """The published negatives of the cases, as read.

    Attributes:
        negatives: int32[cases, width], filled up with ``NO_ITEM``.
        locations: Where they are in the files.
        train: The train rows.
        test: The rows of the cases.
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
    """

    negatives: Int32Array
    locations: Places
    train: Rows
    test: Rows
    user_ids: IdTable
    item_ids: IdTable

    def allowed(self, waivers: frozenset[Waiver]) -> Int32Array:
        """Drops the entries that break a rule with a waiver, and logs how many.

        Args:
            waivers: Rules that the lists may break.

        Returns:
            int32[cases, width], filled up with ``NO_ITEM``.

        Raises:
            RecbenchError: A list breaks a rule without a waiver, or is shorter than the others. The message names the
                first such entry. Or no entry of a list is left.
        """
        self._refuse_short(waivers)
        own = self.negatives == self.test.items[:, None]
        self._drop_or_refuse(Waiver.POSITIVE_AMONG_NEGATIVES, own, "their own positive", waivers)
        seen = self._seen() & ~own
        self._drop_or_refuse(Waiver.SEEN_AMONG_NEGATIVES, seen, "items that their user interacted with", waivers)
        left = np.where(own | seen, np.int32(NO_ITEM), self.negatives)
        if (emptied := (own | seen) & (left == NO_ITEM).all(axis=1, keepdims=True)).any():
            raise RecbenchError(
                f"{self._counted(emptied)} have only negatives that are dropped. "
                f"The first: {self._case(int(emptied.any(axis=1).argmax()))}.",
                "Leave these cases out of the test rows and of the candidates, or give them other negatives.",
            )
        if (twice := _repeated(left)).any():
            raise RecbenchError(
                f"{self._counted(twice)} contain the same negative twice. The first: {self._entry(twice)}.",
                "Give lists of distinct negatives. No waiver accepts repeated negatives.",
            )
        return np.take_along_axis(left, np.argsort(left == NO_ITEM, axis=1, kind="stable"), axis=1)

    def _drop_or_refuse(self, waiver: Waiver, broken: Entries, what: str, waivers: frozenset[Waiver]) -> None:
        if not broken.any():
            return
        n_entries = int(broken.sum())
        entries = "1 entry" if n_entries == 1 else f"{n_entries:,} entries"
        problem = f"{self._counted(broken)} hold {what} among the negatives ({entries})"
        if waiver not in waivers:
            raise RecbenchError(
                f"{problem}. The first: {self._entry(broken)}.",
                f'To drop such entries and say so with every result: --waive {waiver}, in Python waivers=["{waiver}"].',
            )
        log.warning("%s. These entries are dropped (waiver %s).", problem, waiver)

    def _refuse_short(self, waivers: frozenset[Waiver]) -> None:
        """Refuses lists that may be cut off; those that lost their own positive elsewhere are one entry shorter."""
        width, counts = self.negatives.shape[1], (self.negatives != NO_ITEM).sum(axis=1)
        # Cases without any list are refused with the whole task: they may be no cases at all.
        short = (counts > 0) & (counts < width - (Waiver.POSITIVE_AMONG_NEGATIVES in waivers))
        if short.any():
            case = int(short.argmax())
            raise RecbenchError(
                f"{self._counted(short[:, None])} are shorter than the others. "
                f"The first, {self._case(case)}, has {int(counts[case]):,} instead of {width:,} negatives.",
                "The file may be truncated: copy or download it again. Give lists of the same length.",
            )

    def _seen(self) -> Entries:
        """Marks the entries that are items of a train row or a test row of their user."""
        n_items, rows = len(self.item_ids), (self.train, self.test)
        known = np.sort(np.concatenate([pair_keys(part.users, part.items, n_items) for part in rows]))
        seen = np.zeros(self.negatives.shape, dtype=np.bool_)
        for start in range(0, len(seen), CASES_AT_ONCE):
            part = slice(start, start + CASES_AT_ONCE)
            lists = self.negatives[part]
            keys = self.test.users[part].astype(np.int64)[:, None] * n_items + lists
            at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            seen[part] = (known[at] == keys) & (lists != NO_ITEM)
        return seen

    def _counted(self, broken: Entries) -> str:
        return f"{int(broken.any(axis=1).sum()):,} of the {len(broken):,} lists in {self.locations.source}"

    def _case(self, case: int) -> str:
        user, item = self.user_ids[int(self.test.users[case])], self.item_ids[int(self.test.items[case])]
        return f"user {user!r}, item {item!r}"

    def _entry(self, broken: Entries) -> str:
        """Names the first entry that is marked, and the row that makes it no negative."""
        case, column = divmod(int(broken.argmax()), broken.shape[1])
        user, negative = int(self.test.users[case]), int(self.negatives[case, column])
        text = f"{self.locations.negative(case, column)}: {self._case(case)}, negative {self.item_ids[negative]!r}"
        if negative == self.test.items[case]:
            return text
        if ((self.train.users == user) & (self.train.items == negative)).any():
            place = self.locations.train_row(self.user_ids[user], self.item_ids[negative])
            return f"{text}, a train row of this user{f' ({place})' if place else ''}"
        is_test = ((self.test.users == user) & (self.test.items == negative)).any()
        return f"{text}, another test row of this user" if is_test else text


def _repeated(lists: Int32Array) -> Entries:
    """Marks the entries that stand in their list before."""
    order = np.argsort(lists, axis=1, kind="stable")
    ordered = np.take_along_axis(lists, order, axis=1)
    later = np.zeros(lists.shape, dtype=np.bool_)
    later[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NO_ITEM)
    marked = np.zeros(lists.shape, dtype=np.bool_)
    np.put_along_axis(marked, order, later, axis=1)
    return marked
