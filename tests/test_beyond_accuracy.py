import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recbench.evaluation.beyond_accuracy import (
    Cohort,
    coverage,
    exposure,
    exposure_gini,
    hit_rate_by_cohort,
    mean_popularity,
)
from recbench.evaluation.metrics.auc import auc
from recbench.evaluation.metrics.mrr import reciprocal_rank
from recbench.evaluation.ranking import Ranks
from recbench.tasks.task import NO_ITEM


def ranks(n_others, better, tied):
    arrays = (range(len(better)), n_others, better, tied)
    return Ranks(*(np.array(array, dtype=np.int32) for array in arrays))


def lists(rows):
    return np.array(rows, dtype=np.int32)


@pytest.mark.parametrize(
    ("better", "tied", "value"),
    [(0, 0, 1.0), (4, 0, 0.2), (0, 1, (1 + 1 / 2) / 2), (1, 2, (1 / 2 + 1 / 3 + 1 / 4) / 3), (99, 0, 0.01)],
)
def test_reciprocal_ranks_by_hand(better, tied, value):
    assert reciprocal_rank(ranks([100], [better], [tied]))[0] == pytest.approx(value, abs=1e-14)


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=6))
def test_the_reciprocal_rank_is_the_mean_over_all_orders_of_ties(others):
    mine = ranks([len(others)], [sum(o > 0 for o in others)], [sum(o == 0 for o in others)])
    scores = [0, *others]
    orders = [
        order.index(0)
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    assert reciprocal_rank(mine)[0] == pytest.approx(np.mean([1 / (rank + 1) for rank in orders]), abs=1e-12)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40))
def test_auc_is_that_of_mann_and_whitney(others):
    mine = ranks([len(others)], [sum(o > 0 for o in others)], [sum(o == 0 for o in others)])
    theirs = stats.mannwhitneyu([0], others, method="asymptotic").statistic / len(others)
    assert auc(mine)[0] == pytest.approx(theirs, abs=1e-12)


def test_auc_of_constant_scores_and_of_nobody_is_one_half():
    assert auc(ranks([7, 0, 4, 4], [0, 0, 0, 4], [7, 0, 0, 0])).tolist() == [0.5, 0.5, 1.0, 0.0]


def test_exposure_counts_places_and_not_what_fills_a_list_up():
    top = lists([[0, 2], [2, NO_ITEM], [NO_ITEM, NO_ITEM]])
    assert exposure(top, 5).tolist() == [1, 0, 2, 0, 0]
    assert coverage(top, 5) == pytest.approx(2 / 5)


@pytest.mark.parametrize(
    ("rows", "n_items", "value"),
    [
        ([[0], [1], [2], [3]], 4, 0.0),
        ([[0, 1], [2, 3]], 4, 0.0),
        ([[2], [2], [2]], 5, 1.0),
        ([[0, 1], [0, 1], [1, 0]], 5, (5 - 2) / (5 - 1)),
        ([[0], [1], [1], [1]], 2, (3 - 1) / 4),
        ([[NO_ITEM]], 3, 0.0),
        ([[0]], 1, 0.0),
    ],
)
def test_gini_in_closed_form(rows, n_items, value):
    assert exposure_gini(lists(rows), n_items) == pytest.approx(value, abs=1e-14)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=50))
def test_gini_is_half_the_relative_mean_difference(items):
    """Of pairs of different items: sum |x_i - x_j| / (2 n (n - 1) mean)."""
    counts = np.bincount(items, minlength=8)
    difference = np.abs(counts[:, None] - counts).sum() / (2 * 8 * 7 * counts.mean())
    assert exposure_gini(lists([[item] for item in items]), 8) == pytest.approx(difference, abs=1e-12)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.data())
def test_percentiles_are_those_of_scipy(counts, data):
    items = data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=10))
    theirs = [stats.percentileofscore(counts, counts[item], kind="mean") / 100 for item in items]
    mine = mean_popularity(lists([[item] for item in items]), np.array(counts))
    assert mine == pytest.approx(np.mean(theirs), abs=1e-12)


def test_lists_of_everything_have_the_popularity_of_chance():
    counts = np.array([5, 0, 0, 9, 5, 5])
    assert mean_popularity(lists([range(6)]), counts) == pytest.approx(0.5, abs=1e-14)
    assert mean_popularity(lists([[3, NO_ITEM]]), counts) == pytest.approx(5.5 / 6)
    assert np.isnan(mean_popularity(lists([[NO_ITEM]]), counts))


def test_cohorts_by_hand():
    mine = ranks([9] * 7, [0, 9, 0, 0, 9, 9, 0], [0, 0, 0, 1, 0, 0, 0])
    values = np.array([3, 1, 1, 8, 2, 1, 2])
    assert hit_rate_by_cohort(mine, values, 1) == (
        Cohort(3, 1.0, 1.0, pytest.approx(1 / 3)),
        Cohort(2, 2.0, 2.0, pytest.approx(1 / 2)),
        Cohort(2, 3.0, 8.0, pytest.approx(1.5 / 2)),
    )


def test_equal_values_stay_in_the_order_of_the_cases():
    mine = ranks([9] * 6, [0, 0, 9, 9, 0, 9], [0] * 6)
    assert [cohort.hr for cohort in hit_rate_by_cohort(mine, np.ones(6), 1)] == [1.0, 0.0, 0.5]


def test_fewer_cases_than_cohorts():
    assert [cohort.n_cases for cohort in hit_rate_by_cohort(ranks([9] * 2, [0, 0], [0, 0]), np.arange(2), 1)] == [1, 1]
