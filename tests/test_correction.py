"""Check values: Krichene and Rendle (KDD 2020), and the published NCF split of MovieLens 1M (99 negatives)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recbench.evaluation.correction import (
    corrected,
    corrected_gains,
    even_chance_rank,
    expected,
    has_little_bias,
    of_perfect_model,
    rank_probabilities,
)
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.ranking import Ranks

N, M = 3542, 99
HR, NDCG = parse_measure("hr@10"), parse_measure("ndcg@10")

# How many of the 6,040 cases of the published NCF split have 0, 1, 2, ... of the 99 negatives above the positive: of
# EASE with l2 = 1320, and of popularity with every tie for the positive.
EASE = [
    1344, 770, 557, 402, 327, 252, 227, 175, 153, 137, 122, 99, 106, 71, 78, 71, 66, 57, 68, 50, 33, 47, 36, 41,
    37, 27, 31, 25, 30, 24, 22, 28, 22, 25, 15, 19, 16, 18, 18, 22, 13, 10, 14, 7, 16, 13, 9, 8, 11, 13, 8, 7,
    4, 7, 7, 7, 10, 7, 5, 1, 10, 5, 4, 4, 3, 3, 2, 2, 3, 3, 6, 0, 3, 7, 2, 7, 5, 7, 7, 7, 4, 9, 5, 7, 1, 4, 6,
    5, 6, 8, 1, 4, 10, 7, 2, 4, 5, 5, 4, 8,
]  # fmt: skip
POPULARITY = [
    635, 399, 322, 262, 224, 213, 195, 186, 164, 141, 151, 136, 128, 120, 110, 100, 94, 98, 89, 68, 99, 107, 92,
    72, 85, 73, 61, 58, 69, 61, 62, 56, 54, 51, 50, 58, 37, 43, 42, 41, 51, 33, 32, 42, 41, 38, 22, 47, 38, 29,
    33, 30, 27, 31, 22, 22, 32, 19, 23, 13, 11, 17, 17, 17, 9, 18, 12, 15, 8, 11, 13, 10, 16, 4, 10, 11, 11, 12,
    5, 9, 8, 9, 6, 6, 5, 6, 9, 2, 5, 3, 2, 6, 4, 0, 0, 0, 0, 0, 0, 2,
]  # fmt: skip


def ranks(better, tied=None, n_others=M):
    better = np.asarray(better, dtype=np.int32)
    tied = np.zeros_like(better) if tied is None else np.asarray(tied, dtype=np.int32)
    return Ranks(np.arange(len(better), dtype=np.int32), np.full(len(better), n_others, np.int32), better, tied)


@pytest.mark.parametrize(
    ("true_ranks", "hit_rate"),
    [
        ([100] * 5, 1.000),
        ([40, 40, 8437, 9266, 4482], 0.400),
        ([212, 2, 743, 5342, 1548], 0.569),
    ],
)
def test_the_papers_toy_example(true_ranks, hit_rate):
    for distinct in (False, True):
        mean = expected(HR, np.array(true_ranks), 10_000, M, distinct=distinct).mean()
        assert mean == pytest.approx(hit_rate, abs=5e-4)


def test_a_hit_among_99_negatives_is_a_coin_flip_at_rank_346():
    assert even_chance_rank(10, N, M, distinct=False) == 346
    assert even_chance_rank(10, N, M) == 345
    assert expected(HR, np.array([345]), N, M)[0] == pytest.approx(0.5, abs=0.005)


def test_hit_rate_is_a_distribution_function():
    true_ranks = np.array([1, 2, 100, 346, 3542])
    hit_probabilities = expected(HR, true_ranks, N, M, distinct=False)
    np.testing.assert_allclose(hit_probabilities, stats.binom.cdf(9, M, (true_ranks - 1) / (N - 1)), rtol=1e-12)


@given(st.integers(2, 60), st.integers(1, 59), st.integers(1, 12))
def test_probabilities_are_scipys(n, m, k):
    m = min(m, n - 1)
    true_ranks = np.arange(1, n + 1)
    probabilities = rank_probabilities(true_ranks, n, m)
    np.testing.assert_allclose(
        probabilities, stats.hypergeom.pmf(np.arange(m + 1), n - 1, true_ranks[:, None] - 1, m), atol=1e-11
    )
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


def test_sampled_ranks_have_the_probabilities_that_are_stated():
    rng = np.random.default_rng(0)
    better = [(rng.permutation(29)[:9] < 7).sum() for _ in range(4000)]
    expected_counts = rank_probabilities(np.array([8]), 30, 9)[0] * 4000
    counts = np.bincount(better, minlength=10)
    possible = expected_counts > 5
    assert (
        stats.chisquare(
            [*counts[possible], counts[~possible].sum()], [*expected_counts[possible], expected_counts[~possible].sum()]
        ).pvalue
        > 1e-4
    )


def test_with_the_whole_catalogue_as_negatives_only_variance_is_traded():
    """Every s tells r: without the variance's weight the estimate would be the metric itself."""
    values = corrected_gains(HR, 50, 49)
    np.testing.assert_allclose(values, (np.arange(1, 51) <= 10) * 1.0, atol=1e-9)


