"""Data smaller than a model may expect: one item, one user, users without rows, more threads than rows."""

import numpy as np
import pytest

from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import TrainSet
from recbench.registry.models import find_model
from recbench.tasks.task import Cases
from recbench.trials.clock import TimedContext

# Users, items, train rows, cases with their negatives.
DATA = {
    "one item": (3, 1, [(0, 0), (2, 0)], [(1, 0)], [[]]),
    "one user": (1, 5, [(0, 0), (0, 3)], [(0, 1)], [[2, 4]]),
    "one row": (1, 2, [(0, 0)], [(0, 1)], [[]]),
    "users without": (6, 5, [(0, 0), (0, 1), (3, 2), (5, 4)], [(u, 3) for u in (0, 2, 3, 5)], [[2], [2], [1], [2]]),
}  # fmt: skip


@pytest.mark.parametrize("model", ["popularity", "itemknn", "ease", "slim", "ials", "rp3beta"])
@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_tiny_data_are_trained_and_ranked(data, model):
    n_users, n_items, rows, cases, negatives = data
    (users, items), (case_users, positives) = (np.array(pairs, dtype=np.int32).T for pairs in (rows, cases))
    train = TrainSet.from_rows(n_users, n_items, users.copy(), items.copy())
    held_out = Cases(case_users.copy(), positives.copy(), np.array(negatives, dtype=np.int32).reshape(len(cases), -1))
    trained = find_model(model).load()()
    # More threads than rows.
    trained.fit(train, TimedContext(0, threads=8))
    ranks = rank_cases(trained, held_out)
    # Blocks of one user and of all.
    for cells in (1, 1000):
        full = rank_catalogue(trained, train, held_out, top=3, cells_at_once=cells, tile_cells_at_once=cells)
        unseen = n_items - np.diff(train.indptr)[case_users] - 1
        np.testing.assert_array_equal(full.ranks.n_others, unseen)
        assert np.all(full.ranks.better + full.ranks.tied <= unseen)
        # Whatever beats a positive among a few items beats it among all.
        assert np.all(full.ranks.better >= ranks.better)
