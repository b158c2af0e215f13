"""Published candidates: from a table with one negative a row to the list of negatives of each case."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.ordering import pair_keys, stable_order
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.task import NO_ITEM


@dataclass(frozen=True, slots=True, eq=False)
class IdColumn:
    """A column of ids.

    Attributes:
        codes: int[rows], for each row an index of ``ids``.
        ids: The distinct ids.
    """

    codes: Int32Array
    ids: IdTable


@dataclass(frozen=True, slots=True, eq=False)
class CandidateTable:
    """Candidates as read: each row is one negative of the case (user, item).

    Attributes:
        source: Where the table comes from, for messages.
        where: Returns the position of a row, counted from 0, for messages.
        users: The user of each row's case.
        items: The held-out item of each row's case.
        negatives: The negative of each row.
        catalogue_advice: What to do about ids that no row of train or test has; ``{}`` stands for users or items.
    """

    source: str
    where: Callable[[int], str]
    users: IdColumn
    items: IdColumn
    negatives: IdColumn
    catalogue_advice: str

    def lists(
        self, user_ids: IdTable, item_ids: IdTable, cases: Rows, width: int
    ) -> tuple[Int32Array, Callable[[int, int], str]]:
        """Returns the negatives of each case.

        Args:
            user_ids: The task's users.
            item_ids: The task's items.
            cases: The rows of the cases.
            width: Least number of columns.

        Returns:
            int32[cases, width or more], filled up with ``NO_ITEM``; and what finds the position of an entry, by its
            case and its column.

        Raises:
            RecbenchError: An id is not the task's, or a row belongs to no case.
        """
        users = self._numbers("users", self.users, user_ids)
        items, negatives = (self._numbers("items", column, item_ids) for column in (self.items, self.negatives))
        keys, case_keys = pair_keys(users, items, len(item_ids)), pair_keys(cases.users, cases.items, len(item_ids))
        case_of_row = self._cases(keys, case_keys, user_ids, item_ids)
        counts = np.bincount(case_of_row, minlength=len(case_keys))
        lists = np.full((len(case_keys), max(int(counts.max(initial=0)), width)), NO_ITEM, dtype=np.int32)
        order = stable_order(case_of_row)
        column = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        lists[case_of_row[order], column] = negatives[order]

        def where(case: int, column: int) -> str:
            return f"{self.source}, {self.where(int(np.flatnonzero(case_of_row == case)[column]))}"

        return lists, where

    def _numbers(self, what: str, column: IdColumn, known: IdTable) -> Int32Array:
        index = {text: number for number, text in enumerate(known)}
        unknown = [text for text in column.ids if text not in index]
        if unknown:
            raise RecbenchError(
                f"{self.source} names {len(unknown):,} {what} that occur in no row of train or test, such as "
                f"{unknown[0]!r}.",
                f"Give the candidates of the same split. {self.catalogue_advice.format(what)}".strip(),
            )
        return np.array([index[text] for text in column.ids], dtype=np.int32)[column.codes]

    def _cases(self, keys: Int64Array, case_keys: Int64Array, user_ids: IdTable, item_ids: IdTable) -> Int64Array:
        """Returns int64[rows], the case of each row."""
        by_key = stable_order(case_keys)
        nearest = by_key[np.minimum(np.searchsorted(case_keys[by_key], keys), len(case_keys) - 1)]
        if (without_case := case_keys[nearest] != keys).any():
            row = int(without_case.argmax())
            user, item = divmod(int(keys[row]), len(item_ids))
            raise RecbenchError(
                f"{self.source}, {self.where(row)}: user {user_ids[user]!r}, item {item_ids[item]!r} is not a case "
                f"({int(without_case.sum()):,} such rows).",
                "Give the candidates of the same split.",
            )
        return nearest
