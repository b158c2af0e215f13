"""Whether hyper-parameters leave any train row to learn from."""

import numpy as np

from .unseen import popularity_weights
from .user_blocks import weights_of_rows
from recbench.protocol import TrainSet


def require_pairs(train: TrainSet, negative_exponent: float, balance: float = 0.0) -> None:
    """Checks that some row counts and has a negative.

    Extreme exponents leave the weight 0 to most items and to most users' rows. A model that skips all its pairs would
    end as trained, with the vectors that it started from.

    Args:
        train: The train rows.
        negative_exponent: Negatives are drawn in proportion to their number of train rows to this power.
        balance: Each row weighs the number of its user's train rows to the power of minus this.

    Raises:
        ValueError: No row that counts has a negative, although a user with rows has unseen items.
    """
    degrees = np.diff(train.indptr)
    counts = weights_of_rows(degrees, balance) > 0
    weights = popularity_weights(train.items, train.n_items, negative_exponent)
    drawn = np.ones(train.n_items, dtype=np.bool_) if weights is None else weights > 0
    if drawn.all() and counts[degrees > 0].all():
        return
    sums = np.concatenate([[0], np.cumsum(drawn[train.indices])])
    has_negative = sums[train.indptr[1:]] - sums[train.indptr[:-1]] < drawn.sum()
    could_learn = (degrees > 0) & (degrees < train.n_items)
    if could_learn.any() and not (could_learn & counts & has_negative).any():
        raise ValueError(
            f"no train row can be learned from: negative_exponent={negative_exponent:g} draws negatives from "
            f"{drawn.sum()} of {train.n_items} items, balance={balance:g} gives a weight to the rows of "
            f"{counts.sum()} of {train.n_users} users, and these users have interacted with all these items; use a "
            "lower negative_exponent or balance"
        )
