"""What seeds explain, and what users that were not seen may do: the parts of a verdict that scipy can check."""

import math

import numpy as np
import pytest
from scipy.stats import beta, norm, t, ttest_1samp, ttest_ind

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.inference import Sample, infer
from recbench.evaluation.student import student_quantile
from recbench.reports.compare.decision import paired_limit, seed_error, seed_limit, verdict
from recbench.reports.compare.verdict import Verdict
from recbench.reports.spread import Spread

FLOOR, ALPHA = 0.005, 0.05


@pytest.mark.parametrize("degrees", [1, 1.5, 2, 3.7, 4, 10, 120, 9_999.0])
@pytest.mark.parametrize("z", [0.0, 0.84, 1.96, 2.58])
def test_quantiles_are_those_of_scipy(z, degrees):
    assert student_quantile(z, degrees) == pytest.approx(t.ppf(norm.cdf(z), degrees), rel=1e-3, abs=1e-12)


def test_without_end_it_is_the_normal_distribution():
    assert student_quantile(1.96, math.inf) == 1.96


@pytest.mark.parametrize("degrees", [1, 4, math.inf])
def test_a_quantile_beyond_the_precision_of_probabilities_is_finite_and_no_smaller(degrees):
    assert student_quantile(8, degrees) <= student_quantile(40, degrees) < math.inf


def test_seed_noise():
    base, current = Spread.of([0.5, 0.52, 0.54]), Spread.of([0.5, 0.5])
    assert seed_error(base, current, 0.003) == pytest.approx(0.02 / math.sqrt(3))
    # Only the three seeds vary, so there are two degrees of freedom.
    assert seed_limit(base, current, 1.959964, 0.003) == pytest.approx(t.ppf(0.975, 2) * 0.02 / math.sqrt(3), rel=1e-3)
    assert seed_limit(current, Spread.of([0.5]), 1.96, 0.003) == pytest.approx(1.96 * 0.003)
    assert seed_limit(current, current, 1.96, 0.003) == 0


def test_the_degrees_of_freedom_are_those_of_welch():
    base, current = Spread.of([0.5, 0.51, 0.53, 0.5]), Spread.of([0.49, 0.55, 0.5])
    welch = ttest_ind(base.values, current.values, equal_var=False)
    error, limit = seed_error(base, current, 0.003), seed_limit(base, current, 1.959964, 0.003)
    assert limit == pytest.approx(t.ppf(0.975, welch.df) * error, rel=1e-3)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_seeds_alone_exceed_the_limit_in_at_most_5_of_100_comparisons(seeds):
    rng = np.random.default_rng(seeds)
    beyond = 0
    for _ in range(2_000):
        base, current = (Spread.of(rng.normal(0.5, 0.01, seeds).tolist()) for _ in range(2))
        beyond += abs(base.mean - current.mean) > seed_limit(base, current, 1.959964, 0.003)
    assert 0.01 <= beyond / 2_000 <= 0.06


def test_where_hardly_any_user_differs_nothing_is_excluded():
    assert verdict(0.0, Interval(0.0, 0.0), 0.0, 1.0, FLOOR, ALPHA, rare=0.004) is Verdict.UNCHANGED
    assert verdict(0.0, Interval(0.0, 0.0), 0.0, 1.0, FLOOR, ALPHA, rare=0.006) is Verdict.INCONCLUSIVE
    users = np.arange(100, dtype=np.int32)
    values = np.zeros(100)
    levels = Sample(np.linspace(0, 1, 100), users)
    (none,) = infer([levels], [Sample(values, users)])[1]
    assert none.rare == pytest.approx(1 - 0.025 ** (1 / 100), rel=0.02)
    values[:9] = 0.5
    (nine,) = infer([levels], [Sample(values, users)])[1]
    assert nine.rare == pytest.approx(0.5 * beta.ppf(0.975, 10, 91), rel=0.1)
    values[9] = 0.5
    assert infer([levels], [Sample(values, users)])[1][0].rare == 0


def test_seeds_in_pairs_show_what_they_have_in_common():
    differences = Spread.of([0.001, 0.002, 0.0])
    test = ttest_1samp(differences.values, 0.0)
    low, high = test.confidence_interval(0.95)
    assert paired_limit(differences, 1.959964) == pytest.approx((high - low) / 2, rel=1e-3)
    # Each side alone varies by far more.
    assert verdict(0.001, Interval(0.0, 0.002), 0.02, 1.0, FLOOR, ALPHA, paired_limit=0.003) is Verdict.UNCHANGED
    assert verdict(0.001, Interval(0.0, 0.002), 0.0, 1.0, FLOOR, ALPHA, paired_limit=0.005) is Verdict.INCONCLUSIVE
