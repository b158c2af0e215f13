"""Items without train rows: a model that ranks them above known items gets a warning."""

import numpy as np
import pandas as pd
import pytest

from recbench.protocol import TrainSet
from recbench.selftest.check import NotApplicableError
from recbench.selftest.fits import fit
from recbench.selftest.new_items import highest_by_chance, new_items_below_known, share_above_known
from recbench.selftest.score_requests import ScoreRequest
from recbench.testing import RecommenderContract
from recbench.testing.new_items import N_KNOWN, N_NEW, train_with_new_items
from recbench.trials.clock import TimedContext
from tests.command_line import CommandLine

MODEL = """
import numpy as np

class NewFirst:
    def fit(self, train, context):
        self.scores = 1.0 / (1 + np.bincount(train.items, minlength=train.n_items))

    def score(self, users, items):
        return self.scores[items]
"""


class Popular:
    new = 0.0

    def fit(self, train, context):
        counts = np.bincount(train.items, minlength=train.n_items).astype(np.float64)
        self.scores = np.where(counts > 0, counts, self.new)

    def score(self, users, items):
        return self.scores[items]


class NeverLowersNewItems(Popular):
    new = 30.0


class Fails(Popular):
    def score(self, users, items):
        raise ValueError("no")


def check(model):
    train = train_with_new_items()
    request = ScoreRequest(np.arange(3, dtype=np.int32), np.tile(np.arange(9, dtype=np.int32), (3, 1)), train.n_items)
    return new_items_below_known(train, fit(model, train, TimedContext(0, 1), request))


@pytest.mark.parametrize(
    ("model", "state", "detail"),
    [
        (Popular, "ok", "a new item has a higher score than a known item in 0.0% of pairs, over 24 new items"),
        (NeverLowersNewItems, "warning", "draw items without train rows as negatives too"),
        (Fails, "failed", "ValueError: no"),
    ],
)
def test_a_model_that_never_lowers_new_items_gets_a_warning(model, state, detail):
    outcome = check(model)
    assert (outcome.state, outcome.passed) == (state, state != "failed")
    assert detail in outcome.detail


def test_the_contract_fails_such_a_model_unless_it_says_that_it_knows_new_items():
    class Contract(RecommenderContract):
        model = NeverLowersNewItems

    def run():
        rows = train_with_new_items()
        Contract().test_new_items_do_not_rank_above_known_items((rows, Contract.fitted(rows)))

    with pytest.raises(
        AssertionError, match=r"a higher score than a known item in 92% of pairs, by chance at most 62%"
    ):
        run()
    Contract.knows_new_items = True
    with pytest.raises(pytest.skip.Exception):
        run()
    Contract.knows_new_items, Contract.model = False, Popular
    run()


def test_the_self_test_shows_the_warning_and_passes(capfd, monkeypatch, tmp_path):
    recbench = CommandLine(capfd, monkeypatch)
    (tmp_path / "model.py").write_text(MODEL)
    users, items = np.nonzero(np.random.default_rng(0).random((12, 10)) < np.linspace(0.9, 0.3, 10))
    rows = pd.DataFrame({"user": users, "item": items})
    test = pd.DataFrame({"user": np.arange(12), "item": np.arange(12) + 10})
    rows.to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    files = ["--train", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv"), "--waive", "cold-cases"]
    assert recbench("task", "import", "pairs", "new", *files, "--count", "5").code == 0
    done = recbench("selftest", "--task", "new", "--models", f"{tmp_path / 'model.py'}:NewFirst")
    assert done.code == 0, done.out + done.err
    assert "[warn] new items do not rank above known items — a new item has a higher score than a" in done.out
    assert done.out.splitlines()[-1].endswith(" skipped, 1 warning")


def test_the_share_is_that_of_pairs_counted_one_by_one():
    train = TrainSet.from_rows(
        4, 6, np.array([0, 0, 1, 2, 2, 2], dtype=np.int32), np.array([0, 1, 0, 0, 1, 4], dtype=np.int32)
    )
    scores = np.random.default_rng(0).integers(0, 3, (4, 6)).astype(np.float64)

    class Table:
        def score(self, users, items):
            return scores[users[:, None], items]

    new, known = [2, 3, 5], {0, 1, 4}
    seen = {0: {0, 1}, 1: {0}, 2: {0, 1, 4}}
    of_users = [
        np.mean([np.sign(scores[u, n] - scores[u, k]) / 2 + 0.5 for n in new for k in known - seen[u]])
        for u in seen
        if known - seen[u]
    ]
    assert share_above_known(Table(), train) == pytest.approx(np.mean(of_users), abs=1e-12)


def test_tasks_without_new_items_or_without_known_ones_are_skipped():
    everything = np.indices((2, 3)).reshape(2, -1).astype(np.int32)
    for n_items, reason in ((3, "every item has a train row"), (4, "no user lacks a known item")):
        train = TrainSet.from_rows(2, n_items, *everything)
        model = Popular()
        model.fit(train, TimedContext(0, 1))
        with pytest.raises(NotApplicableError, match=reason):
            share_above_known(model, train)


@pytest.mark.parametrize("n_new", [3, 30, 200])
def test_random_places_of_new_items_seldom_exceed_the_limit(n_new):
    mean_positions = np.random.default_rng(1).random((2000, n_new)).mean(axis=1)
    assert (mean_positions > highest_by_chance(n_new)).mean() < 0.05
    assert highest_by_chance(n_new) < 1


def test_the_rows_of_the_contract_have_new_items_between_known_ones():
    train = train_with_new_items(ratings=True, timestamps=True)
    known = np.unique(train.items)
    assert len(known) == N_KNOWN
    assert train.n_items == N_KNOWN + N_NEW
    assert np.array_equal(known, np.arange(0, train.n_items, 2))
    counts = np.diff(train.indptr)
    assert counts[0] == N_KNOWN
    assert counts[-1] == 0
    assert train.ratings is not None
    assert train.timestamps is not None
