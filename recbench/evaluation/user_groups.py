"""Which cases belong to which user."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.protocol import Int32Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class UserGroups:
    """The cases by their users.

    Attributes:
        codes: int64[cases], the number of the user of each case; users by ascending index.
        counts: int64[users], cases of each.
    """

    codes: Int64Array
    counts: Int64Array

    @classmethod
    def of(cls, users: Int32Array) -> Self:
        """Groups users int32[cases].

        The groups are not cached: a cache of this module would hold test users where a model could find them. See
        ``LatestGroups``.
        """
        _, codes, counts = np.unique(users, return_inverse=True, return_counts=True)
        return cls(codes, counts)

    def __len__(self) -> int:
        return len(self.counts)

    def mean_of_means(self, values: Float64Array) -> float:
        """Returns the mean over users of the mean of ``values`` (float64[cases]) over each user's cases."""
        return float((np.bincount(self.codes, weights=values) / self.counts).mean())


class LatestGroups:
    """Groups the cases of many trials; trials of one task that share the array of users are grouped once."""

    def __init__(self) -> None:
        """Makes one that has no groups yet."""
        self._users: Int32Array | None = None
        self._groups: UserGroups | None = None

    def of(self, users: Int32Array) -> UserGroups:
        """Groups users int32[cases]; see ``UserGroups.of``."""
        if self._groups is None or users is not self._users:
            self._users, self._groups = users, UserGroups.of(users)
        return self._groups
