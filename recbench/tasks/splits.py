"""Splits: which rows are held out."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.spec import LeaveLastFraction, LeaveOneOut, Order, PublishedSplit

Split = LeaveLastFraction | LeaveOneOut | PublishedSplit


def held_out_rows(split: Split, n_users: int, users: Int32Array, timestamps: Int64Array | None) -> Int64Array:
    """Returns the rows (int64[cases]) to hold out, by user and then in the split's order.

    A user who cannot give a row and keep one is left alone.

    Args:
        split: The rule. That of published splits holds out the last row of each user in file order; it is used for
            validation only.
        n_users: Number of users.
        users: int32[rows], in file order.
        timestamps: int64[rows] or None.

    Raises:
        RecbenchError: The rule needs timestamps and there are none.
    """
    order = Order.FILE if isinstance(split, PublishedSplit) else split.order
    if order is Order.FILE:
        by_user = np.argsort(users, kind="stable")
    elif timestamps is None:
        raise RecbenchError(
            "The split is ordered by timestamp, but the data has no timestamps.",
            'Name the timestamp column, or use a spec whose split has order = "file".',
        )
    else:
        by_user = np.lexsort((timestamps, users))
    rows_of_user = np.bincount(users, minlength=n_users)
    held = np.where(_wanted(split, rows_of_user) < rows_of_user, _wanted(split, rows_of_user), 0)
    ends = np.cumsum(rows_of_user)
    sorted_users = users[by_user]
    from_end = ends[sorted_users] - np.arange(len(users))
    return by_user[from_end <= held[sorted_users]]


def _wanted(split: Split, rows_of_user: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not isinstance(split, LeaveLastFraction):
        return np.minimum(rows_of_user, 1)
    # Exact: as floats 0.1 * 30 may come out above 3, and its ceiling would be 4.
    fraction = Fraction(split.fraction)
    return -(-rows_of_user * fraction.numerator // fraction.denominator)
