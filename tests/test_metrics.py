import warnings

import numpy as np
import pytest

from recbench.evaluation.harmonic import HARMONIC_TABLE
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.mrr import reciprocal_rank
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import Ranks, rank_cases
from recbench.evaluation.stored_metrics import compute_metrics, ties_across_cut
from recbench.evaluation.user_groups import UserGroups


def ranks(better, tied, users=None):
    n = len(better)
    arrays = (range(n) if users is None else users, [100] * n, better, tied)
    return Ranks(*(np.array(array, dtype=np.int32) for array in arrays))


def test_a_constant_scorer_gets_its_chance_and_no_more():
    constant = ranks([0], [100])
    assert hit_rate(constant, 10)[0] == pytest.approx(10 / 101, abs=1e-15)
    expected = sum(1 / np.log2(r + 2) for r in range(10)) / 101
    assert ndcg(constant, 10)[0] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("better", "tied", "hit", "gain"),
    [
        (0, 0, 1.0, 1.0),
        (9, 0, 1.0, 1 / np.log2(11)),
        (10, 0, 0.0, 0.0),
        (9, 1, 0.5, 0.5 / np.log2(11)),
        (10, 50, 0.0, 0.0),
        (1, 2, 1.0, (1 / np.log2(3) + 1 / 2 + 1 / np.log2(5)) / 3),
    ],
)
def test_values_by_hand(better, tied, hit, gain):
    case_ranks = ranks([better], [tied])
    assert hit_rate(case_ranks, 10)[0] == pytest.approx(hit, abs=1e-15)
    assert ndcg(case_ranks, 10)[0] == pytest.approx(gain, abs=1e-15)


def test_means_bounds_and_users():
    some = ranks([0, 9, 50], [0, 1, 0], [7, 7, 3])
    metric = compute_metrics(some, (10,))["hr@10"]
    assert metric.mean == pytest.approx(1.5 / 3)
    assert metric.optimistic == pytest.approx(2 / 3)
    assert metric.pessimistic == pytest.approx(1 / 3)
    assert metric.user_mean == pytest.approx((1.5 / 2 + 0) / 2)
    assert UserGroups.of(np.array([4, 4, 9])).mean_of_means(np.array([1.0, 0.0, 1.0])) == pytest.approx(0.75)
    assert ties_across_cut(some, 10) == pytest.approx(1 / 3)
    assert ties_across_cut(some, 11) == 0


@pytest.fixture
def scored(synthetic_task):
    """Random scores without ties, as our ranks and as the runs that other evaluators read."""
    task = synthetic_task
    table = np.random.default_rng(0).normal(size=(task.n_users, task.n_items))

    class Scorer:
        def fit(self, train, context):
            pass

        def score(self, users, items):
            return table[users[:, None], items]

    relevant = {f"q{c}": {f"d{item}": 1} for c, item in enumerate(task.test.items.tolist())}
    run = {}
    for c, user in enumerate(task.test.users.tolist()):
        candidates = [int(task.test.items[c]), *task.test.negatives[c].tolist()]
        run[f"q{c}"] = {f"d{item}": float(table[user, item]) for item in candidates}
    return rank_cases(Scorer(), task.test), relevant, run


@pytest.mark.parametrize("k", [1, 5, 10, 20])
def test_ranx_agrees(scored, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ranx

        ours, relevant, run = scored
        theirs = ranx.evaluate(ranx.Qrels(relevant), ranx.Run(run), [f"hit_rate@{k}", f"ndcg@{k}"])
    assert hit_rate(ours, k).mean() == pytest.approx(theirs[f"hit_rate@{k}"], abs=1e-12)
    assert ndcg(ours, k).mean() == pytest.approx(theirs[f"ndcg@{k}"], abs=1e-12)


@pytest.mark.parametrize("k", [1, 5, 10, 20])
def test_ir_measures_agrees(scored, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ir_measures

        ours, relevant, run = scored
        success, gain = ir_measures.Success @ k, ir_measures.nDCG @ k
        theirs = ir_measures.calc_aggregate([success, gain], relevant, run)
    assert hit_rate(ours, k).mean() == pytest.approx(theirs[success], abs=1e-12)
    assert ndcg(ours, k).mean() == pytest.approx(theirs[gain], abs=1e-12)


def test_ranks_that_no_catalogue_has_take_neither_memory_nor_wrap_around():
    most = np.iinfo(np.int32).max
    far = ranks(better=[most, most - 3, 0], tied=[0, 3, 0])
    np.testing.assert_allclose(reciprocal_rank(far), [1 / (most + 1), 1 / most, 1], atol=1e-14)
    assert ndcg(far, 10).tolist() == [0, 0, 1]
    near = np.arange(HARMONIC_TABLE - 2, HARMONIC_TABLE + 3)
    expected = [np.mean(1 / np.arange(better + 1.0, better + 1002)) for better in near]
    np.testing.assert_allclose(reciprocal_rank(ranks(near, [1000] * 5)), expected, rtol=1e-6)


def test_a_cut_off_beyond_all_places_is_the_last_of_them():
    some = ranks(better=[0, 3, 100], tied=[0, 97, 0])
    for metric in (hit_rate, ndcg):
        assert metric(some, 10**18).tolist() == metric(some, 101).tolist()
    assert hit_rate(some, 10**18).tolist() == [1, 1, 1]
