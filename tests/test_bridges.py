"""Bridges to other frameworks: rows in, scores out, epochs, and what a framework does not know."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recbench.builtin_models import BRIDGES, builtin_folder
from recbench.errors import RecbenchError
from recbench.foreign.environments import environment_names
from recbench.protocol import TrainSet
from recbench.registry.foreign_names import short_target
from recbench.registry.hyperparameters import import_and_configure
from recbench.registry.models import Origin, find_model
from recbench.registry.observation import Observation
from recbench.registry.requested import request_models
from recbench.reports.run.bridge_notes import bridge_notes
from recbench.trials.clock import TimedContext
from recbench.trials.conditions import Conditions
from recbench.trials.trial import run_trial
from recbench.tuning.spaces import Choices, own_spaces
from recbench_models.bridges import cornac, implicit, irspack, lenskit, recbole, rectools, sklearn
from recbench_models.bridges.bridge import Bridge
from tests import stub_frameworks
from tests.conftest import ROOT

HOME_OF_ENVIRONMENTS = "RECBENCH_TEST_ENVIRONMENTS"
"""Names a cache folder with environments: the tests then also run the frameworks themselves."""
USERS = np.array([0, 0, 1, 2, 2, 2], np.int32)
ITEMS = np.array([1, 3, 3, 0, 1, 3], np.int32)
COUNTS = np.array([1.0, 2.0, 0.0, 3.0, 0.0])


class StopsAfter(TimedContext):
    """Ends training after some epochs, and asks for scores after each."""

    def __init__(self, epochs, model, device):
        super().__init__(0, 1, device=device)
        self.most, self.model = epochs, model

    def end_epoch(self, loss=None):
        super().end_epoch(loss)
        self.model.score(np.zeros(1, np.int32), np.zeros((1, 1), np.int32))
        return self.epochs < self.most


def rows(n_users=3):
    """Five items, of which 2 and 4 have no row; the frameworks must not be able to change them."""
    return TrainSet.from_rows(n_users, 5, USERS, ITEMS)


def fitted(model, train=None, most=99, device="auto"):
    context = StopsAfter(most, model, device)
    model.warm_up(train or rows(), context)
    model.fit(train or rows(), context)
    return context


def test_cornac_counts_its_epochs_and_takes_all_users_and_items(monkeypatch):
    stub_frameworks.cornac(monkeypatch)
    model = cornac.BPR()
    context = fitted(model)
    assert context.epochs == 3
    scores = model.score(np.array([2, 1], np.int32), np.array([[3, 2, 1], [3, 2, 1]], np.int32))
    assert scores.tolist() == [[9, 0, 6], [0.5, 0.5, 0.5]]
    assert fitted(cornac.BPR(max_iter=7), most=2).epochs == 2
    # A model whose scores come at the end counts as one pass: nobody may ask for them before.
    for late in (cornac.Late(), cornac.WMF()):
        assert fitted(late).epochs == 0
        assert late.score_all(np.array([0])).tolist() == [COUNTS.tolist()]


def test_irspack_runs_epoch_by_epoch(monkeypatch):
    pytest.importorskip("scipy")
    stub_frameworks.irspack(monkeypatch)
    model = irspack.Trained()
    assert fitted(model).epochs == 4
    assert model.score_all(np.array([1])).tolist() == [(4 * COUNTS).tolist()]
    plain = irspack.Plain()
    assert fitted(plain).epochs == 0
    assert plain.score_all(np.array([0])).tolist() == [COUNTS.tolist()]


def test_implicit_gives_factors_similarities_or_lists(monkeypatch):
    pytest.importorskip("scipy")
    stub_frameworks.implicit(monkeypatch)
    model = implicit.Factors()
    assert list(model.defaults) == ["factors", "iterations"]
    context = fitted(model, device="cpu")
    assert context.epochs == 3
    # Two factors, three epochs.
    assert model.score_all(np.array([1])).tolist() == [(6 * COUNTS).tolist()]
    assert fitted(implicit.Factors(iterations=9), most=2, device="cpu").epochs == 2
    neighbours = implicit.Neighbours(K=5)
    assert fitted(neighbours).epochs == 0
    # User 0 has items 1 and 3.
    assert neighbours.score_all(np.array([0])).tolist() == [[1, 1, 0, 1, 0]]
    lists = implicit.Lists()
    fitted(lists)
    assert np.argsort(-lists.score_all(np.array([0, 2])), axis=1)[:, :2].tolist() == [[3, 1]] * 2
    with pytest.raises(LookupError, match="implicit has no model 'Factor'; similar: Factors"):
        implicit.Factor  # noqa: B018


def test_lenskit_runs_epoch_by_epoch_and_leaves_out_what_it_cannot_score(monkeypatch):
    stub_frameworks.lenskit(monkeypatch)
    model = lenskit.Trained()
    assert dict(model.defaults) == {"epochs": 3, "regularization": 1.0, "feedback": "implicit", "left_out": None}
    assert isinstance(model.defaults["regularization"], float)
    assert fitted(model).epochs == 3
    scores = model.score_all(np.array([0, 2]))
    # It has no score for items 2 and 4.
    assert scores[:, [0, 1, 3]].tolist() == [[3, 6, 9], [5, 8, 11]]
    assert (scores[:, [2, 4]] < scores[:, [0]]).all()
    stopped = lenskit.Trained(epochs=9)
    assert fitted(stopped, most=2).epochs == 2
    assert stopped.scorer.finalized
    closed = lenskit.Closed()
    assert fitted(closed).epochs == 0
    assert closed.scorer.given == {"epochs": 3, "regularization": 1.0, "feedback": "implicit"}
    no_score = lenskit.NoQuery()
    fitted(no_score)
    assert np.isnan(no_score.score_all(np.array([0]))).all()
    # A user without a score is lowest for all items, alone as beside others.
    some = lenskit.SomeUsers()
    fitted(some)
    alone = [some.score_all(np.array([user]))[0].tolist() for user in (1, 0, 2)]
    assert some.score_all(np.array([1, 0, 2])).tolist() == alone
    assert alone[0] == [-1] * 5
    # A model may lose its scores in a later epoch, or have none before it.
    lost = lenskit.Lost()
    lost.score = lambda users, items: epochs.append(np.isnan(lost.score_all(np.array([1]))).all())
    epochs = []
    fitted(lost)
    assert epochs == [False, False, True]
    assert np.isnan(lost.score_all(np.array([1]))).all()
    with pytest.raises(LookupError, match="PlainClass of LensKit is no component"):
        lenskit.PlainClass  # noqa: B018


def test_lenskit_gets_the_ratings_of_a_task_that_has_them(monkeypatch):
    stub_frameworks.lenskit(monkeypatch)
    ratings = np.array([1, 2, 3, 4, 5, 1], np.float32)
    prepared = lenskit.Closed().prepare(TrainSet.from_rows(3, 5, USERS, ITEMS, ratings), TimedContext(0, 1))
    assert prepared.table["rating"].tolist() == ratings.tolist()
    assert "rating" not in lenskit.Closed().prepare(rows(), TimedContext(0, 1)).table


def test_recbole_numbers_its_rows_and_scores_the_rest_lowest(monkeypatch, tmp_path):
    stub_frameworks.recbole(monkeypatch, tmp_path)
    model = recbole.Ranks()
    assert {"embedding_size", "epochs", "learning_rate", "validation_share"} <= model.defaults.keys()
    context = fitted(model, rows(n_users=4))
    assert (context.epochs, context.facts) == (3, {"unknown_users": 1, "unknown_items": 2})
    scores = model.score_all(np.array([3, 2]))
    assert scores[0].tolist() == [-1] * 5
    assert scores[1, [0, 1, 3]].tolist() == [3, 6, 9]
    assert (scores[1, [2, 4]] < 3).all()
    assert not Path(model.folder.name).exists()
    assert fitted(recbole.Ranks(epochs=9), most=2).epochs == 2
    pairs = recbole.Pairs()
    fitted(pairs)
    candidates = pairs.score(np.array([0, 2], np.int32), np.array([[3, 1, 4], [0, 3, 2]], np.int32))
    assert candidates[:, :2].tolist() == [[9, 6], [3, 9]]
    assert (candidates[:, 2] < candidates[:, :2].min(axis=1)).all()
    assert pairs.score_all(np.array([0]))[0, [0, 1, 3]].tolist() == [3, 6, 9]
    # Pairs are scored a few at a time, because a network needs memory for each: here 15 pairs by 4.
    at_once, predict = [], pairs.model.predict
    pairs.model.predict = lambda pair: (at_once.append(len(pair["item_id"].values)), predict(pair))[1]
    whole = pairs.score_all(np.arange(3))
    monkeypatch.setattr(recbole, "PAIRS_AT_ONCE", 4)
    np.testing.assert_array_equal(pairs.score_all(np.arange(3)), whole)
    assert at_once == [15, 4, 4, 4, 3]
    with pytest.raises(LookupError, match="Sequences is no general model of RecBole"):
        recbole.Sequences  # noqa: B018


def test_recbole_keeps_the_best_epoch_of_its_own_validation_rows(monkeypatch, tmp_path):
    stub_frameworks.recbole(monkeypatch, tmp_path)
    model = recbole.Ranks(validation_share=0.25)
    assert fitted(model).epochs == 3
    # The second epoch was the best.
    assert model.score_all(np.array([2]))[0, [0, 1, 3]].tolist() == [2, 4, 6]


@pytest.mark.parametrize("times", [1_500_000_000, 1_500_000_000_123, 1_500_000_000_123_456, 1_500_000_000_123_456_789])
def test_rectools_takes_times_in_any_unit(monkeypatch, times):
    stub_frameworks.rectools(monkeypatch)
    timed = replace(rows(), timestamps=np.full(len(rows()), times))
    prepared = rectools.PopularModel().prepare(timed, TimedContext(0, 1))
    assert {moment.year for moment in prepared.rows["datetime"]} == {2017}


def test_users_and_items_that_rectools_drops_are_counted_and_lowest(monkeypatch, capsys):
    stub_frameworks.rectools(monkeypatch)
    model = rectools.PopularModel()
    context = fitted(model, rows(n_users=4))
    assert context.facts == {"unknown_users": 1, "unknown_items": 2}
    assert "does not know 1 users and 2 items" in capsys.readouterr().out
    scores = model.score_all(np.array([3, 1]))
    assert scores.tolist() == [[-1] * 5, [1, 2, -1, 3, -1]]
    assert np.isfinite(scores).all()
    record = SimpleNamespace(record=SimpleNamespace(facts=context.facts))
    listed = SimpleNamespace(record=SimpleNamespace(facts={"scores": "places in a ranked list"}))
    groups = {"a": SimpleNamespace(done=[record]), "b": SimpleNamespace(done=[listed])}
    summaries = [SimpleNamespace(name=name, group=group) for name, group in groups.items()]
    assert bridge_notes(summaries) == [
        "Not known to the framework, and scored lowest: 1 users and 2 items of a.",
        "The framework gives no scores: b (places in a ranked list).",
    ]


def test_what_a_framework_says_of_items_that_it_does_not_know_does_not_count():
    class Eager(Bridge):
        def scores_of(self, users):
            return np.array([[1.0, 2.0, 99.0]] * len(users))

    model = Eager()
    model.n_items, model.known_users, model.known_items = 3, np.array([True]), np.array([True, True, False])
    assert model.score_all(np.array([0])).tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("name", ["Counts", "Scored"])
def test_a_class_with_fit_and_recommend(name):
    model = getattr(sklearn, f"tests.listed_models.{name}")()
    context = fitted(model)
    order = np.argsort(-model.score_all(np.array([0, 2])), axis=1)
    assert order[:, :3].tolist() == [[3, 1, 0]] * 2
    assert (context.facts.get("scores") == "places in a ranked list") == (name == "Counts")
    short = getattr(sklearn, f"tests.listed_models.{name}")(top=1)
    fitted(short)
    scores = short.score_all(np.array([0]))[0]
    assert (scores - scores[3]).tolist() == [-1, -1, -1, 0, -1]


def test_scores_stay_with_their_items_beside_gaps_in_a_list():
    model = getattr(sklearn, "tests.listed_models.Filtered")()
    fitted(model)
    assert model.score_all(np.array([0, 2])).tolist() == [[3, 2, 4, 0, 0]] * 2
    few = getattr(sklearn, "tests.listed_models.FewScores")()
    fitted(few)
    with pytest.raises(ValueError, match=r"recommend\(\) returned 3 items and 2 scores for a user"):
        few.score_all(np.array([0]))


def test_classes_that_are_no_models_of_a_bridge(monkeypatch):
    twice = getattr(sklearn, "tests.listed_models.Twice")()
    fitted(twice)
    with pytest.raises(ValueError, match="an item twice"):
        twice.score_all(np.array([0]))
    with pytest.raises(LookupError, match=r"has no method recommend\(\)"):
        getattr(sklearn, "tests.listed_models.NoList")
    stub_frameworks.cornac(monkeypatch)
    with pytest.raises(LookupError, match="Cornac has no model 'BPRR'; similar: BPR"):
        cornac.BPRR  # noqa: B018
    monkeypatch.setitem(sys.modules, "irspack.recommenders", None)
    with pytest.raises(ImportError, match="irspack"):
        irspack.IALSRecommender  # noqa: B018


def test_scores_that_are_not_finite_stay_so():
    class Diverged(Bridge):
        def prepare(self, train, context):
            return train

        def learn(self, prepared, train, context):
            pass

        def scores_of(self, users):
            return np.full((len(users), 5), np.nan)

    model = Diverged()
    fitted(model)
    assert np.isnan(model.score(np.array([0, 1]), np.array([[1, 2], [3, 4]]))).all()


def test_names_of_models(home):
    for bridge in environment_names():
        (home / "environments" / bridge / "bin").mkdir(parents=True)
    with pytest.raises(RecbenchError, match="The environment cornac is not complete") as caught:
        find_model("cornac:BPR")
    assert caught.value.hint == "Create it: recbench env create cornac"
    with pytest.raises(RecbenchError, match="The environment recbole is not complete"):
        find_model("popularity@recbole")
    with pytest.raises(RecbenchError, match="names no class"):
        find_model("cornac:a b")
    (elsewhere,) = request_models([f"lenskit:ImplicitMFScorer@{sys.executable}:epochs=2"])
    target = f"recbench_models.bridges.lenskit:ImplicitMFScorer@{sys.executable}"
    assert (elsewhere.reference.target, elsewhere.texts) == (target, {"epochs": "2"})
    assert elsewhere.reference.command_name == f"lenskit:ImplicitMFScorer@{sys.executable}"
    assert short_target("recbench_models.bridges.cornac:BPR@cornac") == "cornac:BPR"
    assert find_model(short_target(target)) == find_model(target) == elsewhere.reference
    own = find_model("sklearn:my_package.my_module.Mine")
    assert (own.origin, own.command_name) == (Origin.MODULE, "sklearn:my_package.my_module.Mine")


def test_a_trial_in_another_interpreter(monkeypatch, synthetic_task):
    monkeypatch.chdir(ROOT)
    model = f"sklearn:tests.listed_models.Scored@{sys.executable}"
    (requested,) = request_models([model], [f"{model}.top=50"])
    configuration = import_and_configure(requested, Observation())
    outcome = run_trial(synthetic_task, configuration, 1, Conditions(), lambda event: None)
    assert outcome.record.error is None
    assert outcome.record.model.startswith("sklearn:tests.listed_models.Scored@")
    assert outcome.record.parameters == {"top": 50}
    assert outcome.record.sources.modules.keys() == {"tests/listed_models.py"}
    assert 0.2 < outcome.record.metrics["hr@10"].mean < 0.4
    configuration.model_class.connection.close()


def test_every_framework_has_a_bridge_a_lock_file_and_search_spaces():
    folder = builtin_folder() / "bridges"
    assert set(BRIDGES) == {file.stem for file in folder.glob("*.py")} - {"__init__", "bridge", "progress_bars"}
    assert {*environment_names(), "sklearn"} == set(BRIDGES)
    spaces = [name.partition(":")[0] for name in own_spaces() if ":" in name]
    assert {framework: spaces.count(framework) for framework in spaces} == dict.fromkeys(environment_names(), 5)


@pytest.mark.parametrize("framework", environment_names())
def test_the_framework_itself(framework, monkeypatch):
    folder = os.environ.get(HOME_OF_ENVIRONMENTS)
    if not folder:
        pytest.skip(f"{HOME_OF_ENVIRONMENTS} names no cache folder with environments")
    monkeypatch.setenv("RECBENCH_HOME", folder)
    from recbench.experiments import environments

    if environments.environment(framework).state is not environments.State.READY:
        pytest.skip(f"the environment {framework} is not in {folder}")
    assert environments.check(framework).problems == ()
    for name, space in own_spaces().items():
        if name.partition(":")[0] == framework:
            model_class = find_model(name).load()
            for parameter, values in space.parameters.items():
                default = model_class.__signature__.parameters[parameter].default
                assert values.holds(default), (name, parameter)
                assert isinstance(values, Choices) or values.integer == isinstance(default, int)
            model_class.connection.close()
