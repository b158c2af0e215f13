"""The mean number of train rows, which regularisation is relative to."""

import math

from .checks import require_rows
from recbench.protocol import TrainSet


def mean_rows(train: TrainSet) -> float:
    """Returns rows / sqrt(users * items), the geometric mean of the rows of a user and of the rows of an item.

    Raises:
        ValueError: There is no row, and so nothing to learn from.
    """
    require_rows(train)
    return len(train) / math.sqrt(train.n_users * train.n_items)


def per_row(regularization: float, train: TrainSet) -> float:
    """Returns the L2 that is applied once for each train row: regularization / sqrt(mean_rows).

    The reason for the square root: such an L2 is a threshold for the singular values of the matrix of gradients, in
    which each row and each column is divided by the square root of its number of train rows (Srebro and Salakhutdinov,
    NIPS 2010). In this matrix, the largest singular value of pure noise falls with the square root of the number of
    rows. The threshold has to fall with it.
    """
    return regularization / math.sqrt(mean_rows(train))
