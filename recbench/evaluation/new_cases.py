"""Cases whose item or user has no train row: no model that learns from the train rows alone can know it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int32Array
from recbench.tasks.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class NewCases:
    """Which cases have an item or a user without train rows.

    Attributes:
        items: int32[n], the places of the cases whose item has no train row, ascending.
        users: int32[m], the places of the cases whose user has none, ascending.
    """

    items: Int32Array
    users: Int32Array

    @classmethod
    def of(cls, task: Task) -> Self:
        """Finds them among the test cases of a task."""
        is_new_item = np.bincount(task.items, minlength=task.n_items)[task.test.items] == 0
        is_new_user = np.bincount(task.users, minlength=task.n_users)[task.test.users] == 0
        return cls(*(np.flatnonzero(is_new).astype(np.int32) for is_new in (is_new_item, is_new_user)))

    def among(self, n_cases: int) -> npt.NDArray[np.bool_]:
        """Returns bool[n_cases], whether a case has a new item or a new user."""
        is_new = np.zeros(n_cases, dtype=np.bool_)
        is_new[self.items] = True
        is_new[self.users] = True
        return is_new


def ranks_of_known(ranks: Ranks, new: NewCases) -> Ranks:
    """Returns the ranks of the other cases; empty if all are new."""
    known = ~new.among(len(ranks))
    return Ranks(ranks.users[known], ranks.n_others[known], ranks.better[known], ranks.tied[known])
