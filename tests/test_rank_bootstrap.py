"""Ranks over tasks: Nemenyi's test against scikit-posthocs, the bootstrap against what must hold of it."""

import numpy as np
import pytest
from scipy.stats import rankdata, studentized_range

from recbench.evaluation.nemenyi import critical_difference, nemenyi_p_values
from recbench.evaluation.rank_bootstrap import over_tasks, ranks_of, relative_to_best
from recbench.evaluation.studentized_range import quantile, survival
from recbench.evaluation.user_sums import UserSums


@pytest.mark.parametrize("k", [2, 5, 20])
def test_the_studentized_range_is_that_of_scipy(k):
    assert quantile(0.95, k) == pytest.approx(studentized_range.ppf(0.95, k, np.inf), abs=1e-9)
    for q in (0.0, 1.0, 4.0):
        assert survival(q, k) == pytest.approx(studentized_range.sf(q, k, np.inf), abs=1e-9)


def test_nemenyi_is_that_of_scikit_posthocs():
    import scikit_posthocs as posthocs

    scores = np.random.default_rng(0).random((7, 5))
    # It ranks ascending, so that the highest score must be the lowest number.
    expected = posthocs.posthoc_nemenyi_friedman(-scores).to_numpy()
    ranks = ranks_of(scores).mean(axis=0)
    p_values = nemenyi_p_values(ranks, 7)
    assert p_values == pytest.approx(expected, abs=1e-9)
    distances = np.abs(ranks[:, None] - ranks[None, :])
    assert ((distances > critical_difference(5, 7)) == (expected < 0.05)).all()


def test_the_critical_difference_of_the_paper():
    # Demšar (2006), section 3.2.2: four classifiers, 14 data sets.
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_ranks_and_relative_scores():
    scores = np.array([[0.5, 0.2, 0.5, 0.1], [0.0, 0.0, 0.0, 0.0]])
    assert ranks_of(scores).tolist() == rankdata(-scores, axis=1).tolist()
    assert relative_to_best(scores)[0] == pytest.approx([1, 0.4, 1, 0.2])
    assert relative_to_best(scores)[1].tolist() == [1, 1, 1, 1]


def sums(rng, means, n_users=200, noise=0.2):
    """One case a user; all models share the difficulty of the user."""
    own = rng.normal(0, noise, (n_users, len(means)))
    return UserSums(np.asarray(means) + rng.normal(0, 0.3, (n_users, 1)) + own, np.ones(n_users))


def test_the_bootstrap_is_paired_and_over_tasks():
    rng = np.random.default_rng(1)
    clear = over_tasks([sums(rng, (1.0, 0.6, 0.2)) for _ in range(5)], 500)
    assert clear.mean_ranks.figures.tolist() == [1, 2, 3]
    # The difficulty of users, which all models share, does not blur the ranks.
    assert [(bounds.low, bounds.high) for bounds in clear.mean_ranks.intervals()] == [(1, 1), (2, 2), (3, 3)]
    assert clear.mean_ranks.interval_of_difference(0, 1).high < 0
    # Tasks disagree: users are sure of each, and tasks are not.
    mixed = over_tasks([sums(rng, means) for means in [(1, 0.2), (0.2, 1), (1, 0.2), (0.2, 1)]], 500)
    assert mixed.mean_ranks.figures.tolist() == [1.5, 1.5]
    interval = mixed.mean_ranks.intervals()[0]
    assert (interval.low, interval.high) == (1, 2)
    # Users are few and noisy: one task's ranks vary too, although all tasks agree.
    noisy = over_tasks([sums(rng, (0.5, 0.49), n_users=20, noise=1.0)] * 3, 500)
    assert noisy.mean_ranks.draws.std() > 0.1


def test_one_task_fewer_is_drawn():
    """So that the variance over tasks is unbiased: with two tasks, a draw is one of them."""
    rng = np.random.default_rng(2)
    two = over_tasks([sums(rng, (1, 0.2)), sums(rng, (0.2, 1))], 500)
    assert set(two.mean_ranks.draws[:, 0].tolist()) == {1.0, 2.0}


def test_the_same_records_give_the_same_intervals():
    result, other = (over_tasks([sums(np.random.default_rng(3), (1, 0.9))] * 2, 100) for _ in range(2))
    assert (result.mean_ranks.draws == other.mean_ranks.draws).all()


def test_the_same_hits_of_other_users_are_tied():
    """Means over three seeds are thirds, whose sums depend on their order."""
    rng, users = np.random.default_rng(0), np.arange(200, dtype=np.int32)
    values = np.repeat([0.0, 1 / 3, 2 / 3, 1.0], [60, 50, 50, 40])
    sums = [UserSums.of(np.column_stack([rng.permutation(values), rng.permutation(values)]), users) for _ in range(20)]
    assert any(first != second for first, second in (task.means for task in sums))
    over = over_tasks(sums, resamples=10)
    assert over.mean_ranks.figures.tolist() == [1.5, 1.5]
