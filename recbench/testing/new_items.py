"""Train rows in which half of the items have none, for the contract's tests on new items."""

import numpy as np

from recbench.protocol import TrainSet

N_USERS = 48
N_KNOWN = 24
N_NEW = 24


def train_with_new_items(*, ratings: bool = False, timestamps: bool = False) -> TrainSet:
    """Returns about 500 rows of 47 users in 24 items of very different popularity; 24 more items have no row.

    The first user has all of the 24 items, the last has none. New items stand between known ones, so that their place
    in the catalogue tells nothing.

    Args:
        ratings: Whether the rows have ratings; all of them are 1.
        timestamps: Whether the rows have times, which count the rows.
    """
    chosen = np.random.default_rng(0).random((N_USERS, N_KNOWN)) < np.linspace(0.8, 0.05, N_KNOWN)
    chosen[0], chosen[-1] = True, False
    users, columns = np.nonzero(chosen)
    return TrainSet.from_rows(
        N_USERS,
        N_KNOWN + N_NEW,
        users.astype(np.int32),
        (2 * columns).astype(np.int32),
        np.ones(len(users), dtype=np.float32) if ratings else None,
        np.arange(len(users), dtype=np.int64) if timestamps else None,
    )
