"""Orders of rows that depend on a seed and on the rows, and not on the order of lines."""

from dataclasses import replace

import numpy as np

from recbench.data.interactions import Interactions
from recbench.data.ordering import order_by, stable_order
from recbench.data.random_bits import Purpose, RandomBits
from recbench.data.rows import Rows
from recbench.protocol import Int64Array

BOUND = 2**32
"""Bound of the random numbers; rows with equal numbers, 1 in 4 billion, stay in the order of users and items."""


def drawn_order(rows: Rows, seed: int, purpose: Purpose) -> Int64Array:
    """Returns int64[rows], the rows in a random order.

    Args:
        rows: Rows that repeat no (user, item) pair, users and items numbered in an order that is not the file's.
        seed: Seed of the draw.
        purpose: Which stream of random numbers.
    """
    by_pair = order_by(rows.users, rows.items)
    return by_pair[stable_order(RandomBits(seed, purpose).below(BOUND, len(rows)))]


def in_neutral_order(interactions: Interactions) -> Interactions:
    """Returns the same rows by time, and in a random order where times are equal or absent.

    Numbers of items must not decide ties: the item with the highest number would always be the one that is held out.
    """
    rows, times = interactions.rows, interactions.timestamps
    if times is None:
        return replace(interactions, rows=rows.take(drawn_order(rows, 0, Purpose.TIES_IN_TIME)))
    order = stable_order(times)
    equal = times[order[1:]] == times[order[:-1]]
    tied = np.append(equal, False) | np.append(False, equal)
    some = order[tied]
    drawn = some[drawn_order(rows.take(some), 0, Purpose.TIES_IN_TIME)]
    order[tied] = drawn[stable_order(times[drawn])]
    return replace(interactions, rows=rows.take(order))
