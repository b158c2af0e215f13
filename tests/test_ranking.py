import itertools
from dataclasses import replace
from functools import reduce
from operator import add
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import NearTies, Ranks, ScoreError, count_ranks, rank_cases
from recbench.evaluation.score_arrays import score_array
from recbench.evaluation.stored_metrics import near_ties_across_cut
from recbench.tasks.task import NO_ITEM, Cases


class Scorer:
    """Scores by a fixed table, and keeps what it was asked."""

    def __init__(self, table):
        self.table = np.asarray(table)
        self.asked = []

    def fit(self, train, context):
        pass

    def score(self, users, items):
        self.asked.append(items.copy())
        return self.table[users[:, None], items]


def cases(users, items, negatives):
    return Cases(*(np.array(array, dtype=np.int32) for array in (users, items, negatives)))


few_values = st.integers(-2, 2).map(float)


@given(st.lists(few_values, min_size=2, max_size=12), st.data())
def test_counting_agrees_with_a_plain_loop(values, data):
    positive = data.draw(st.integers(0, len(values) - 1))
    negatives = [i for i in range(len(values)) if i != positive]
    ranks = rank_cases(Scorer([values]), cases([0], [positive], [negatives]))
    assert ranks.better[0] == sum(values[i] > values[positive] for i in negatives)
    assert ranks.tied[0] == sum(values[i] == values[positive] for i in negatives)


@given(st.lists(few_values, min_size=2, max_size=12), st.data())
def test_the_order_of_negatives_does_not_matter(values, data):
    negatives = list(range(1, len(values)))
    shuffled = data.draw(st.permutations(negatives))
    first, other = (rank_cases(Scorer([values]), cases([0], [0], [order])) for order in (negatives, shuffled))
    assert (first.better[0], first.tied[0]) == (other.better[0], other.tied[0])


@given(st.lists(few_values, min_size=2, max_size=6), st.integers(1, 6))
def test_metrics_are_the_mean_over_all_orders_of_ties(values, k):
    """Brute force: every order of the candidates that sorts the scores, each equally likely."""
    ranks = rank_cases(Scorer([values]), cases([0], [0], [list(range(1, len(values)))]))
    hits, gains = [], []
    for order in itertools.permutations(range(len(values))):
        if any(values[a] < values[b] for a, b in itertools.pairwise(order)):
            continue
        rank = order.index(0)
        hits.append(float(rank < k))
        gains.append(1 / np.log2(rank + 2) if rank < k else 0.0)
    assert hit_rate(ranks, k)[0] == pytest.approx(np.mean(hits), abs=1e-12)
    assert ndcg(ranks, k)[0] == pytest.approx(np.mean(gains), abs=1e-12)


@given(st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=20))
def test_a_monotone_change_of_scores_changes_no_rank(values):
    asked = cases([0], [0], [list(range(1, len(values)))])
    plain = rank_cases(Scorer([values]), asked)
    cubed = rank_cases(Scorer([np.array(values) ** 3 + 5]), asked)
    assert plain.better[0] == cubed.better[0]
    assert plain.tied[0] == cubed.tied[0]


def test_lists_of_unequal_length_count_what_they_hold():
    table = [[5.0, 5.0, 9.0, 1.0], [5.0, 5.0, 9.0, 1.0]]
    ranks = rank_cases(Scorer(table), cases([0, 1], [0, 0], [[1, 2, 3], [2, NO_ITEM, NO_ITEM]]))
    assert ranks.better.tolist() == [1, 1]
    assert ranks.tied.tolist() == [1, 0]


def test_a_repeated_candidate_counts_once():
    scores, candidates = np.array([[3.0, 3.0, 1.0]]), np.array([[4, 4, 7]], dtype=np.int32)
    better, tied = count_ranks(scores, candidates, np.array([7], dtype=np.int32))
    assert (better[0], tied[0]) == (1, 0)


def test_the_place_of_a_candidate_tells_nothing():
    scorer = Scorer(np.zeros((1, 10)))
    rank_cases(scorer, cases([0, 0], [3, 9], [[8, 1], [0, 5]]))
    assert scorer.asked[0].tolist() == [[1, 3, 8], [0, 5, 9]]


def test_blocks_do_not_matter(board):
    scorer = Scorer(np.random.default_rng(0).normal(size=(board.n_users, board.n_items)))
    whole = rank_cases(scorer, board.test)
    blocks = rank_cases(scorer, board.test, cases_at_once=7)
    assert np.array_equal(whole.better, blocks.better)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda u, i: np.zeros((len(u), 1)), r"returned the shape \(48, 1\) for cases 0 to 47, expected \(48, 13\)"),
        (lambda u, i: np.zeros(i.shape, dtype=np.int64), "returned int64, expected a floating-point type"),
        (lambda u, i: np.where(i == 5, np.nan, 0.0), r"returned nan for case 0 \(user index 0, item index 5\)"),
        (lambda u, i: np.where((u == 2)[:, None], -np.inf, 0.0) + 0 * i, "returned -inf for case 2 .*12 more"),
        (lambda u, i: None, "returned the shape"),
        (
            lambda u, i: np.ma.masked_array(i * 1.0, i == 5),
            r"score\(\) returned a masked array for cases 0 to 47: \d+ masked; each pair needs a finite score",
        ),
        (lambda u, i: [np.ma.masked_array(row * 1.0, row == 5) for row in i], "returned a masked array"),
    ],
)
def test_scores_that_cannot_be_ranked(board, answer, message):
    class Bad:
        fit = None
        score = staticmethod(answer)

    with pytest.raises(ScoreError, match=message):
        rank_cases(Bad(), board.test)


