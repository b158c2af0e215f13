"""The split at one time for all users: train rows before it, cases from it on."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from recbench.data.interactions import Interactions
from recbench.data.ordering import order_by
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array
from recbench.tasks.dates import in_unit_of
from recbench.tasks.spec import GlobalTime
from recbench.tasks.splits import require_timestamps


def split_time(split: GlobalTime, interactions: Interactions) -> int:
    """Returns the time of the split, in the unit of the data's times.

    Args:
        split: The split.
        interactions: All rows that the filters keep. A share of the rows is one of these, whoever is left out later.

    Raises:
        RecbenchError: There are no times, or no row before or after the time.
    """
    if interactions.timestamps is None:
        raise RecbenchError(
            "The split is at one time for all users, but the data has no timestamps.",
            'Name the timestamp column, or hold out rows of each user: split.method = "leave-one-out" in a spec, '
            'split="leave-one-out" in Python.\nOn the command line: recbench task build NAME --ratings FILE',
        )
    if split.at is not None:
        at = in_unit_of(interactions, split.at)
    else:
        assert split.fraction is not None
        at = _start_of_last(interactions.timestamps, Fraction(split.fraction))
    check_rows_around(at, interactions)
    return at


def check_rows_around(time: int, interactions: Interactions) -> None:
    """Checks that there are rows before the time of a split, and rows at it or after it.

    Raises:
        RecbenchError: There are none.
    """
    times = require_timestamps(interactions.timestamps)
    if not times.min() < time <= times.max():
        raise RecbenchError(
            f"No row is {'before' if time <= times.min() else 'at or after'} the time {time} of the split; the data's "
            f"times are {times.min()} to {times.max()}.",
            "Choose a time between them.",
        )


def rows_before_or_known(time: int, interactions: Interactions) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the rows before the time, and those after it whose user and item both occur before it."""
    before = require_timestamps(interactions.timestamps) < time
    known_users = np.zeros(interactions.n_users, dtype=np.bool_)
    known_items = np.zeros(interactions.n_items, dtype=np.bool_)
    known_users[interactions.users[before]] = True
    known_items[interactions.items[before]] = True
    return before | (known_users[interactions.users] & known_items[interactions.items])


def held_out_from(time: int, interactions: Interactions) -> tuple[Int64Array, Int64Array]:
    """Returns the rows of test and of validation, by user and time.

    Validation holds out the end of train, as large a share of it as test is of all rows. Rows of users and items that
    are new then are among them: moved to train, they would let a model be tuned on rows that are later than its cases.
    """
    times = require_timestamps(interactions.timestamps)
    test = times >= time
    train_times = times[~test]
    start = _start_of_last(train_times, Fraction(int(test.sum()), len(times)))
    validation = ~test & (times >= start)
    if start <= train_times.min():
        validation[:] = False
    order = order_by(interactions.users, times)
    return order[test[order]], order[validation[order]]


def _start_of_last(times: Int64Array, fraction: Fraction) -> int:
    """Returns the time of the first of the last ceil(fraction * rows) rows."""
    count = -(-len(times) * fraction.numerator // fraction.denominator)
    position = max(len(times) - max(count, 1), 0)
    return int(np.partition(times, position)[position])
