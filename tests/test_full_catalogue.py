import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.evaluation import full_ranking
from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.mrr import reciprocal_rank
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import ScoreError
from recbench.evaluation.top_items import top_items
from recbench.protocol import Recommender, ScoreAll, TrainSet
from recbench.tasks.task import NO_ITEM, Cases


class Pairs:
    """Scores by a fixed table, and keeps how many pairs it was asked for, and whom."""

    def __init__(self, table):
        self.table = np.asarray(table)
        self.asked = []
        self.users = set()

    def fit(self, train, context):
        pass

    def score(self, users, items):
        self.asked.append(items.size)
        self.users.update(users.tolist())
        return self.table[users[:, None], items]


class Rows(Pairs):
    """Offers the whole row as well."""

    def score_all(self, users):
        self.asked.append(users.size * self.table.shape[1])
        self.users.update(users.tolist())
        return self.table[users]


def int32(values):
    return np.array(values, dtype=np.int32)


def train_of(matrix):
    users, items = (int32(indices) for indices in np.nonzero(matrix))
    return TrainSet.from_rows(*np.shape(matrix), users, items)


def cases_of(pairs):
    users, items = (int32([pair[axis] for pair in pairs]) for axis in (0, 1))
    return Cases(users, items, np.empty((len(pairs), 0), dtype=np.int32))


@st.composite
def problems(draw):
    """Few distinct scores, so that there are ties; every cell is nothing, a train row or a case."""
    n_users, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    shape = (n_users, n_items)
    cells = n_users * n_items
    values = draw(st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0]), min_size=cells, max_size=cells))
    kinds = np.reshape(draw(st.lists(st.sampled_from("  rc"), min_size=cells, max_size=cells)), shape)
    pairs = draw(st.permutations([(int(u), int(i)) for u, i in np.argwhere(kinds == "c")]))
    return np.reshape(values, shape), kinds == "r", pairs


def by_hand(table, is_train, pairs, k):
    """The definition, a cell at a time."""
    counts, lists = [], {}
    n_items = table.shape[1]
    for user, positive in pairs:
        others = [i for i in range(n_items) if not is_train[user, i] and (user, i) not in pairs]
        own = table[user, positive]
        counts.append((len(others), sum(table[user, others] > own), sum(table[user, others] == own)))
        unseen = [i for i in range(n_items) if not is_train[user, i]]
        best = sorted(unseen, key=lambda i: (-table[user, i], i))[:k]
        lists[user] = best + [NO_ITEM] * (k - len(best))
    return counts, lists


