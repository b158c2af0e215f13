"""Scores of another program are ranked, recorded and compared like a model's own."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from recbench.data.readers.layout import PLAIN, Layout
from recbench.errors import RecbenchError
from recbench.evaluation.ranking import rank_cases
from recbench.experiments.evaluate import evaluate
from recbench.tasks.exchange.export import export
from recbench.tasks.exchange.forms import ExportForm
from recbench.trials.file_scores import read_scores

RANKED = Layout(rating="", timestamp="")


def candidates_of(task):
    """All (user, item) pairs of the test cases' candidates, and their popularity in train, the scores of a model."""
    counts = np.bincount(task.items, minlength=task.n_items)
    users = np.repeat(task.test.users, task.test.negatives.shape[1] + 1)
    items = np.column_stack([task.test.items, task.test.negatives]).ravel()
    ids = {"user": [task.user_ids[int(u)] for u in users], "item": [task.item_ids[int(i)] for i in items]}
    return pd.DataFrame({**ids, "score": counts[items] / 7})


class Popular:
    def __init__(self, task):
        self.counts = np.bincount(task.items, minlength=task.n_items)

    def fit(self, train, context):
        pass

    def score(self, users, items):
        return self.counts[items] / 7


def read(path, task, layout=PLAIN, ranked=False, missing_last=False):
    return read_scores(path, task, layout, ranked=ranked, missing_last=missing_last)


@pytest.mark.parametrize("form", ["csv", "parquet", "inter"])
def test_the_ranks_are_those_of_the_model_that_made_the_scores(synthetic_task, tmp_path, form):
    table, path = candidates_of(synthetic_task).sample(frac=1, random_state=0), tmp_path / f"scores.{form}"
    if form == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if form == "inter" else ",")
    ours = rank_cases(read(path, synthetic_task), synthetic_task.test)
    theirs = rank_cases(Popular(synthetic_task), synthetic_task.test)
    assert np.array_equal(ours.better, theirs.better)
    assert np.array_equal(ours.tied, theirs.tied)
    assert ours.tied.any()


def test_lists_rank_in_their_order_and_what_they_lack_is_last(board, tmp_path):
    users, items = [list(ids) for ids in (board.user_ids, board.item_ids)]
    test = board.test
    rows = [(users[int(u)], items[int(i)]) for u, row in zip(test.users, test.negatives, strict=True) for i in row[:2]]
    rows += [(users[int(u)], items[int(i)]) for u, i in zip(test.users[:3], test.items[:3], strict=True)]
    path = tmp_path / "lists.tsv"
    path.write_text("user\titem\n" + "".join(f"{u}\t{i}\n" for u, i in rows))
    ranks = rank_cases(read(path, board, RANKED, ranked=True), test)
    width = test.negatives.shape[1]
    assert ranks.better[:3].tolist() == [2, 2, 2]
    assert (ranks.better[3:] == 2).all()
    assert ranks.tied[:3].tolist() == [0, 0, 0]
    assert (ranks.tied[3:] == width - 2).all()


LARGE = {
    "int64": lambda table: table.score.astype("int64") + 2**60,
    "uint64": lambda table: table.score.astype("uint64") + 2**63,
    "negative": lambda table: table.score.astype("int64") - 2**60,
    "beside small ones": lambda table: np.where(table.score < 3, table.score, 2**53 + table.score.astype("int64")),
    "of Python": lambda table: table.score.astype(int).astype(object) + 10**30,
    "decimals": lambda table: [Decimal(2**80) + Decimal(int(score)) for score in table.score],
    "text": lambda table: (table.score.astype(int).astype(object) + 2**63 - 5).astype(str),
    "text with and without exponents": lambda table: [
        f"{score}e0" if score < 3 else str(2**60 + score) for score in table.score
    ],
}


@pytest.mark.parametrize("form", ["frame", "csv", "parquet"])
@pytest.mark.parametrize("scores", LARGE.values(), ids=LARGE)
def test_whole_numbers_beyond_double_precision_are_not_tied(synthetic_task, tmp_path, scores, form):
    """Scores of 0 to some ten, and the same far from 0: neither ties nor near ties are made."""
    table = candidates_of(synthetic_task)
    table["score"] = (table.score * 7).astype("int64") // 5
    plain = rank_cases(read(table, synthetic_task), synthetic_task.test)
    source = table.assign(score=scores(table))
    if form == "csv":
        source.to_csv(tmp_path / "scores.csv", index=False)
    elif form == "parquet":
        if scores is LARGE["of Python"]:
            pytest.skip("Arrow has no such integers")
        source.to_parquet(tmp_path / "scores.parquet")
    source = source if form == "frame" else tmp_path / f"scores.{form}"
    large = rank_cases(read(source, synthetic_task), synthetic_task.test)
    for name in ("better", "tied"):
        assert np.array_equal(getattr(large, name), getattr(plain, name))
    assert not large.near.above.any()
    assert not large.near.below.any()


def test_two_large_scores_of_a_pair_differ(synthetic_task):
    table = candidates_of(synthetic_task).assign(score=2**60)
    with pytest.raises(RecbenchError, match="has two scores for user"):
        read(pd.concat([table, table.iloc[:1].assign(score=2**60 + 1)]), synthetic_task)


