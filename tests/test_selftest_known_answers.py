"""The harness passes its own checks, and an evaluator that is wrong in any one way does not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from recbench.evaluation import full_ranking, ranking
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import rank_cases
from recbench.selftest import known_answers as checks
from recbench.selftest.chance import binomial, hits_interval
from recbench.selftest.scorers import Scorer, levels, neighbouring
from recbench.tasks.spec import Waiver
from recbench.tasks.task import NO_ITEM, Cases


def failed(task):
    return {check.name: check.detail for check in checks.known_answers(task) if check.passed is False}


@pytest.fixture(params=["board", "synthetic_task", "uneven"])
def task(request, synthetic_task):
    """The last has cases with fewer negatives than others, as imported tasks may."""
    if request.param != "uneven":
        return request.getfixturevalue(request.param)
    test = synthetic_task.test
    negatives = test.negatives.copy()
    negatives[::3, -1] = NO_ITEM
    spec = synthetic_task.spec.model_copy(update={"waivers": (Waiver.POSITIVE_AMONG_NEGATIVES,), "digest": None})
    return replace(synthetic_task, spec=spec, test=Cases(test.users, test.items, negatives))


def test_the_harness_passes(task):
    results = list(checks.known_answers(task))
    assert [check for check in results if not check.passed] == []
    assert len(results) == len(checks.CHECKS) == len({check.name for check in results})


def counting(better, tied):
    """An evaluator that counts in another way."""

    def count_ranks(scores, candidates, positives):
        is_positive = candidates == positives[:, None]
        own = scores[is_positive][:, None]
        first = np.ones(candidates.shape, dtype=np.bool_)
        first[:, 1:] = candidates[:, 1:] != candidates[:, :-1]
        counted = first & ~is_positive
        return tuple(
            count(scores, own, counted, first).sum(axis=1).astype(np.int32) for count in (better, tied)
        )  # fmt: skip

    return count_ranks


def above(scores, own, counted, first):
    return (scores > own) & counted


def equal(scores, own, counted, first):
    return (scores == own) & counted


def nothing(scores, own, counted, first):
    return np.zeros_like(counted)


MUTATIONS = {
    "ties count against the positive": (lambda s, own, c, f: (s >= own) & c, nothing, "a constant scorer"),
    "ties count for the positive": (above, nothing, "a constant scorer"),
    "ties count twice": (lambda s, own, c, f: (s >= own) & c, equal, "a constant scorer"),
    "the positive is tied with itself": (above, lambda s, own, c, f: (s == own) & f, "a constant scorer"),
    "the lowest score is best": (lambda s, own, c, f: (s < own) & c, equal, "an oracle"),
    "nothing is above": (nothing, equal, "a random scorer"),
    "nearly equal is equal": (
        lambda s, own, c, f: (s > own) & ~np.isclose(s, own) & c,
        lambda s, own, c, f: np.isclose(s, own) & c,
        "a monotone change",
    ),
    "half precision": (
        lambda s, own, c, f: (s.astype(np.float16) > own.astype(np.float16)) & c,
        lambda s, own, c, f: (s.astype(np.float16) == own.astype(np.float16)) & c,
        "a monotone change",
    ),
    "only positive scores count": (lambda s, own, c, f: (s > own) & (s > 0) & c, equal, "an affine change"),
    "the last column is forgotten": (
        lambda s, own, c, f: above(s, own, c & (np.arange(c.shape[1]) < c.shape[1] - 1), f),
        equal,
        "renaming users and items",
    ),
    "single precision is treated in another way": (
        lambda s, own, c, f: (s > own) & c & (s.dtype == np.float64),
        equal,
        "scores in float32 and float64",
    ),
}


@pytest.mark.parametrize(("better", "tied", "found_by"), MUTATIONS.values(), ids=MUTATIONS)
def test_an_evaluator_that_is_wrong_is_found(synthetic_task, monkeypatch, better, tied, found_by):
    monkeypatch.setattr(ranking, "count_ranks", counting(better, tied))
    assert any(name.startswith(found_by) for name in failed(synthetic_task))


def test_the_evaluator_that_the_mutations_start_from_is_right(synthetic_task, monkeypatch):
    monkeypatch.setattr(ranking, "count_ranks", counting(above, equal))
    assert failed(synthetic_task) == {}


def test_metrics_that_are_wrong_are_found(synthetic_task, monkeypatch):
    monkeypatch.setattr(checks, "hit_rate", lambda ranks, k: hit_rate(ranks, k + 1))
    assert {name.split(" ")[1] for name in failed(synthetic_task)} == {"constant", "inverse"}
    monkeypatch.setattr(checks, "hit_rate", hit_rate)
    monkeypatch.setattr(checks, "ndcg", lambda ranks, k: ndcg(ranks, k) / 2)
    assert {name.split(" ")[1] for name in failed(synthetic_task)} == {"constant", "oracle"}


def test_blocks_that_are_mixed_up_are_found(synthetic_task, monkeypatch):
    def forgets_where_it_was(model, cases, cases_at_once=200):
        ranks = rank_cases(model, cases, cases_at_once)
        return replace(ranks, better=np.roll(ranks.better, cases_at_once))

    monkeypatch.setattr(checks, "rank_cases", forgets_where_it_was)
    assert "the order of cases and the size of blocks move no rank" in failed(synthetic_task)


@pytest.mark.parametrize(
    ("better", "tied"),
    [
        (lambda s, own, others: (s >= own) & others, lambda s, own, others: others & False),
        (lambda s, own, others: s > own, lambda s, own, others: (s == own) & others),
        (lambda s, own, others: (s > own) & others, lambda s, own, others: s == own),
        (lambda s, own, others: (s < own) & others, lambda s, own, others: (s == own) & others),
        (lambda s, own, others: (s > own) & others & (s > 0), lambda s, own, others: (s == own) & others),
    ],
    ids=["ties against", "seen items count above", "the positive ties with itself", "lowest best", "only positive"],
)
def test_a_count_over_the_catalogue_that_is_wrong_is_found(synthetic_task, monkeypatch, better, tied):
    def count_others(scores, own, left_out):
        is_other = np.ones(len(scores), dtype=bool)
        is_other[left_out] = False
        counts = [[count(scores, score, is_other).sum() for score in own] for count in (better, tied)]
        return tuple(np.array(counts, dtype=np.int32))

    monkeypatch.setattr(full_ranking, "count_others", count_others)
    assert set(failed(synthetic_task)) == {"the full catalogue is ranked by the same rules"}


def test_rows_of_the_catalogue_that_are_mixed_up_are_found(synthetic_task, monkeypatch):
    by_score = full_ranking._by_score

    def turned(model, n_items, cells):
        return lambda users: np.roll(by_score(model, n_items, cells)(users), 1, axis=1)

    monkeypatch.setattr(full_ranking, "_by_score", turned)
    assert set(failed(synthetic_task)) == {"the full catalogue is ranked by the same rules"}


def test_an_evaluator_that_raises_fails_its_checks_and_the_others_still_run(synthetic_task, monkeypatch):
    def raises(*_):
        raise ZeroDivisionError("no")

    monkeypatch.setattr(ranking, "count_ranks", raises)
    results = list(checks.known_answers(synthetic_task))
    assert len(results) == len(checks.CHECKS)
    assert results[0].passed
    assert results[3].detail == "ZeroDivisionError: no"


def with_test_rows_in_train(task):
    items = task.items.copy()
    at = np.flatnonzero(task.users == task.test.users[0])[0]
    items[at] = task.test.items[0]
    return replace(task, rows=replace(task.rows, items=items))


def with_validation_rows_in_test(task):
    cases, rows = task.validation, slice(0, 2)
    return replace(task, test=Cases(cases.users[rows], cases.items[rows], cases.negatives[rows]))


def with_validation_rows_that_stay_in_train(task):
    return replace(task, validation_rows=task.validation_rows[1:])


@pytest.mark.parametrize(
    ("spoil", "name", "detail"),
    [
        (with_test_rows_in_train, "no test row is in train", "test rows are in train: 1; the first is user 'u0'"),
        (with_validation_rows_in_test, "no validation row is in test", "validation rows are in test: 2; the first is"),
        (with_validation_rows_that_stay_in_train, "no validation row is in test", "are learned from: 1; the first is"),
    ],
)
def test_rows_that_are_where_they_should_not_be_are_found(board, spoil, name, detail):
    failures = failed(spoil(board))
    assert "the task keeps its rules" in failures
    (found_detail,) = (text for check, text in failures.items() if check.startswith(name))
    assert detail in found_detail


def test_the_interval_of_chance_is_that_of_the_binomial_distribution():
    fewest, most = hits_interval(np.full(5000, 100), 10)
    exact = stats.binom(5000, 10 / 101)
    assert (fewest, most) == (exact.ppf(5e-7), exact.isf(5e-7))
    assert exact.cdf(fewest - 1) + exact.sf(most) < 1e-6
    np.testing.assert_allclose(binomial(5000, 10 / 101), exact.pmf(np.arange(5001)), rtol=1e-9, atol=1e-300)


def test_the_interval_of_cases_of_several_sizes():
    sizes = np.repeat([3, 7], [40, 60])
    rng = np.random.default_rng(0)
    drawn = (rng.random((200_000, 100)) < 1 / (sizes + 1)).sum(axis=1)
    fewest, most = hits_interval(sizes, 1)
    assert fewest <= drawn.min()
    assert drawn.max() <= most
    assert fewest >= drawn.min() - 4
    assert most <= drawn.max() + 4


def test_squeezed_scores_keep_their_order_and_ties():
    users, items = np.arange(40, dtype=np.int32), np.tile(np.arange(90, dtype=np.int32), (40, 1))
    coarse = levels(0)(users, items)
    assert len(np.unique(coarse)) == 64
    for dtype in (np.float32, np.float64):
        fine = neighbouring(levels(0), dtype)(users, items)
        assert fine.dtype == dtype
        assert np.array_equal(np.unique(coarse, return_inverse=True)[1], np.unique(fine, return_inverse=True)[1])
    assert Scorer(levels(0)).fit(None, None) is None