def test_the_mean_estimate_of_a_uniform_rank_is_right():
    """Over all true ranks alike, as the estimator assumes, E of the estimate is near the metric's mean."""
    probabilities = rank_probabilities(np.arange(1, N + 1), N, M)
    for measure, truth in ((HR, 10 / N), (NDCG, (1 / np.log2(np.arange(2, 12))).sum() / N)):
        estimates = probabilities @ corrected_gains(measure, N, M)
        assert estimates.mean() == pytest.approx(truth, rel=0.06)


def test_the_correction_is_nearer_to_the_truth_than_the_sampled_metric():
    """For a model that has half of its cases among its first 150 items."""
    rng = np.random.default_rng(1)
    true_ranks = np.clip(rng.lognormal(5.0, 1.6, 20_000).astype(np.int64), 1, N)
    sampled = ranks(rng.hypergeometric(true_ranks - 1, N - true_ranks, M))
    for measure in (HR, NDCG):
        truth = measure.values(ranks(true_ranks - 1, n_others=N - 1)).mean()
        naive, better = measure.values(sampled).mean(), corrected(measure, sampled, N).mean()
        assert abs(better - truth) < 0.3 * abs(naive - truth)


def test_ties_and_unequal_numbers_of_negatives():
    gains = corrected_gains(NDCG, 500, 20)
    assert corrected(NDCG, ranks([3], [2], 20), 500)[0] == pytest.approx(gains[3:6].mean())
    mixed = Ranks(*(np.array(array, dtype=np.int32) for array in ([0, 1], [20, 19], [3, 3], [0, 0])))
    assert corrected(NDCG, mixed, 500)[1] == pytest.approx(corrected_gains(NDCG, 500, 19)[3])


@pytest.mark.parametrize(
    ("counts", "sampled", "estimate"), [(EASE, 0.7192, 0.0867), (POPULARITY, 0.454, 0.0394)], ids=["EASE", "popularity"]
)
def test_the_published_split_of_movielens_1m(counts, sampled, estimate):
    """In the whole catalogue EASE has .1075 and popularity .0414; with replacement, as in the paper."""
    of_cases = ranks(np.repeat(np.arange(100), counts))
    assert len(of_cases) == 6040
    assert hit_rate(of_cases, 10).mean() == pytest.approx(sampled, abs=5e-4)
    assert corrected(HR, of_cases, N, distinct=False).mean() == pytest.approx(estimate, abs=5e-5)


@pytest.mark.parametrize(("n", "reads"), [(1577, 0.954), (9810, 0.241), (54_534, 0.047)])
def test_a_perfect_model_reads_less_in_a_larger_catalogue(n, reads):
    others = np.full(7, 100, dtype=np.int32)
    assert of_perfect_model(HR, others, n) == pytest.approx(reads, abs=6e-4)
    assert of_perfect_model(HR, others, n) == pytest.approx(corrected(HR, ranks(np.zeros(7), n_others=100), n).mean())


@pytest.mark.parametrize(
    ("n", "reads", "is_corrected"), [(500, 1.070, True), (800, 1.137, False), (1900, 0.867, False)]
)
def test_only_a_value_near_1_of_a_perfect_model_is_little_bias(n, reads, is_corrected):
    perfect = of_perfect_model(HR, np.full(3, 100, dtype=np.int32), n)
    assert perfect == pytest.approx(reads, abs=6e-4)
    assert has_little_bias(perfect) is is_corrected


def test_cases_with_fewer_negatives_count_as_they_are():
    gains = [corrected_gains(NDCG, 500, m)[0] for m in (20, 19)]
    assert of_perfect_model(NDCG, np.array([20, 19, 20], np.int32), 500) == pytest.approx((2 * gains[0] + gains[1]) / 3)
    for nothing in (
        of_perfect_model(HR, np.array([499], np.int32), 500),
        of_perfect_model(HR, np.empty(0, np.int32), 9),
    ):
        assert nothing is None
    assert of_perfect_model(parse_measure("recall@10"), np.array([20], np.int32), 500) is None
