"""How regularisation follows the number of train rows."""

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench_models.mean_rows import mean_rows, per_row


def train_set(n_users, n_items, rows):
    cells = np.arange(rows) * (n_users * n_items // rows)
    users, items = (index.astype(np.int32) for index in np.divmod(cells, n_items))
    return TrainSet.from_rows(n_users, n_items, users, items)


def test_the_mean_is_the_geometric_mean_of_users_and_items():
    # 8 rows for each user and 2 for each item.
    assert mean_rows(train_set(10, 40, 80)) == pytest.approx(4)
    assert mean_rows(train_set(40, 10, 80)) == pytest.approx(4)


def test_regularisation_falls_with_its_square_root():
    assert per_row(0.3, train_set(10, 40, 80)) == pytest.approx(0.3 / 2)