def test_ranks_beyond_double_precision(synthetic_task):
    table = candidates_of(synthetic_task)
    order = np.arange(len(table))
    plain = rank_cases(read(table.assign(rank=order), synthetic_task, RANKED, ranked=True), synthetic_task.test)
    large = rank_cases(read(table.assign(rank=order + 2**60), synthetic_task, RANKED, ranked=True), synthetic_task.test)
    assert np.array_equal(large.better, plain.better)
    assert not large.tied.any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("lowest", [-np.finfo(float).max, -1.0, 0.0, 5e-324, 1e300, -1e-320])
def test_a_missing_score_is_below_the_lowest_and_no_near_tie(synthetic_task, lowest):
    """The positives are missing; all negatives have the same score, the lowest that there is."""
    task, table = synthetic_task, candidates_of(synthetic_task).assign(score=lowest)
    positives = table.index % (task.test.negatives.shape[1] + 1) == 0
    negatives = table[~positives]
    ranks = rank_cases(read(negatives, task, missing_last=True), task.test)
    assert (ranks.better == task.test.negatives.shape[1]).all()
    if abs(lowest) > 1e-300:
        assert not ranks.near.above.any()


def changed(change):
    def write(table, path):
        change(table).to_csv(path, index=False)

    return write


BAD = {
    "lacks a candidate": (changed(lambda t: t.iloc[1:]), "lacks 1 of the 60,600 candidates .* the first: user"),
    "two scores": (changed(lambda t: pd.concat([t, t.iloc[:1].assign(score=-1)])), "has two scores for user"),
    "not finite": (changed(lambda t: t.assign(score=np.where(t.index == 2, np.inf, t.score))), "line 4: the score is"),
    "text": (changed(lambda t: t.assign(score="high")), "the score is .high., not a finite number"),
    "strangers": (changed(lambda t: t.assign(user="x" + t.user)), "names no user and item of the task"),
    "no score": (changed(lambda t: t[["user", "item"]]), "recognised as the score"),
    "no rows": (changed(lambda t: t.iloc[:0]), "has no rows"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), BAD.values(), ids=BAD)
def test_bad_scores(synthetic_task, tmp_path, write, message):
    write(candidates_of(synthetic_task), tmp_path / "scores.csv")
    with pytest.raises(RecbenchError, match=message):
        read(tmp_path / "scores.csv", synthetic_task)


def test_what_may_be_missing_and_what_is_passed_over(synthetic_task, tmp_path, caplog):
    table = candidates_of(synthetic_task)
    strange = table.iloc[:1].assign(user="nobody")
    pd.concat([table.iloc[1:], table.iloc[5:6], strange]).to_csv(tmp_path / "scores.csv", index=False)
    ranks = rank_cases(read(tmp_path / "scores.csv", synthetic_task, missing_last=True), synthetic_task.test)
    assert ranks.better[0] == 100
    assert "1 rows name users or items that the task does not have" in caplog.text
    assert "1 of the 60,600 candidates have no score" in caplog.text


def test_a_record_that_compares_like_any_other(recbench, synthetic_task, tmp_path):
    candidates_of(synthetic_task).to_csv(tmp_path / "scores.csv", index=False)
    task = ("--task", "synthetic")
    done = recbench("score-file", "scores.csv", "--name", "popularity", *task, "-o", "theirs", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)["results"][0]
    assert (result["model"], result["status"], result["fit_seconds"]) == ("popularity", "done", None)
    assert recbench("run", "--models", "popularity", *task, "--seeds", "1", "-o", "ours").returncode == 0
    compared = recbench("compare", "ours", "theirs")
    assert compared.returncode == 0, compared.stderr
    assert "Unchanged: popularity" in compared.stdout
    gate = recbench("gate", "ours", "theirs")
    assert gate.returncode == 0, gate.stderr
    assert recbench("score-file", "absent.csv", "--name", "x", *task).returncode == 2
    assert recbench("score-file", "scores.csv", "--name", "a b", *task).returncode == 2


def test_the_candidates_of_an_export_are_what_is_to_be_scored(synthetic_task, tmp_path):
    export(synthetic_task, tmp_path, ExportForm.PARQUET)
    candidates = pd.read_parquet(tmp_path / "candidates.parquet")
    cases = candidates[["user", "item"]].drop_duplicates()
    pairs = pd.concat([cases, candidates[["user", "negative"]].set_axis(["user", "item"], axis=1)])
    pairs.assign(score=range(len(pairs))).to_csv(tmp_path / "scores.csv", index=False)
    read(tmp_path / "scores.csv", synthetic_task)


def test_a_record_with_another_result_is_kept(board, tmp_path):
    def by_item(users, items):
        return items.astype(float)

    def evaluated(scores, seed=0, **options):
        return evaluate(board, scores, name="theirs", seed=seed, output=tmp_path / "runs", **options).trials[0]

    first = evaluated(by_item)
    assert evaluated(lambda users, items: 2.0 * items).path != first.path  # another function
    again = evaluated(by_item)
    assert again.path == first.path
    assert again.record.started_at > first.record.started_at
    before = first.path.read_bytes()

    def by_item(users, items):
        return -items.astype(float)

    with pytest.raises(RecbenchError, match="seed0.json holds another result of 'theirs', seed 0") as raised:
        evaluated(by_item)
    assert "--force" in raised.value.hint
    assert first.path.read_bytes() == before
    assert evaluated(by_item, seed=1).path != first.path
    assert evaluated(by_item, force=True).path == first.path
    assert first.path.read_bytes() != before
    first.path.with_suffix(".npz").write_bytes(b"damaged")
    with pytest.raises(RecbenchError, match="holds another result"):
        evaluated(by_item)
