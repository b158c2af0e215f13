import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recbench.data.ids import IdTable
from recbench.data.random_bits import Purpose
from recbench.errors import RecbenchError
from recbench.protocol import TrainSet
from recbench.tasks.candidates import draw_negatives, unseen_counts, users_to_leave_out
from recbench.tasks.spec import Negatives


def seen_by(rows, n_users, n_items):
    users = np.array([u for u, _ in rows], dtype=np.int32)
    items = np.array([i for _, i in rows], dtype=np.int32)
    return TrainSet.from_rows(n_users, n_items, users, items)


def draw(seen, case_users, method, count, seed=0):
    return draw_negatives(
        Negatives(method=method, count=count, seed=seed),
        Purpose.TEST_NEGATIVES,
        np.array(case_users, dtype=np.int32),
        seen.indptr,
        seen.indices,
        seen.n_items,
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["uniform", "popularity"]))
def test_negatives_are_distinct_and_unseen(data, method):
    n_users, n_items = data.draw(st.integers(1, 5)), data.draw(st.integers(2, 12))
    every = [(u, i) for u in range(n_users) for i in range(n_items)]
    rows = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1))
    seen = seen_by(rows, n_users, n_items)
    by_user = {u: {i for v, i in rows if v == u} for u in range(n_users)}
    # By popularity an item without a row is never drawn.
    pool = set(range(n_items)) if method == "uniform" else {i for _, i in rows}
    count = min(len(pool - by_user[u]) for u in range(n_users))
    if count == 0:
        return
    cases = data.draw(st.lists(st.integers(0, n_users - 1), min_size=1, max_size=8))
    negatives = draw(seen, cases, method, count)
    for user, drawn in zip(cases, negatives.tolist(), strict=True):
        assert len(set(drawn)) == count
        assert set(drawn) <= pool - by_user[user]


def test_uniform_draws_are_uniform_on_the_unseen():
    seen = seen_by([(0, 0), (0, 3)], 1, 10)
    drawn = draw(seen, [0] * 30_000, "uniform", 1)[:, 0]
    counts = np.bincount(drawn, minlength=10)
    assert counts[[0, 3]].sum() == 0
    assert stats.chisquare(counts[[1, 2, 4, 5, 6, 7, 8, 9]]).pvalue > 1e-4


@pytest.mark.parametrize("position", [0, 1])
def test_popularity_draws_follow_successive_sampling(position):
    """The first draw has the weights' odds; the second those of drawing from what the first left."""
    weights = [1, 2, 4, 8]
    rows = [(1 + n, item) for item, weight in enumerate(weights) for n in range(weight)]
    seen = seen_by([*rows, (0, 4)], 10, 5)
    drawn = draw(seen, [0] * 40_000, "popularity", 2)[:, position]
    w = np.array(weights, dtype=float)
    first = w / w.sum()
    second = sum(first[i] * np.where(np.arange(4) == i, 0, w / (w.sum() - w[i])) for i in range(4))
    counts = np.bincount(drawn, minlength=5)
    assert counts[4] == 0
    assert stats.chisquare(counts[:4], (first, second)[position] * len(drawn)).pvalue > 1e-4


def test_stubborn_cases_are_drawn_with_the_same_odds():
    """All but a sliver of the weight is seen, so nearly every independent draw is passed over."""
    rows = [(1 + n, 0) for n in range(4000)] + [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3)]
    seen = seen_by([*rows, (0, 0)], 4001, 4)
    drawn = draw(seen, [0] * 3000, "popularity", 3)
    assert (np.sort(drawn, axis=1) == [1, 2, 3]).all()
    assert stats.chisquare(np.bincount(drawn[:, 0])[1:], np.array([1, 2, 3]) / 6 * 3000).pvalue > 1e-4


def test_the_seed_decides():
    seen = seen_by([(0, 0)], 1, 500)
    first, same, other = (draw(seen, [0, 0], "uniform", 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_later_cases_do_not_change_earlier_ones():
    seen = seen_by([(0, 0)], 1, 50)
    assert np.array_equal(draw(seen, [0] * 512, "uniform", 3), draw(seen, [0] * 600, "uniform", 3)[:512])


def test_blocks_of_cases_do_not_know_of_each_other():
    """What one block has marked as seen or drawn is no longer marked for the next."""
    everything_but = [(1, item) for item in range(60) if item not in (3, 4, 5)]
    seen = seen_by([(0, 0), *everything_but], 2, 60)
    first, other = (draw(seen, [user] * 512 + [0] * 88, "uniform", 3) for user in (0, 1))
    assert not np.array_equal(first[:512], other[:512])
    assert np.array_equal(first[512:], other[512:])
    assert len(np.unique(other[512:])) == 59


def left_out(seen, users, unseen=None, **rule):
    unseen = unseen_counts("uniform", seen.indptr, seen.indices, seen.n_items) if unseen is None else np.array(unseen)
    ids = IdTable.from_strings(f"u{u}" for u in range(len(unseen)))
    rule = Negatives(method="uniform", count=3, **rule)
    return np.flatnonzero(users_to_leave_out(rule, np.array(users, np.int32), unseen, ids)).tolist()


def test_users_with_too_few_unseen_items_are_left_out_or_get_fewer_negatives(caplog):
    seen = seen_by([(0, 0), (1, 0), (1, 1), (1, 2)], 2, 5)
    assert left_out(seen, [0, 1]) == left_out(seen, [1, 0, 0], too_few="leave-out") == [1]
    assert "1 of 2 users have too few items without an interaction: user 'u1' has 2, and a case needs 3" in caplog.text
    assert left_out(seen, [0, 1], too_few="fewer") == left_out(seen, [0]) == []
    drawn = draw(seen, [0, 1, 1], "uniform", 3)
    assert (drawn >= 0).sum(axis=1).tolist() == [3, 2, 2]
    assert np.sort(drawn[1:], axis=1).tolist() == [[-1, 3, 4]] * 2
    # By popularity only items with a row are drawn.
    assert (draw(seen, [0], "popularity", 3) >= 0).sum() == 2


@pytest.mark.parametrize(
    ("unseen", "rule", "ways"),
    [
        ([2, 2, 9], {}, {"negatives.count", "negatives fewer", "negatives leave-out", "negatives.too_few"}),
        ([2, 2, 2], {"too_few": "leave-out"}, {"negatives.count", "negatives fewer", "negatives.too_few"}),
        ([0, 0, 0], {"too_few": "fewer"}, set()),
        ([0, 0, 0], {}, set()),
    ],
)
def test_too_few_unseen_items_of_most_users_name_one_and_the_ways_that_help(unseen, rule, ways):
    with pytest.raises(RecbenchError, match="user 'u0' has") as caught:
        left_out(None, [0, 1, 2], unseen, **rule)
    all_ways = ("negatives.count", "negatives fewer", "negatives leave-out", "negatives.too_few")
    assert {way for way in all_ways if way in caught.value.hint} == ways
    assert ("Add rows of more items" in caught.value.hint) == (not ways)