@given(problems(), st.integers(1, 10), st.integers(1, 60), st.sampled_from([0, 1, 64]))
def test_ranks_and_lists_agree_with_a_plain_loop(problem, k, cells, cases_to_sort):
    table, is_train, pairs = problem
    counts, lists = by_hand(table, is_train, pairs, k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(full_ranking, "CASES_TO_SORT", cases_to_sort)
        for model in (Pairs(table), Rows(table)):
            result = rank_catalogue(model, train_of(is_train), cases_of(pairs), k, None, cells, cells)
            ranks = result.ranks
            assert list(zip(ranks.n_others, ranks.better, ranks.tied, strict=True)) == counts
            assert ranks.users.tolist() == [user for user, _ in pairs]
            assert dict(zip(result.users.tolist(), result.top.tolist(), strict=True)) == lists
            assert result.users.tolist() == sorted(lists)
            assert {array.dtype for array in (ranks.n_others, ranks.better, ranks.tied, result.top)} == {
                np.dtype(np.int32)
            }


@given(
    st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=400),
    st.integers(1, 400),
    st.sampled_from([1, 2, 7, 64]),
)
def test_top_items_are_a_stable_sort(values, k, group):
    k = min(k, len(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recbench.evaluation.top_items.ITEMS_IN_A_GROUP", group)
        best = top_items(np.array(values, dtype=np.float32), k)
    assert best.tolist() == sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]


def test_every_block_size_gives_the_same(board):
    table = np.random.default_rng(0).integers(0, 6, size=(board.n_users, board.n_items)).astype(np.float32)
    train = board.train_set()
    whole = rank_catalogue(Rows(table), train, board.test, 5)
    for cells in [*range(1, 3 * board.n_items, 5), board.n_users * board.n_items]:
        for model in (Pairs(table), Rows(table)):
            result = rank_catalogue(model, train, board.test, 5, None, cells, cells)
            assert np.array_equal(whole.ranks.better, result.ranks.better)
            assert np.array_equal(whole.ranks.tied, result.ranks.tied)
            assert np.array_equal(whole.top, result.top)
            one_user = board.n_items if isinstance(model, ScoreAll) else 0
            assert max(model.asked) <= max(cells, one_user)


def test_the_two_ways_to_ask_are_told_apart():
    assert isinstance(Rows([[0.0]]), ScoreAll)
    assert isinstance(Rows([[0.0]]), Recommender)
    assert not isinstance(Pairs([[0.0]]), ScoreAll)


@pytest.mark.parametrize("model_class", [Pairs, Rows])
def test_users_without_a_case_are_not_scored(model_class):
    model = model_class(np.zeros((4, 3)))
    train = train_of(np.array([[1, 0, 0]] * 4))
    result = rank_catalogue(model, train, cases_of([(3, 1), (1, 2), (3, 2)]), top=2)
    assert model.users == {1, 3}
    assert result.users.tolist() == [1, 3]
    assert result.ranks.users.tolist() == [3, 1, 3]
    assert result.ranks.n_others.tolist() == [0, 1, 0]
    assert result.top.tolist() == [[1, 2], [1, 2]]


def test_no_cases_no_ranks():
    result = rank_catalogue(Rows(np.zeros((2, 3))), train_of(np.eye(2, 3)), cases_of([]), top=2)
    assert len(result.ranks) == len(result.users) == 0
    assert result.top.shape == (0, 2)


def test_a_positive_that_is_a_train_row_is_ranked_all_the_same():
    result = rank_catalogue(Rows([[1.0, 2.0, 3.0, 1.0]]), train_of(np.array([[1, 0, 0, 0]])), cases_of([(0, 0)]))
    ranks = result.ranks
    assert (ranks.n_others[0], ranks.better[0], ranks.tied[0]) == (3, 2, 1)
    assert result.top is None


@pytest.mark.parametrize("cells", [1, 2, 3, 6])
def test_a_model_may_return_the_same_array_again(cells):
    class Reuses(Pairs):
        def __init__(self, table):
            super().__init__(table)
            self.answers = {}

        def score(self, users, items):
            answer = self.answers.setdefault(items.shape, np.empty(items.shape))
            answer[:] = self.table[users[:, None], items]
            return answer

    table, train = np.array([[5.0, 1.0, 3.0, 0.0, 4.0, 2.0]]), train_of(np.zeros((1, 6)))
    for model in (Pairs(table), Reuses(table)):
        result = rank_catalogue(model, train, cases_of([(0, 2)]), 6, None, cells, cells)
        assert (result.ranks.better.tolist(), result.ranks.tied.tolist()) == ([2], [0])
        assert result.top.tolist() == [[0, 4, 2, 5, 1, 3]]


def test_progress_is_told_after_each_block():
    progress = []
    cases = cases_of([(user, 0) for user in range(5)])
    rank_catalogue(
        Rows(np.zeros((5, 4))),
        train_of(np.zeros((5, 4))),
        cases,
        on_progress=lambda done, total: progress.append((done, total)),
        cells_at_once=8,
    )
    assert progress == [(2, 5), (4, 5), (5, 5)]


def test_the_models_own_table_is_not_written_to(board):
    table = np.random.default_rng(0).normal(size=(board.n_users, board.n_items))
    table.flags.writeable = False

    class Whole(Rows):
        def score_all(self, users):
            return self.table[users[0] : users[0] + len(users)]

    rank_catalogue(Whole(table), board.train_set(), board.test, top=3)


def test_scores_in_half_precision_whose_sum_overflows_are_ranked():
    table = np.full((1, 10), 60000, dtype=np.float16)
    ranks = rank_catalogue(Rows(table), train_of(np.zeros((1, 10))), cases_of([(0, 4)]), top=3).ranks
    assert (ranks.better[0], ranks.tied[0]) == (0, 9)


def spoiled(value):
    table = np.zeros((9, 6))
    table[7, 4] = value
    return table


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("model_class", [Pairs, Rows])
@pytest.mark.parametrize("cells", [1, 4, 6, 100])
def test_scores_that_are_not_finite_are_named(value, model_class, cells):
    cases = cases_of([(user, 0) for user in range(9)])
    asked = "score_all" if model_class is Rows else "score"
    with pytest.raises(ScoreError, match=rf"{asked}\(\) returned {value} for user index 7, item index 4, and for 0"):
        rank_catalogue(model_class(spoiled(value)), train_of(np.zeros((9, 6))), cases, None, None, cells, cells)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((2, 5)), r"score_all\(\) returned the shape \(2, 5\) for user indices 0 to 2, expected \(2, 6\)"),
        (np.zeros((2, 6), dtype=np.int64), r"score_all\(\) returned int64, expected a floating-point type"),
        (None, r"returned the shape \(\)"),
    ],
)
def test_answers_that_cannot_be_ranked(answer, message):
    class Bad(Pairs):
        def score_all(self, users):
            return answer

    with pytest.raises(ScoreError, match=message):
        rank_catalogue(Bad(np.zeros((3, 6))), train_of(np.zeros((3, 6))), cases_of([(2, 0), (0, 1)]))


