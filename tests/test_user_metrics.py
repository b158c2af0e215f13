"""Metrics of users: every order of ties by hand, ranx as the oracle, and a metric of one's own."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.errors import RecbenchError
from recbench.evaluation import metric_names as names_of_metrics
from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.metric import Measure, Metric, custom_metric
from recbench.evaluation.metric_names import builtin_metrics, find_metric, metric_names, parse_measure
from recbench.evaluation.ranking import Ranks

USER_METRICS = ("recall", "precision", "user-ndcg", "map")


def ranks_from_scores(scores, positives):
    """Ranks of one user in the full ranking: each positive among all items that are not positives."""
    others = [score for item, score in enumerate(scores) if item not in positives]
    better = [sum(other > scores[item] for other in others) for item in positives]
    tied = [sum(other == scores[item] for other in others) for item in positives]
    n = len(positives)
    return Ranks(*(np.array(array, dtype=np.int32) for array in ([0] * n, [len(others)] * n, better, tied)))


def of_list(hits, k, n_held_out):
    """The four metrics of one list of hits, straight from their definitions."""
    top_hits = hits[:k]
    gain = sum(hit / np.log2(place + 2) for place, hit in enumerate(top_hits))
    ideal = sum(1 / np.log2(place + 2) for place in range(min(k, n_held_out)))
    precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(top_hits) if hit]
    return {
        "recall": sum(top_hits) / n_held_out,
        "precision": sum(top_hits) / k,
        "user-ndcg": gain / ideal,
        "map": sum(precisions) / min(k, n_held_out),
    }


def over_all_orders(scores, positives, k):
    """Means over all orders of items with equal scores."""
    blocks = [
        [item for item, score in enumerate(scores) if score == value] for value in sorted(set(scores), reverse=True)
    ]
    orders = itertools.product(*(list(itertools.permutations(block)) for block in blocks))
    values = [of_list([item in positives for block in order for item in block], k, len(positives)) for order in orders]
    return {name: np.mean([metrics[name] for metrics in values]) for name in USER_METRICS}


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=7), st.integers(1, 8), st.data())
def test_ties_count_by_their_expectation_over_all_orders(scores, k, data):
    n_held_out = data.draw(st.integers(1, min(4, len(scores))))
    positives = data.draw(st.permutations(range(len(scores))))[:n_held_out]
    ranks, expected = ranks_from_scores(scores, positives), over_all_orders(scores, positives, k)
    for name in USER_METRICS:
        (value,) = parse_measure(f"{name}@{k}").values(ranks)
        assert value == pytest.approx(expected[name], abs=1e-12), name


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_no_list_among_candidates_reads_more_than_the_best(k, seed):
    """Among candidates each case has negatives of its own, so their counts need not fit together."""
    rng = np.random.default_rng(seed)
    better = rng.integers(0, 21, 30)
    arrays = (rng.integers(0, 5, 30), [20] * 30, better, rng.integers(0, 21 - better))
    ranks = Ranks(*(np.array(array, dtype=np.int32) for array in arrays))
    for name in USER_METRICS:
        values = parse_measure(f"{name}@{k}").values(ranks)
        assert len(values) == len(np.unique(ranks.users))
        assert values.min() >= 0
        assert values.max() <= 1 + 1e-12


@pytest.mark.parametrize("k", [1, 3, 10, 20])
def test_ranx_agrees_in_the_full_ranking(synthetic_task, k):
    task = synthetic_task
    table = np.random.default_rng(3).normal(size=(task.n_users, task.n_items))
    cases = several_cases(task)

    class Scorer:
        def fit(self, train, context):
            pass

        def score(self, users, items):
            return table[users[:, None], items]

    train = task.train_set()
    ranks = rank_catalogue(Scorer(), train, cases).ranks
    relevant = {f"q{user:05}": {} for user in np.unique(cases.users).tolist()}
    for user, item in zip(cases.users.tolist(), cases.items.tolist(), strict=True):
        relevant[f"q{user:05}"][f"d{item}"] = 1
    run = {}
    for user in np.unique(cases.users).tolist():
        seen = set(train.indices[train.indptr[user] : train.indptr[user + 1]].tolist())
        run[f"q{user:05}"] = {f"d{item}": float(table[user, item]) for item in range(task.n_items) if item not in seen}
    theirs_of = {"recall": f"recall@{k}", "precision": f"precision@{k}", "user-ndcg": f"ndcg@{k}", "map": f"map@{k}"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ranx

        qrels, ranx_run = ranx.Qrels(relevant), ranx.Run(run)
        theirs = {name: ranx.evaluate(qrels, ranx_run, other, return_mean=False) for name, other in theirs_of.items()}
    # ranx divides average precision by all held-out items, we by min(m, k).
    held_out = np.unique(cases.users, return_counts=True)[1]
    theirs["map"] = theirs["map"] * held_out / np.minimum(held_out, k)
    for name in USER_METRICS:
        ours = parse_measure(f"{name}@{k}").values(ranks)
        np.testing.assert_allclose(ours, theirs[name], atol=1e-12, err_msg=name)


def several_cases(task):
    """Up to four held-out items for every user: the task's own case, and items that the user has not met."""
    from recbench.tasks.task import Cases

    rng, users, items = np.random.default_rng(5), [], []
    train = task.train_set()
    for user in range(task.n_users):
        unseen = np.setdiff1d(np.arange(task.n_items), train.indices[train.indptr[user] : train.indptr[user + 1]])
        chosen = rng.permutation(unseen)[: rng.integers(1, 5)]
        users += [user] * len(chosen)
        items += chosen.tolist()
    order = rng.permutation(len(users))
    arrays = np.array(users, dtype=np.int32)[order], np.array(items, dtype=np.int32)[order]
    return Cases(*arrays, np.zeros((len(users), 1), dtype=np.int32))


