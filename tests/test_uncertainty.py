import numpy as np
import pytest

from recbench.evaluation.metric_names import measures_at
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.reports.run.uncertainty import uncertainty
from tests.simulated_cases import two_alike


def ranks(better, users=None):
    n = len(better)
    arrays = (range(n) if users is None else users, [100] * n, better, [0] * n)
    return Ranks(*(np.array(array, dtype=np.int32) for array in arrays))


RNG = np.random.default_rng(0)
GOOD = RNG.integers(0, 14, 600)
NEARLY = np.where(RNG.random(600) < 0.02, 50, GOOD)
ALIKE = RNG.permutation(np.where(np.arange(600) < 3, 50, GOOD))
BAD = RNG.integers(0, 101, 600)


def compared(*models, users=None, ks=(10,)):
    return uncertainty(
        [{Ranking.CANDIDATES: {seed: ranks(better, users) for seed, better in enumerate(m)}} for m in models],
        measures_at(("hr", "ndcg"), ks),
    )


def width(pair):
    return pair.evidence.interval.high - pair.evidence.interval.low


def test_the_best_and_those_that_cannot_be_told_from_it_are_marked():
    found = compared([GOOD], [NEARLY], [ALIKE], [BAD])
    marks = [(one["ndcg@10"].best, one["ndcg@10"].level_with_best) for one in found.standings]
    assert marks == [(True, False), (False, False), (False, True), (False, False)]


def test_models_that_are_the_same_are_both_the_best():
    assert [one["hr@10"].best for one in compared([GOOD], [GOOD], [BAD]).standings] == [True, True, False]


def test_pairing_sees_what_intervals_that_overlap_hide():
    found = compared([GOOD], [NEARLY])
    first, second = (one["hr@10"].interval for one in found.standings)
    pair = found.pairs[0]
    assert second.high > first.low
    assert pair.evidence.p < 0.01
    assert pair.evidence.interval.low > 0
    assert pair.evidence.difference == pytest.approx((GOOD < 10).mean() - (NEARLY < 10).mean())
    assert pair.evidence.lost == 0
    assert pair.evidence.won + pair.tied == pytest.approx(1)


def test_a_pair_is_adjusted_for_all_pairs_of_its_metric():
    found = compared([GOOD], [ALIKE], [BAD], ks=(5, 10))
    assert [pair.measure.name for pair in found.pairs] == [
        m for m in ("hr@5", "ndcg@5", "hr@10", "ndcg@10") for _ in range(3)
    ]
    assert [(pair.first, pair.second) for pair in found.pairs[:3]] == [(0, 1), (0, 2), (1, 2)]
    for pair in found.pairs:
        assert pair.p_adjusted >= pair.evidence.p


def test_seeds_are_averaged_case_by_case():
    found = compared([np.zeros(600), np.full(600, 50)], [np.full(600, 50)])
    assert found.pairs[0].evidence.difference == 0.5
    assert found.pairs[0].evidence.won == 1.0
    assert found.pairs[0].mcnemar == (pytest.approx(2**-599),)
    assert found.notes == ()


def test_mcnemar_needs_one_case_a_user():
    assert compared([GOOD], [BAD]).pairs[0].mcnemar is not None
    assert compared([GOOD], [BAD]).pairs[1].mcnemar is None
    assert compared([GOOD], [BAD], users=np.arange(600) // 2).pairs[0].mcnemar is None


def test_cases_of_one_user_are_not_independent():
    alone = compared([GOOD], [BAD]).pairs[0]
    blocks = np.sort(GOOD), np.sort(BAD)[::-1]
    clustered = compared([blocks[0]], [blocks[1]], users=np.arange(600) // 30).pairs[0]
    assert clustered.detectable > 2 * alone.detectable
    assert clustered.evidence.interval.high - clustered.evidence.interval.low > 2 * (
        alone.evidence.interval.high - alone.evidence.interval.low
    )


def test_what_cannot_be_computed_is_said_and_the_rest_is_shown():
    one_user = compared([GOOD], [BAD], users=np.zeros(600))
    assert one_user.standings[0]["hr@10"].interval is None
    assert one_user.pairs == ()
    assert "only one user" in one_user.notes[0].lower()
    one_seed = compared([GOOD], [BAD])
    assert "--seeds" in one_seed.notes[0]
    assert one_seed.standings[0]["hr@10"].interval is not None


def test_a_model_alone_has_an_interval_and_no_mark():
    found = compared([GOOD])
    assert not found.standings[0]["hr@10"].best
    assert found.standings[0]["hr@10"].interval.low < (GOOD < 10).mean() < found.standings[0]["hr@10"].interval.high
    assert found.pairs == ()


def test_models_without_ranks_are_left_out():
    found = compared([GOOD], [], [BAD])
    assert found.standings[1] == {}
    assert (found.pairs[0].first, found.pairs[0].second) == (0, 2)
    assert compared([]).standings == ({},)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_of_differences_cover_and_models_that_are_alike_are_told_apart_5_times_of_100(clustered):
    """Of what users see: pairs of three seeds by HR and NDCG. The true difference is 0."""
    rng = np.random.default_rng(11)
    covered, rejected = np.zeros(2), np.zeros(2)
    for _ in range(1000):
        users, *models = two_alike(rng, 200, clustered)
        # A hit somewhere among the first 10, a miss somewhere below.
        seeds = [
            [np.where(hits > 0, rng.integers(0, 10, len(users)), rng.integers(10, 101, len(users))) for _ in range(3)]
            for hits in models
        ]
        ranked = [
            {Ranking.CANDIDATES: {seed: ranks(better, users) for seed, better in enumerate(model)}} for model in seeds
        ]
        for place, pair in enumerate(uncertainty(ranked, measures_at(("hr", "ndcg"), (10,)), 1000).pairs):
            covered[place] += pair.evidence.interval.low <= 0 <= pair.evidence.interval.high
            rejected[place] += pair.evidence.p <= 0.05
    assert ((covered >= 930) & (covered <= 970)).all(), covered
    assert ((rejected >= 30) & (rejected <= 70)).all(), rejected
