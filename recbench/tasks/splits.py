"""Splits: which rows are held out."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from recbench.data.ordering import order_by, stable_order
from recbench.data.random_bits import Purpose, RandomBits
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.drawn_order import drawn_order
from recbench.tasks.exchange.forms import Order
from recbench.tasks.spec import LastRows, LeaveLastN, PublishedSplit, RandomFraction

SplitByUser = LastRows | RandomFraction | PublishedSplit
RANDOM_BOUND = 2**32
"""Bound of the numbers that choose random rows; rows with equal numbers, 1 in 4 billion, keep their file order."""


def held_out_rows(split: SplitByUser, n_users: int, rows: Rows) -> Int64Array:
    """Returns the rows (int64[cases]) to hold out, by user and then in the split's order.

    A user whose rows would all be held out keeps all of them.

    Args:
        split: The rule. That of published splits is used for validation only. An order that is open is by timestamp.
        n_users: Number of users.
        rows: The rows, in file order; where timestamps are equal, this order decides.

    Raises:
        RecbenchError: The rule needs timestamps and there are none.
    """
    return _last_rows(split, n_users, rows.users, _order(split, rows))


def held_out_twice(split: SplitByUser, n_users: int, rows: Rows) -> tuple[Int64Array, Int64Array]:
    """Returns the rows of test, and the rows of validation, which the same rule holds out of the remaining rows.

    Args and errors: see ``held_out_rows``. Both count all rows.
    """
    order = _order(split, rows)
    test = _last_rows(split, n_users, rows.users, order)
    left = np.ones(len(rows), dtype=np.bool_)
    left[test] = False
    # The remaining rows keep their order.
    return test, _last_rows(split, n_users, rows.users, order[left[order]])


def require_timestamps(timestamps: Int64Array | None) -> Int64Array:
    """Returns the timestamps.

    Raises:
        RecbenchError: There are none.
    """
    if timestamps is None:
        raise RecbenchError(
            "The split is ordered by timestamp, but the data has no timestamps.",
            'Name the timestamp column, or use a spec whose split has order = "random" or "file".\n'
            "On the command line: recbench task build NAME --ratings FILE --order random",
        )
    return timestamps


def _order(split: SplitByUser, rows: Rows) -> Int64Array:
    """Returns int64[rows], the rows by user, those to hold out last."""
    users, timestamps = rows.users, rows.timestamps
    if isinstance(split, RandomFraction):
        return order_by(users, RandomBits(split.seed, Purpose.RANDOM_SPLIT).below(RANDOM_BOUND, len(users)))
    if isinstance(split, PublishedSplit):
        if timestamps is not None:
            return order_by(users, timestamps)
        return order_by(users, RandomBits(0, Purpose.PUBLISHED_VALIDATION).below(RANDOM_BOUND, len(users)))
    if split.order is Order.FILE:
        return stable_order(users)
    if split.order is Order.RANDOM:
        drawn = drawn_order(rows, split.seed or 0, Purpose.RANDOM_ORDER)
        return drawn[stable_order(users[drawn])]
    return order_by(users, require_timestamps(timestamps))


def _last_rows(split: SplitByUser, n_users: int, users: Int32Array, order: Int64Array) -> Int64Array:
    """Returns the last rows of each user in ``order``, as many as the rule says."""
    rows_of_user = np.bincount(users[order], minlength=n_users)
    counts = _held_out_counts(split, rows_of_user)
    held = np.where(counts < rows_of_user, counts, 0)
    first_held = np.cumsum(rows_of_user) - held
    within = np.arange(held.sum()) - np.repeat(np.cumsum(held) - held, held)
    rows: Int64Array = order[np.repeat(first_held, held) + within]
    return rows


def _held_out_counts(split: SplitByUser, rows_of_user: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    share = split.validation_share if isinstance(split, PublishedSplit) else getattr(split, "fraction", None)
    if share is not None:
        # Exact: as floats 0.1 * 30 may come out above 3, and its ceiling would be 4.
        fraction = Fraction(share)
        return -(-rows_of_user * fraction.numerator // fraction.denominator)
    n = split.n if isinstance(split, LeaveLastN) else 1
    return np.minimum(np.maximum(rows_of_user - 1, 0), n)
