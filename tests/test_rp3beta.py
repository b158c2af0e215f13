"""What is particular to the model rp3beta: its scores by hand, with dense matrices."""

import numpy as np
import pytest

from recbench_models import nearest_items
from recbench_models.rp3beta import RP3Beta
from tests.dense_fits import dense_rows, fitted


@pytest.mark.parametrize("at_once", [7, 10**6])
@pytest.mark.parametrize("neighbours", [5, 10**6])
def test_scores_by_hand(synthetic_task, neighbours, at_once, monkeypatch):
    monkeypatch.setattr(nearest_items, "ITEMS_AT_ONCE", at_once)
    train = synthetic_task.train_set()
    rows = dense_rows(train)
    overlap = neighbours * len(train) / (train.n_users * train.n_items)
    of_users, of_items = rows.sum(axis=1, keepdims=True), rows.sum(axis=0)
    to_users = np.nan_to_num(rows / of_items).T ** 0.7
    to_items = np.nan_to_num(rows / of_users) ** 0.7
    weights = to_users @ to_items / np.maximum(of_items, 1) ** 0.4
    np.fill_diagonal(weights, 0)
    for column in weights.T:
        # Of equal weights, those from the first items stay.
        column[np.argsort(-column, kind="stable")[neighbours:]] = 0
    scores = fitted(RP3Beta(overlap, 0.7, 0.4), synthetic_task).score_all(np.arange(len(rows), dtype=np.int32))
    same = np.isclose(scores, rows @ weights, rtol=1e-9, atol=1e-12)
    # Weights that differ by rounding alone may change places at the limit.
    assert same.mean() > 0.99


def test_equal_weights_at_the_limit_are_kept_in_the_order_of_items():
    values = np.array([1.0, 3.0, 2.0, 2.0, 0.5, 2.0])
    kept = [sorted(nearest_items._largest(values, k).tolist()) for k in range(1, 6)]
    assert kept == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 5], [0, 1, 2, 3, 5]]