@pytest.fixture(scope="module")
def ranked(synthetic_task):
    """Full rankings by random scores without ties: ours, and as what other evaluators read, a query for each case."""
    task = synthetic_task
    table = np.random.default_rng(0).normal(size=(task.n_users, task.n_items))
    train = task.train_set()
    result = rank_catalogue(Rows(table), train, task.test, top=10)
    positives = list(zip(task.test.users.tolist(), task.test.items.tolist(), strict=True))
    relevant = {f"q{c}": {f"d{item}": 1} for c, (_, item) in enumerate(positives)}
    run = {}
    for c, (user, positive) in enumerate(positives):
        out = {*train.indices[train.indptr[user] : train.indptr[user + 1]].tolist()}
        out |= {item for other, item in positives if other == user}
        run[f"q{c}"] = {f"d{i}": float(table[user, i]) for i in range(task.n_items) if i == positive or i not in out}
    return result, relevant, run


@pytest.mark.parametrize("k", [1, 10, 100])
def test_ranx_agrees(ranked, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ranx

        ours, relevant, run = ranked
        theirs = ranx.evaluate(ranx.Qrels(relevant), ranx.Run(run), [f"hit_rate@{k}", f"ndcg@{k}", "mrr"])
    assert hit_rate(ours.ranks, k).mean() == pytest.approx(theirs[f"hit_rate@{k}"], abs=1e-12)
    assert ndcg(ours.ranks, k).mean() == pytest.approx(theirs[f"ndcg@{k}"], abs=1e-12)
    assert reciprocal_rank(ours.ranks).mean() == pytest.approx(theirs["mrr"], abs=1e-12)


@pytest.mark.parametrize("k", [1, 10, 100])
def test_ir_measures_agrees(ranked, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ir_measures

        ours, relevant, run = ranked
        success, gain, reciprocal = ir_measures.Success @ k, ir_measures.nDCG @ k, ir_measures.RR
        theirs = ir_measures.calc_aggregate([success, gain, reciprocal], relevant, run)
    assert hit_rate(ours.ranks, k).mean() == pytest.approx(theirs[success], abs=1e-12)
    assert ndcg(ours.ranks, k).mean() == pytest.approx(theirs[gain], abs=1e-12)
    assert reciprocal_rank(ours.ranks).mean() == pytest.approx(theirs[reciprocal], abs=1e-12)