def test_scores_in_single_precision_are_ranked_as_they_are():
    close = np.array([[1.0, np.nextafter(np.float32(1), np.float32(2)), 1.0]], dtype=np.float32)
    ranks = rank_cases(Scorer(close), cases([0], [0], [[1, 2]]))
    assert (ranks.better[0], ranks.tied[0]) == (1, 1)


def test_a_masked_array_without_a_masked_score_is_an_array():
    scores = np.ma.masked_array([[2.0, 1.0, 3.0]], mask=False)
    ranks = rank_cases(SimpleNamespace(score=lambda users, items: scores), cases([0], [0], [[1, 2]]))
    assert (ranks.better[0], ranks.tied[0]) == (1, 0)


def test_ranks_are_plain_integers(board):
    ranks = rank_cases(Scorer(np.zeros((board.n_users, board.n_items))), board.test)
    assert isinstance(ranks, Ranks)
    assert ranks.better.dtype == ranks.tied.dtype == np.int32


THIRDS = {1: [0.1, 0.2, 0.3], 2: [0.3, 0.2, 0.1]}
"""The same numbers in two orders, whose sums differ in the last place: 0.6000000000000001 and 0.6."""


def test_equal_means_the_same_number_and_sums_in_another_order_are_near_ties():
    """Exact arithmetic would tie all; nothing about the ranks is changed for it, and the cases are counted."""
    # The builtin sum compensates for rounding from Python 3.12 on.
    sums = [0.0, *(reduce(add, THIRDS[order]) for order in (1, 2)), 0.6 + 1e-12, -1.7e-18, -0.0]
    assert sums[1] > sums[2]
    scores = np.array([sums])
    for positive, better, tied, above, below in ((1, 1, 0, 0, 1), (2, 2, 0, 1, 0), (0, 3, 1, 0, 1), (4, 5, 0, 2, 0)):
        ranks = rank_cases(Scorer(scores), cases([0], [positive], [[i for i in range(6) if i != positive]]))
        assert (ranks.better[0], ranks.tied[0]) == (better, tied)
        assert (ranks.near.above[0], ranks.near.below[0]) == (above, below)


@pytest.mark.parametrize(
    ("better", "tied", "above", "below", "share"),
    [(2, 0, 1, 0, 1), (1, 0, 0, 1, 1), (2, 0, 0, 9, 0), (1, 0, 9, 0, 0), (1, 1, 1, 1, 0), (0, 1, 0, 1, 1)],
)
def test_near_ties_that_decide_a_hit(better, tied, above, below, share):
    counts = (np.array([count, count], dtype=np.int32) for count in (9, better, tied))
    near = NearTies(*(np.array([count, 0], dtype=np.int32) for count in (above, below)))
    ranks = Ranks(np.arange(2, dtype=np.int32), *counts, near)
    assert near_ties_across_cut(ranks, 2) == share / 2
    assert near_ties_across_cut(replace(ranks, near=None), 2) is None


def test_floating_point_types_that_numpy_does_not_have_are_ranked():
    """Each value of theirs is one of float32; whole numbers of few bits stay refused."""
    table = np.array([[0.5, -2.0, 1.0, 1.0]])
    asked = cases([0], [2], [[0, 1, 3]])
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float16"):
        values = table.astype(getattr(ml_dtypes, name, np.float16))
        ranks = rank_cases(Scorer(values), asked)
        assert (ranks.better[0], ranks.tied[0], ranks.n_others[0]) == (0, 1, 3)
        with pytest.raises(ScoreError, match="returned nan for case 0"):
            rank_cases(Scorer(np.full_like(values, np.nan)), asked)
    for name in ("int4", "uint4"):
        with pytest.raises(ScoreError, match=f"returned {name}, expected a floating-point type"):
            rank_cases(Scorer(table.astype(np.int8).astype(getattr(ml_dtypes, name))), asked)


def test_a_tensor_of_pytorch_that_becomes_no_array_is_widened_before():
    class Tensor:
        def __init__(self, name, values):
            self.dtype, self.values = name, values

        def float(self):
            return self.values.astype(np.float32)

        def __array__(self, dtype=None, copy=None):
            if self.dtype == "torch.bfloat16":
                raise TypeError("Got unsupported ScalarType BFloat16")
            return self.values

    values = np.array([[1.0, 0.5]])
    assert score_array(Tensor("torch.bfloat16", values)).dtype == np.float32
    assert score_array(Tensor("torch.float64", values)) is values
    assert score_array(Tensor("torch.int64", values.astype(int))).dtype == int
