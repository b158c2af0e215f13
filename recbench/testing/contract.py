"""The behaviour of every model, written once: a model's own suite inherits it and states what is particular."""

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import FloatArray, Int32Array, Recommender, ScoreAll, TrainSet, WarmUp
from recbench.registry.models import find_model
from recbench.selftest import leaks, model_contract
from recbench.selftest.check import Check
from recbench.selftest.fits import Arrays, Fit, StopsAtOnce, copies, fit
from recbench.selftest.new_items import highest_by_chance, share_above_known
from recbench.selftest.score_requests import ScoreRequest
from recbench.tasks.task import Task
from recbench.testing.new_items import N_NEW, train_with_new_items
from recbench.testing.tasks import checkerboard_task
from recbench.trials.clock import TimedContext

Pairs = tuple[Int32Array, Int32Array]
"""int32[n] users and int32[n, c] items."""

WithNewItems = tuple[TrainSet, Recommender]
"""Train rows in which items have no row, and the model that learned from them."""


@dataclass(frozen=True, slots=True)
class FirstFit:
    """The fit of a test class.

    Attributes:
        train: The train rows that it was given.
        before: Copies of their arrays from before the fit.
        fit: The fit.
    """

    train: TrainSet
    before: Arrays
    fit: Fit


@dataclass(frozen=True, slots=True)
class ScoredEachEpoch:
    """A fit during which scores were requested.

    Attributes:
        model: The trained model.
        scores: float[n, c] scores of the same pairs after each epoch.
    """

    model: Recommender
    scores: list[FloatArray]


def assert_passes(check: Check) -> None:
    """Fails the test with the detail of the check, unless it passed."""
    assert check.passed, f"{check.name}: {check.detail}"


