"""The behaviour of every model, written once. A model's own suite inherits it and says what is particular::

class TestMyModel(RecommenderContract):
    model = "my-model"
    parameters = {"epochs": 30}
"""

import inspect
from typing import Any, ClassVar

import numpy as np
import pytest

from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import Recommender, ScoreAll, TrainSet, WarmUp
from recbench.registry.models import find_model
from recbench.selftest import leaks, model_contract
from recbench.selftest.check import Check
from recbench.selftest.fits import StopsAtOnce, copies, fit
from recbench.selftest.questions import Questions
from recbench.tasks.task import Task
from recbench.trials.clock import TimedContext


def assert_passes(check: Check) -> None:
    assert check.passed, f"{check.name}: {check.detail}"


class RecommenderContract:
    """What every model must do, on a checkerboard whose right answer is known and on a synthetic task."""

    model: ClassVar[str]
    parameters: ClassVar[dict[str, Any]] = {}
    """Settings that learn the checkerboard in a second or so."""
    personalises: ClassVar[bool] = True
    """Whether it learns what a user wants, and so must beat popularity and chance."""
    uses_seed: ClassVar[bool] = True
    """Whether another seed makes another model."""
    n_epochs: ClassVar[int | None] = None
    """Passes over the train rows, if they are not the parameter ``epochs``."""
    bad_parameters: ClassVar[list[dict[str, Any]]] = []
    """Settings that the constructor must refuse."""

    @classmethod
    def create(cls) -> Recommender:
        return find_model(cls.model).load()(**cls.parameters)

    @classmethod
    def fitted(cls, train: TrainSet, seed: int = 0, warm: bool = False) -> Recommender:
        model = cls.create()
        context = TimedContext(seed, threads=1)
        if warm and isinstance(model, WarmUp):
            model.warm_up(train, context)
        model.fit(train, context)
        return model

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, board: Task) -> Recommender:
        return cls.fitted(board.train_set())

    @pytest.fixture
    def questions(self, board: Task) -> tuple[np.ndarray, np.ndarray]:
        return board.test.users, np.column_stack([board.test.items, board.test.negatives])

    @pytest.fixture
    def asked(self, board: Task) -> Questions:
        return Questions.from_cases(board.test, board.n_items)

    def test_every_hyper_parameter_has_a_default(self) -> None:
        assert_passes(model_contract.every_default(find_model(self.model).load()))
        find_model(self.model).load()()

    def test_scores_have_the_shape_of_the_items_and_are_finite(self, trained, questions, asked) -> None:
        assert_passes(leaks.form(trained, asked))
        users, items = questions
        # Columns of a larger array: not every library takes those.
        assert trained.score(users, items[:, :2]).shape == (len(users), 2)

    def test_one_seed_gives_the_same_scores_bit_for_bit(self, trained, questions, board) -> None:
        again = self.fitted(board.train_set())
        assert np.array_equal(trained.score(*questions), again.score(*questions))

    def test_warming_up_changes_nothing(self, trained, questions, board) -> None:
        warmed = self.fitted(board.train_set(), warm=True)
        assert np.array_equal(trained.score(*questions), warmed.score(*questions))

    def test_another_seed_gives_other_scores(self, trained, questions, board) -> None:
        other = self.fitted(board.train_set(), seed=1)
        assert np.array_equal(trained.score(*questions), other.score(*questions)) != self.uses_seed

    def test_scoring_twice_gives_the_same(self, trained, asked) -> None:
        assert_passes(leaks.scoring_twice(trained, asked))
        assert_passes(leaks.call_order(trained, asked))

    def test_scores_of_the_whole_catalogue_are_those_of_its_pairs(self, trained, board) -> None:
        if not isinstance(trained, ScoreAll):
            pytest.skip("has no score_all")
        users = np.array([5, 0, 5, board.n_users - 1], dtype=np.int32)
        items = np.tile(np.arange(board.n_items, dtype=np.int32), (len(users), 1))
        scores = trained.score_all(users)
        assert scores.shape == items.shape
        assert np.issubdtype(scores.dtype, np.floating)
        np.testing.assert_allclose(scores, trained.score(users, items), rtol=1e-5, atol=1e-5)
        assert users.tolist() == [5, 0, 5, board.n_users - 1]

    def test_other_candidates_do_not_matter(self, trained, asked) -> None:
        assert_passes(leaks.other_candidates(trained, asked))

    def test_being_asked_while_it_trains_changes_nothing(self, board, asked) -> None:
        first = fit(self.create, board.train_set(), TimedContext(0, 1), asked)
        other = fit(self.create, board.train_set(), TimedContext(0, 1), asked, asked_before=True)
        assert_passes(model_contract.asking_leaves_no_trace(first, other))

    def test_the_order_of_candidates_and_cases_does_not_matter(self, trained, questions, asked) -> None:
        assert_passes(leaks.candidate_order(trained, asked))
        assert_passes(leaks.batches(trained, asked))
        users, items = questions
        rng = np.random.default_rng(0)
        columns, rows = rng.permutation(items.shape[1]), rng.permutation(len(users))
        scores = trained.score(users, items)
        np.testing.assert_allclose(trained.score(users, items[:, columns]), scores[:, columns], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(trained.score(users[rows], items[rows]), scores[rows], rtol=1e-5, atol=1e-6)

    def test_it_leaves_its_inputs_alone(self, board, asked) -> None:
        train = board.train_set()
        before = copies(train)
        first = fit(self.create, train, TimedContext(0, 1), asked)
        assert_passes(model_contract.train_rows_untouched(train, before, first))
        assert_passes(leaks.arguments_of_score(first.trained(), asked))

    def test_it_ends_each_epoch_and_stops_when_told(self, board, asked) -> None:
        full = fit(self.create, board.train_set(), TimedContext(0, 1), asked)
        stopped = fit(self.create, board.train_set(), StopsAtOnce(0, 1), asked)
        assert model_contract.stops_when_told(full, stopped).passed is not False
        assert stopped.context.epochs == 1
        assert full.context.epochs == (self.n_epochs or self.parameters.get("epochs", 1))

    def test_it_answers_during_training_with_what_it_has_learned_so_far(self, board, questions) -> None:
        answers = []
        users, items = questions

        class Asks(TimedContext):
            def end_epoch(self, loss: float | None = None) -> bool:
                answers.append(model.score(*questions))
                if isinstance(model, ScoreAll):
                    of_all = np.take_along_axis(model.score_all(users), items, axis=1)
                    np.testing.assert_allclose(of_all, answers[-1], rtol=1e-5, atol=1e-5)
                return super().end_epoch(loss)

        model = self.create()
        model.fit(board.train_set(), Asks(0, 1))
        final = model.score(*questions)
        if answers:
            np.testing.assert_array_equal(answers[-1], final)
            assert len(answers) == 1 or not np.array_equal(answers[0], final)

    def test_it_learns_the_checkerboard(self, trained, board) -> None:
        hits = hit_rate(rank_cases(trained, board.test), 1).mean()
        if self.personalises:
            assert hits > 0.95
        else:
            chance = 1 / (1 + board.test.negatives.shape[1])
            assert hits < chance + 0.2

    def test_it_survives_users_with_everything_and_items_without_anyone(self) -> None:
        users = np.repeat(np.arange(3, dtype=np.int32), [6, 2, 3])
        items = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4], dtype=np.int32)
        full = TrainSet.from_rows(3, 6, users, items)
        with_cold = TrainSet.from_rows(4, 8, users.copy(), items.copy())
        for train in (full, with_cold):
            scores = self.fitted(train).score(
                np.arange(train.n_users, dtype=np.int32),
                np.tile(np.arange(train.n_items, dtype=np.int32), (train.n_users, 1)),
            )
            assert np.isfinite(scores).all()

    def test_it_refuses_bad_values(self) -> None:
        model_class = find_model(self.model).load()
        if set(inspect.signature(model_class).parameters) and not self.bad_parameters:
            pytest.fail("a model with hyper-parameters must say which values it refuses")
        for bad in self.bad_parameters:
            with pytest.raises(ValueError, match=next(iter(bad))):
                model_class(**bad)
