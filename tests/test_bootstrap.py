import numpy as np
import pytest
from scipy import stats

from recbench.evaluation import bootstrap
from recbench.evaluation.bootstrap import Interval, intervals, resampled_means
from recbench.evaluation.user_sums import UserSums
from tests.simulated_cases import TRUE_HIT_RATE, clustered_hits, single_hits


def test_cases_are_summed_by_user():
    by_user = UserSums.of(np.array([[1.0, 2.0], [0.0, 4.0], [1.0, 0.0]]), np.array([7, 3, 7], dtype=np.int32))
    assert by_user.sums.tolist() == [[0.0, 4.0], [2.0, 2.0]]
    assert by_user.counts.tolist() == [1.0, 2.0]
    assert by_user.means.tolist() == [pytest.approx(2 / 3), pytest.approx(2.0)]


def test_it_agrees_with_scipy_where_each_user_has_one_case():
    values = np.random.default_rng(1).beta(2, 3, 400)
    by_user = UserSums.of(values[:, None], np.arange(400, dtype=np.int32))
    (ours,) = intervals(resampled_means(by_user, 20_000))
    drawn = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", random_state=2)
    theirs = drawn.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=5e-4)
    assert by_user.standard_errors()[0] == pytest.approx(values.std(ddof=1) / 20, rel=1e-12)


def test_the_standard_error_of_clusters_is_that_of_the_bootstrap():
    users, hits = clustered_hits(np.random.default_rng(3), 400)
    by_user = UserSums.of(hits[:, None], users)
    assert resampled_means(by_user).std() == pytest.approx(by_user.standard_errors()[0], rel=0.05)
    naive = hits.std() / np.sqrt(len(hits))
    assert by_user.standard_errors()[0] > 1.2 * naive


def test_columns_share_their_draws():
    users, hits = clustered_hits(np.random.default_rng(4), 50)
    means = resampled_means(UserSums.of(np.column_stack([hits, hits + 0.25]), users), 100)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25)


def test_means_are_those_of_the_drawn_users_whatever_the_kind_of_column():
    counts = np.array([1.0, 2.0, 4.0])
    # Whole numbers, whole numbers too large for float32, fractions; and more columns than are summed at once.
    sums = np.tile(np.array([[1, 2**24 + 1, 0.1], [0, 3, 0.7], [2, 5, 1.3]]), 30)
    means = resampled_means(UserSums(sums, counts), 40)
    drawn = np.random.Generator(np.random.PCG64(0)).integers(0, 3, (40, 3), dtype=np.int32)
    assert means == pytest.approx(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None], rel=1e-15, abs=0)


def test_the_same_seed_draws_the_same():
    by_user = UserSums.of(np.arange(20.0)[:, None], np.arange(20, dtype=np.int32))
    assert np.array_equal(resampled_means(by_user, 50), resampled_means(by_user, 50))
    assert not np.array_equal(resampled_means(by_user, 50), resampled_means(by_user, 50, seed=1))


@pytest.mark.parametrize("simulate", [single_hits, clustered_hits])
def test_a_95_percent_interval_covers_the_truth_95_times_of_100(simulate):
    rng = np.random.default_rng(5)
    covered = 0
    for number in range(1000):
        users, hits = simulate(rng, 200)
        (interval,) = intervals(resampled_means(UserSums.of(hits[:, None], users), 1000, seed=number))
        covered += interval.low <= TRUE_HIT_RATE <= interval.high
    assert 930 <= covered <= 970


def test_intervals_are_quantiles():
    assert intervals(np.arange(101.0)[:, None], level=0.9) == [Interval(pytest.approx(5.0), pytest.approx(95.0))]


def test_draws_that_are_kept_are_those_that_are_drawn_anew(monkeypatch):
    users, hits = clustered_hits(np.random.default_rng(5), 60)
    few, many = UserSums.of(hits[:, None], users), UserSums.of(np.arange(90.0)[:, None], np.arange(90, dtype=np.int32))
    kept = [resampled_means(by_user, 500, seed) for by_user in (few, few, many, few) for seed in (0, 1)]
    monkeypatch.setattr(bootstrap, "KEPT_DRAWS", 0)
    monkeypatch.setattr(bootstrap, "COUNTED_AT_ONCE", 1)
    anew = [resampled_means(by_user, 500, seed) for by_user in (few, few, many, few) for seed in (0, 1)]
    np.testing.assert_array_equal(np.concatenate(kept, 1), np.concatenate(anew, 1))
    assert not np.array_equal(kept[0], kept[1])