class RecommenderContract:
    """What every model must do, tested on the checkerboard, whose right answer is known.

    Inherit it in a test class whose name begins with ``Test`` and set the attributes; pytest finds the rest. The
    fixtures come with the class, so no ``conftest.py`` is needed. The whole suite trains the model six times on
    at most 528 rows; tests share fits, because a model that compiles takes seconds for each.

    Attributes:
        model: The class, or a model as ``--models`` takes it: a name, ``package.module:Class`` or ``file.py:Class``.
        parameters: Hyper-parameters with which it learns the checkerboard, in a second or so.
        bad_parameters: Hyper-parameters that the constructor must refuse with a ``ValueError`` that names the first.
            Required if the constructor has any.
        personalises: Whether it learns what each user wants, so that it must order the checkerboard right.
        uses_seed: Whether another seed gives another model.
        needs_ratings: Whether it can only learn from rows with ratings.
        needs_timestamps: Whether it can only learn from rows with times.
        knows_new_items: Whether it knows items by more than their train rows, such as their texts; then items without
            train rows may have high scores.
        n_epochs: Passes over the train rows, if they are not the hyper-parameter ``epochs`` (1 if it has none).

    Example:
        Save as ``test_mine.py``::

            from recbench.testing import RecommenderContract

            class TestMine(RecommenderContract):
                model = "my_package.mine:Mine"
                parameters = {"epochs": 30}
                bad_parameters = [{"epochs": 0}]
    """

    model: ClassVar[str | type]
    parameters: ClassVar[dict[str, Any]] = {}
    bad_parameters: ClassVar[list[dict[str, Any]]] = []
    personalises: ClassVar[bool] = True
    uses_seed: ClassVar[bool] = True
    needs_ratings: ClassVar[bool] = False
    needs_timestamps: ClassVar[bool] = False
    knows_new_items: ClassVar[bool] = False
    n_epochs: ClassVar[int | None] = None

    @classmethod
    def model_class(cls) -> type:
        """Returns the class under test, imported if need be."""
        if not hasattr(cls, "model"):
            pytest.fail(f"{cls.__name__} names no model: write model = MyModel in the class.", pytrace=False)
        if not isinstance(cls.model, str):
            return cls.model
        return find_model(cls.model).load()

    @classmethod
    def create(cls) -> Recommender:
        """Returns an untrained model."""
        model: Recommender = cls.model_class()(**cls.parameters)
        return model

    @classmethod
    def fitted(cls, train: TrainSet, seed: int = 0, warm: bool = False) -> Recommender:
        """Returns a trained model.

        Args:
            train: What it learns from.
            seed: The seed.
            warm: Whether to call ``warm_up`` first, if the model has it.
        """
        model = cls.create()
        context = TimedContext(seed, threads=1)
        if warm and isinstance(model, WarmUp):
            model.warm_up(train, context)
        model.fit(train, context)
        return model

    @classmethod
    def fitted_with_scores(
        cls, train: TrainSet, pairs: Pairs, request: ScoreRequest, warm: bool = False
    ) -> ScoredEachEpoch:
        """Returns a model of seed 0 during whose training scores were requested, as for a learning curve.

        Args:
            train: What it learns from.
            pairs: The pairs whose scores are kept.
            request: Other pairs are scored before these.
            warm: Whether to call ``warm_up`` first, if the model has it.
        """
        users, items = pairs
        others = request.different()
        scores: list[FloatArray] = []

        class ScoresEachEpoch(TimedContext):
            def end_epoch(self, loss: float | None = None) -> bool:
                model.score(others.users, others.items)
                scores.append(_scores(model, users, items))
                if isinstance(model, ScoreAll):
                    of_all = np.take_along_axis(model.score_all(users), items, axis=1)
                    np.testing.assert_allclose(of_all, scores[-1], rtol=1e-5, atol=1e-5)
                return super().end_epoch(loss)

        model = cls.create()
        if warm and isinstance(model, WarmUp):
            model.warm_up(train, TimedContext(0, threads=1))
        model.fit(train, ScoresEachEpoch(0, threads=1))
        return ScoredEachEpoch(model, scores)

    @classmethod
    def expected_epochs(cls) -> int:
        """Returns how often the model must call ``end_epoch``."""
        if cls.n_epochs is not None:
            return cls.n_epochs
        epochs = inspect.signature(cls.model_class()).parameters.get("epochs")
        default = 1 if epochs is None or epochs.default is epochs.empty else epochs.default
        return int(cls.parameters.get("epochs", default))

    @pytest.fixture(scope="class")
    @classmethod
    def board(cls) -> Task:
        """The checkerboard."""
        return checkerboard_task(ratings=cls.needs_ratings, timestamps=cls.needs_timestamps)

    @pytest.fixture(scope="class")
    @classmethod
    def first_fit(cls, board: Task, score_request: ScoreRequest) -> FirstFit:
        """The fit that the tests of the class share, and what the train rows were before it."""
        train = board.train_set()
        before = copies(train)
        return FirstFit(train, before, fit(cls.create, train, TimedContext(0, 1), score_request))

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, first_fit: FirstFit) -> Recommender:
        """A model that learned the checkerboard; the tests of the class share it."""
        if first_fit.fit.error is not None:
            # Not wrapped, so that its traceback leads into the model.
            raise first_fit.fit.error
        return first_fit.fit.trained()

    @pytest.fixture(scope="class")
    @classmethod
    def scored_each_epoch(cls, board: Task, pairs: Pairs, score_request: ScoreRequest) -> ScoredEachEpoch:
        """A fit like the first, warmed up and scored: if it gives the same scores, neither changes what is learned."""
        return cls.fitted_with_scores(board.train_set(), pairs, score_request, warm=True)

    @pytest.fixture(scope="class")
    @classmethod
    def with_new_items(cls) -> WithNewItems:
        """Train rows in which half of the items have no row, and a model that learned from them."""
        train = train_with_new_items(ratings=cls.needs_ratings, timestamps=cls.needs_timestamps)
        return train, cls.fitted(train)

    @pytest.fixture(scope="class")
    @classmethod
    def pairs(cls, board: Task) -> Pairs:
        """The users of all cases and their candidates, the held-out item first."""
        return board.test.users, np.column_stack([board.test.items, board.test.negatives])

    @pytest.fixture(scope="class")
    @classmethod
    def score_request(cls, board: Task) -> ScoreRequest:
        """The same pairs as a trial scores them: candidates in ascending order."""
        return ScoreRequest.from_cases(board.test, board.n_items)

    def test_it_has_the_methods_of_a_model(self) -> None:
        """``fit`` and ``score``."""
        for method in ("fit", "score"):
            assert callable(getattr(self.model_class(), method, None)), (
                f"{self.model_class().__name__} has no method {method}(); recbench.protocol describes a model"
            )

    def test_every_hyper_parameter_has_a_default(self) -> None:
        """The model can be made by its name alone."""
        assert_passes(model_contract.every_default(self.model_class()))
        self.model_class()()

    def test_scores_have_the_shape_of_the_items_and_are_finite(
        self, trained: Recommender, pairs: Pairs, score_request: ScoreRequest
    ) -> None:
        """Also for columns of a larger array, which not every library takes."""
        assert_passes(leaks.form(trained, score_request))
        users, items = pairs
        shape = trained.score(users, items[:, :2]).shape
        assert shape == (len(users), 2), f"score() returned {shape} for {len(users)} users and 2 items each"

    def test_one_seed_gives_the_same_scores_bit_for_bit(
        self, trained: Recommender, scored_each_epoch: ScoredEachEpoch, pairs: Pairs, board: Task
    ) -> None:
        """Two models of one seed and one thread are the same model."""
        # Another fit is only needed if what differs may come from the warm-up of this one or from its scoring.
        if not _same(trained, scored_each_epoch.model, pairs):
            again = self.fitted(board.train_set())
            assert _same(trained, again, pairs), "two fits with the same seed and one thread give different scores"

    def test_warming_up_changes_nothing(
        self, trained: Recommender, scored_each_epoch: ScoredEachEpoch, pairs: Pairs, board: Task
    ) -> None:
        """``warm_up`` may compile and start threads; it must not learn."""
        if not isinstance(trained, WarmUp):
            pytest.skip("the model has no warm_up()")
        if not _same(trained, scored_each_epoch.model, pairs):
            warmed = self.fitted(board.train_set(), warm=True)
            assert _same(trained, warmed, pairs), "fit() after warm_up() gives different scores than fit() alone"

    def test_another_seed_gives_other_scores(self, trained: Recommender, pairs: Pairs, board: Task) -> None:
        """If the model ``uses_seed``; otherwise it gives the same scores."""
        same = _same(trained, self.fitted(board.train_set(), seed=1), pairs)
        assert same != self.uses_seed, (
            "seeds 0 and 1 give the same scores: use context.seed, or set uses_seed = False"
            if same
            else "seeds 0 and 1 give different scores: set uses_seed = True"
        )

    def test_scoring_twice_gives_the_same(self, trained: Recommender, score_request: ScoreRequest) -> None:
        """Whatever was scored in between."""
        assert_passes(leaks.scoring_twice(trained, score_request))
        assert_passes(leaks.call_order(trained, score_request))

    def test_scores_of_the_full_catalogue_are_those_of_its_pairs(self, trained: Recommender, board: Task) -> None:
        """``score_all`` gives what ``score`` gives, for users in any order, and leaves its argument alone."""
        if not isinstance(trained, ScoreAll):
            pytest.skip("the model has no score_all()")
        users = np.array([5, 0, 5, board.n_users - 1], dtype=np.int32)
        items = np.tile(np.arange(board.n_items, dtype=np.int32), (len(users), 1))
        scores = np.array(trained.score_all(users))
        assert scores.shape == items.shape, f"score_all() returned {scores.shape}, not {items.shape}"
        assert np.issubdtype(scores.dtype, np.floating), f"score_all() returned {scores.dtype}"
        np.testing.assert_allclose(scores, trained.score(users, items), rtol=1e-5, atol=1e-5)
        assert users.tolist() == [5, 0, 5, board.n_users - 1], "score_all() writes into its argument"

    def test_other_candidates_do_not_matter(self, trained: Recommender, score_request: ScoreRequest) -> None:
        """A pair has the same score beside any other candidates."""
        assert_passes(leaks.other_candidates(trained, score_request))

    def test_scoring_during_training_changes_nothing(
        self,
        trained: Recommender,
        scored_each_epoch: ScoredEachEpoch,
        pairs: Pairs,
        board: Task,
        score_request: ScoreRequest,
    ) -> None:
        """As a learning curve does it."""
        if not _same(trained, scored_each_epoch.model, pairs):
            scored = self.fitted_with_scores(board.train_set(), pairs, score_request)
            assert _same(trained, scored.model, pairs), (
                "a model that scored pairs during training differs from one that did not"
            )

    def test_the_order_of_candidates_and_cases_does_not_matter(
        self, trained: Recommender, pairs: Pairs, score_request: ScoreRequest
    ) -> None:
        """Permuted candidates and cases have permuted scores."""
        assert_passes(leaks.candidate_order(trained, score_request))
        assert_passes(leaks.batches(trained, score_request))
        users, items = pairs
        rng = np.random.default_rng(0)
        columns, rows = rng.permutation(items.shape[1]), rng.permutation(len(users))
        scores = _scores(trained, users, items)
        np.testing.assert_allclose(trained.score(users, items[:, columns]), scores[:, columns], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(trained.score(users[rows], items[rows]), scores[rows], rtol=1e-5, atol=1e-6)

    def test_it_leaves_its_inputs_alone(self, first_fit: FirstFit, score_request: ScoreRequest) -> None:
        """Neither ``fit`` nor ``score`` writes into an array that it was given."""
        assert_passes(model_contract.train_rows_untouched(first_fit.train, first_fit.before, first_fit.fit))
        assert_passes(leaks.arguments_of_score(first_fit.fit.trained(), score_request))

    def test_it_ends_each_epoch_and_stops_when_told(
        self, first_fit: FirstFit, board: Task, score_request: ScoreRequest
    ) -> None:
        """``end_epoch`` is called after each pass; if it returns False, training ends."""
        full = first_fit.fit
        stopped = fit(self.create, board.train_set(), StopsAtOnce(0, 1), score_request)
        full.trained()
        assert_not_failed(model_contract.stops_when_told(full, stopped))
        # A model that never calls end_epoch counts as one pass.
        epochs, epochs_if_stopped = (max(training.context.epochs, 1) for training in (full, stopped))
        assert epochs_if_stopped == 1, (
            f"end_epoch() returned False after epoch 1, and the model ended {epochs_if_stopped} epochs"
        )
        assert epochs == self.expected_epochs(), (
            f"fit() ended {epochs} epochs, not {self.expected_epochs()}: call context.end_epoch() after each pass over "
            "the train rows, or set n_epochs"
        )

    def test_it_answers_during_training_with_what_it_has_learned_so_far(
        self, scored_each_epoch: ScoredEachEpoch, pairs: Pairs
    ) -> None:
        """Scores inside ``end_epoch`` follow the training, and after the last epoch they are the final ones."""
        by_epoch, final = scored_each_epoch.scores, _scores(scored_each_epoch.model, *pairs)
        if by_epoch:
            np.testing.assert_array_equal(by_epoch[-1], final)
            learned = len(by_epoch) == 1 or not np.array_equal(by_epoch[0], final)
            assert learned, "the scores after the first epoch are those after the last"

    def test_it_learns_the_checkerboard(self, trained: Recommender, board: Task) -> None:
        """A model that ``personalises`` ranks held-out items first; another one cannot."""
        hits = float(hit_rate(rank_cases(trained, board.test), 1).mean())
        if self.personalises:
            assert hits > 0.95, f"HR@1 is {hits:.3f}; set parameters with which it learns, or personalises = False"
        else:
            chance = 1 / (1 + board.test.negatives.shape[1])
            assert hits < chance + 0.2, f"HR@1 is {hits:.3f}, far above chance: set personalises = True"

    def test_it_survives_users_with_everything_and_items_without_anyone(self, with_new_items: WithNewItems) -> None:
        """Users who have all items, and users and items without a train row, get finite scores."""
        users = np.repeat(np.arange(3, dtype=np.int32), [6, 2, 3])
        items = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4], dtype=np.int32)
        ratings = np.ones(len(users), dtype=np.float32) if self.needs_ratings else None
        times = np.arange(len(users), dtype=np.int64) if self.needs_timestamps else None
        train = TrainSet.from_rows(3, 6, users, items, ratings, times)
        for rows, model in ((train, self.fitted(train)), with_new_items):
            scores = model.score(
                np.arange(rows.n_users, dtype=np.int32),
                np.tile(np.arange(rows.n_items, dtype=np.int32), (rows.n_users, 1)),
            )
            assert np.isfinite(scores).all(), f"{int((~np.isfinite(scores)).sum())} scores are not finite"

    def test_new_items_do_not_rank_above_known_items(self, with_new_items: WithNewItems) -> None:
        """Items without train rows gain nothing from not being learned, unless the model ``knows_new_items``."""
        if self.knows_new_items:
            pytest.skip("the model uses item features")
        train, model = with_new_items
        share, most = share_above_known(model, train), highest_by_chance(N_NEW)
        assert share <= most, (
            f"an item without train rows has a higher score than a known item in {share:.0%} of pairs, by chance at "
            f"most {most:.0%}: draw such items as negatives too, or set knows_new_items = True"
        )

    def test_it_refuses_bad_values(self) -> None:
        """The constructor raises ``ValueError`` for each of ``bad_parameters``, and names the hyper-parameter."""
        model_class = self.model_class()
        if set(inspect.signature(model_class).parameters) and not self.bad_parameters:
            pytest.fail("the model has hyper-parameters: set bad_parameters to values that its constructor refuses")
        for bad in self.bad_parameters:
            with pytest.raises(ValueError, match=next(iter(bad))):
                model_class(**bad)


def assert_not_failed(check: Check) -> None:
    """Fails the test with the detail of the check, if it failed; a check that does not apply is no failure."""
    assert check.passed is not False, f"{check.name}: {check.detail}"


def _same(model: Recommender, other: Recommender, pairs: Pairs) -> bool:
    return np.array_equal(_scores(model, *pairs), other.score(*pairs))


def _scores(model: Recommender, users: Int32Array, items: Int32Array) -> FloatArray:
    """Returns a copy of the scores: a model may return the same array again, with the scores of the next call."""
    return np.array(model.score(users, items))
