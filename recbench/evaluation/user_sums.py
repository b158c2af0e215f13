"""Cases summed by user: whoever gave several cases is drawn, or changes sign, as one."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_groups import UserGroups
from recbench.protocol import Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class UserSums:
    """Sums over each user's cases.

    Attributes:
        sums: float64[users, columns].
        counts: float64[users], cases of each.
    """

    sums: Float64Array
    counts: Float64Array

    @classmethod
    def of(cls, values: Float64Array, users: Int32Array) -> Self:
        """Sums values float64[cases, columns] by users int32[cases]; each user with a case has a row."""
        groups = UserGroups.of(users)
        sums = [np.bincount(groups.codes, weights=column, minlength=len(groups)) for column in values.T]
        return cls(np.stack(sums, axis=1), groups.counts.astype(np.float64))

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def means(self) -> Float64Array:
        """float64[columns], means over cases."""
        return np.asarray(self.sums.sum(axis=0) / self.counts.sum())

    def standard_errors(self) -> Float64Array:
        """Returns float64[columns], standard errors of the means; needs two users.

        Linearised for a ratio of sums over users: sqrt(U / (U - 1) * sum of (s_u - c_u * mean)^2) / sum of c_u
        (Cochran, Sampling Techniques, 1977, section 6.4).
        """
        residuals = self.sums - self.counts[:, None] * self.means
        n = len(self)
        return np.asarray(np.sqrt(n / (n - 1) * (residuals**2).sum(axis=0)) / self.counts.sum())