def test_a_constant_scorer_has_the_value_under_chance():
    ranks = ranks_from_scores([0] * 12, [2, 5, 7])
    for name in builtin_metrics():
        metric = find_metric(name)
        measure = Measure(metric, 4 if metric.takes_k else None)
        assert measure.chance(ranks) == pytest.approx(measure.values(ranks).mean())
    assert parse_measure("recall@4").chance(ranks) == pytest.approx(4 / 12)
    assert parse_measure("precision@4").chance(ranks) == pytest.approx(3 / 12)
    assert parse_measure("auc").chance(ranks) == 0.5


def test_names_and_cut_offs():
    assert [parse_measure(text).name for text in ("hr@10", "Recall@20", "MRR")] == ["hr@10", "recall@20", "mrr"]
    assert [parse_measure(text).label for text in ("hr@10", "user-ndcg@20", "mrr")] == ["HR@10", "User NDCG@20", "MRR"]
    for text, message in {
        "recal@20": "Unknown metric 'recal'. Did you mean: recall",
        "hr": "The metric hr needs a cut-off, such as hr@10",
        "mrr@10": "The metric mrr takes no cut-off",
        "hr@0": "'0' is not a cut-off",
        "hr@ten": "'ten' is not a cut-off",
        "hr@": "'' is not a cut-off",
    }.items():
        with pytest.raises(RecbenchError, match=message.replace("?", r"\?")):
            parse_measure(text)


class EntryPoint:
    """An entry point, as far as it is used."""

    value = "their_package:METRIC"

    def __init__(self, load):
        self.load = load


def test_other_packages_add_metrics(monkeypatch):
    theirs = Metric("first", "First", lambda ranks, _: (ranks.better == 0) * 1.0, takes_k=False)
    points = {
        "first": EntryPoint(lambda: theirs),
        "other": EntryPoint(lambda: theirs),
        "broken": EntryPoint(lambda: 1 / 0),
        "hr": EntryPoint(lambda: theirs),
    }
    monkeypatch.setattr(names_of_metrics, "_from_other_packages", lambda: points)
    find_metric.cache_clear()
    try:
        assert set(metric_names()) == {*builtin_metrics(), "first", "other", "broken"}
        assert parse_measure("first").metric is theirs
        assert find_metric("hr").label == "HR"
        with pytest.raises(RecbenchError, match="is not a metric of that name"):
            find_metric("other")
        with pytest.raises(RecbenchError, match=r"their_package:METRIC cannot be loaded: ZeroDivisionError"):
            find_metric("broken")
    finally:
        find_metric.cache_clear()


def test_a_metric_of_ones_own_is_checked():
    ranks = ranks_from_scores([3, 2, 1], [0, 2])
    early = Measure(custom_metric(lambda ranks: ranks.better < 1, "early"))
    assert early.values(ranks).tolist() == [1.0, 0.0]
    assert (early.name, early.label, early.chance(ranks)) == ("early", "early", None)
    for function, message in (
        (lambda ranks: 0.5, r"'mine' returned the shape \(\), expected \(2,\)"),
        (lambda ranks: np.ones((2, 1)), r"'mine' returned the shape \(2, 1\), expected \(2,\)"),
        (lambda ranks: ["a", "b"], "'mine' returned <U1, expected numbers"),
        (lambda ranks: np.array([1.0, np.nan]), "'mine' returned nan for case 1"),
    ):
        with pytest.raises(RecbenchError, match=message):
            Measure(custom_metric(function, "mine")).values(ranks)
    with pytest.raises(RecbenchError, match="needs a name"):
        custom_metric(lambda ranks: ranks.better, " ")
    with pytest.raises(RecbenchError, match="'mrr' is the name of a metric already"):
        custom_metric(lambda ranks: ranks.better, "mrr")
