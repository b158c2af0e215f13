"""The split at one moment for everybody: train before it, cases from it on."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from recbench.data.interactions import Interactions
from recbench.data.ordering import order_by
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array
from recbench.tasks.dates import in_unit_of
from recbench.tasks.spec import GlobalTime
from recbench.tasks.splits import needed


def moment_of(split: GlobalTime, interactions: Interactions) -> int:
    """Returns the moment in the unit of the data's times.

    Raises:
        RecbenchError: There are no times, or no row on one side of the moment.
    """
    times = needed(interactions.timestamps)
    if split.at is not None:
        at = in_unit_of(times, split.at)
    else:
        assert split.fraction is not None
        at = _start_of_last(times, Fraction(split.fraction))
    if not times.min() < at <= times.max():
        raise RecbenchError(
            f"No row is {'before' if at <= times.min() else 'at or after'} the moment {at} of the split; the data's "
            f"times are {times.min()} to {times.max()}.",
            "Choose a moment between.",
        )
    return at


def known_at(moment: int, interactions: Interactions) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the rows before the moment, and those after it whose user and item both occur before it."""
    before = needed(interactions.timestamps) < moment
    known_users = np.zeros(interactions.n_users, dtype=np.bool_)
    known_items = np.zeros(interactions.n_items, dtype=np.bool_)
    known_users[interactions.users[before]] = True
    known_items[interactions.items[before]] = True
    return before | (known_users[interactions.users] & known_items[interactions.items])


def rows_from(moment: int, interactions: Interactions) -> tuple[Int64Array, Int64Array]:
    """Returns the rows of test and of validation, by user and time.

    Validation holds out the end of train, as large a share of it as test is of all rows. It keeps rows of users and
    items that are new then: to put them back into train would let a model be tuned on what is later than its cases.
    """
    times = needed(interactions.timestamps)
    test = times >= moment
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
    place = max(len(times) - max(count, 1), 0)
    return int(np.partition(times, place)[place])
