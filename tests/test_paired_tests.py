import numpy as np
import pytest
from scipy import stats

from recbench.evaluation.combinatorics import binomial_probabilities
from recbench.evaluation.paired_tests import detectable_difference, holm, mcnemar_p_value, sign_flip_p_values
from recbench.evaluation.user_sums import UserSums
from tests.simulated_cases import two_alike


def differences(values, users=None):
    values = np.asarray(values, dtype=np.float64)
    return UserSums.of(values[:, None], np.arange(len(values), dtype=np.int32) if users is None else users)


def test_it_agrees_with_the_exact_distribution_over_all_signs():
    values = np.random.default_rng(0).normal(0.4, 1.0, 12)
    exact = stats.permutation_test((values, np.zeros(12)), lambda x, y: x.mean() - y.mean(), permutation_type="samples")
    assert sign_flip_p_values(differences(values), 50_000)[0] == pytest.approx(exact.pvalue, abs=0.01)


def test_whole_users_change_sign():
    """Ten alike cases of one user are one observation, not ten."""
    by_user = differences(np.ones(20), np.repeat(np.arange(2, dtype=np.int32), 10))
    assert sign_flip_p_values(by_user)[0] == pytest.approx(0.5, abs=0.03)


def test_no_difference_has_p_1_and_a_sure_one_the_smallest():
    assert sign_flip_p_values(differences(np.zeros(30)))[0] == 1.0
    assert sign_flip_p_values(differences(np.ones(100)), 999)[0] == 1 / 1000


def test_rounding_does_not_hide_that_a_flip_is_as_extreme():
    """0.1 + 0.2 - 0.3 is not 0 in floating point."""
    by_user = UserSums(np.array([[0.1], [0.2], [-0.3]]), np.ones(3))
    assert sign_flip_p_values(by_user, 2000)[0] == 1.0


@pytest.mark.parametrize("clustered", [False, True])
def test_where_models_are_alike_5_of_100_tests_reject(clustered):
    rng = np.random.default_rng(6)
    rejected = 0
    for number in range(1000):
        users, first, second = two_alike(rng, 150, clustered)
        rejected += sign_flip_p_values(differences(first - second, users), 1000, seed=number)[0] <= 0.05
    assert 30 <= rejected <= 70


def test_mcnemar_never_rejects_too_often():
    """Exact, so on the safe side: hits are few whole numbers."""
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(1000):
        _, first, second = two_alike(rng, 150, clustered=False)
        rejected += mcnemar_p_value(first, second) <= 0.05
    assert 15 <= rejected <= 60


def test_mcnemar_by_hand():
    """9 cases only the first model hits, 2 only the second: 2 * P(at most 2 of 11 coins)."""
    first = np.repeat([1.0, 1.0, 0.0, 0.0, 0.5], [30, 9, 2, 7, 3])
    second = np.repeat([1.0, 0.0, 1.0, 0.0, 0.0], [30, 9, 2, 7, 3])
    assert mcnemar_p_value(first, second) == pytest.approx(2 * (1 + 11 + 55) / 2**11, rel=1e-12)
    assert mcnemar_p_value(first, first) == 1.0


def test_mcnemar_agrees_with_the_exact_binomial_test():
    rng = np.random.default_rng(8)
    for n in (1, 2, 7, 500, 20_000):
        for wins in rng.binomial(n, 0.49, 10):
            hits = np.repeat([1.0, 0.0], [wins, n - wins])
            assert mcnemar_p_value(hits, 1 - hits) == pytest.approx(stats.binomtest(int(wins), n).pvalue, rel=1e-9)


@pytest.mark.parametrize("chance", [0.0, 0.2, 1.0])
def test_binomial_probabilities_agree_with_scipy(chance):
    successes = np.arange(2001)
    probabilities = binomial_probabilities(2000, successes, np.array(chance))
    assert probabilities == pytest.approx(stats.binom.pmf(successes, 2000, chance), rel=1e-9, abs=1e-300)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_detectable_difference_is_found_four_times_of_five():
    rng = np.random.default_rng(8)
    n_detected = 0
    difference = detectable_difference(1 / np.sqrt(200))
    assert difference == pytest.approx(2.8016 / np.sqrt(200), rel=1e-4)
    for number in range(400):
        by_user = differences(rng.normal(difference, 1.0, 200))
        n_detected += sign_flip_p_values(by_user, 500, seed=number)[0] <= 0.05
    assert 0.74 * 400 <= n_detected <= 0.86 * 400
