"""Models that are broken in one way each, and the check that must find and name it."""

import numpy as np
import pytest

from recbench.registry.models import ModelReference, Origin, find_model
from recbench.registry.requested import RequestedModel
from recbench.selftest.fits import NotApplicableError, not_repeatable
from recbench.selftest.model_contract import ModelUnderTest, model_contract
from tests.busy_work import work


class Good:
    """Random factors and a count: what follows is this, and one mistake."""

    def __init__(self, epochs: int = 3, factors: int = 4):
        self.epochs = epochs
        self.factors = factors

    def fit(self, train, context):
        rng = np.random.default_rng(context.seed)
        self.users = rng.normal(size=(train.n_users, self.factors))
        self.items = rng.normal(size=(train.n_items, self.factors))
        for _ in range(self.epochs):
            self.items += rng.normal(size=self.items.shape)
            if not context.end_epoch():
                break

    def score(self, users, items):
        return np.einsum("nf,ncf->nc", self.users[users], self.items[items])


class Popular(Good):
    """No chance at all, many ties, and no epochs."""

    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items).astype(np.float64)

    def score(self, users, items):
        return self.counts[items]


class Softmax(Good):
    def score(self, users, items):
        scores = np.exp(super().score(users, items))
        return scores / scores.sum(axis=1, keepdims=True)


class Standardised(Good):
    def score(self, users, items):
        scores = super().score(users, items)
        return (scores - scores.mean(axis=1, keepdims=True)) / (scores.std(axis=1, keepdims=True) + 1e-9)


class RanksOfTheRow(Good):
    def score(self, users, items):
        return super().score(users, items).argsort(axis=1).argsort(axis=1).astype(np.float64)


class KnowsThePopularOfTheRow(Good):
    """Only a little."""

    def score(self, users, items):
        return super().score(users, items) + 1e-3 * items.max(axis=1, keepdims=True)


class CentredOverTheCall(Good):
    def score(self, users, items):
        scores = super().score(users, items)
        return scores - scores.mean()


class KnowsTheFirstUser(Good):
    def score(self, users, items):
        return super().score(users, items) + 0.01 * users[0]


class BonusForAPlace(Good):
    def score(self, users, items):
        return super().score(users, items) + 0.01 * np.arange(items.shape[1])


class TiesByPlace(Popular):
    """Far below any tolerance, and yet it decides every tie."""

    def score(self, users, items):
        return super().score(users, items) - 1e-9 * np.arange(items.shape[1])


class NoisyScores(Good):
    def score(self, users, items):
        return super().score(users, items) + np.random.default_rng().normal(size=items.shape) * 1e-9


class CountsCalls(Good):
    calls = 0

    def score(self, users, items):
        self.calls += 1
        return super().score(users, items) + self.calls


class RemembersTheLastUsers(Good):
    """Two equal calls in a row give the same."""

    last = None

    def score(self, users, items):
        if self.last is None or not np.array_equal(self.last, users):
            self.bonus = 0.0 if self.last is None else float(self.last[0] + 1)
            self.last = users.copy()
        return super().score(users, items) + self.bonus


class LearnsAScaleFromItsFirstCall(Good):
    """All calls of one model agree; those of a model that was asked something else first are others."""

    scale = None

    def score(self, users, items):
        scores = super().score(users, items)
        if self.scale is None:
            self.scale = scores.std()
        return scores / self.scale


class DrawsFromTheGeneratorThatTrains(Good):
    """Being asked in training makes another model."""

    def fit(self, train, context):
        self.rng = np.random.default_rng(context.seed)
        self.users = self.rng.normal(size=(train.n_users, self.factors))
        self.items = np.zeros((train.n_items, self.factors))
        for _ in range(self.epochs):
            self.items += self.rng.normal(size=self.items.shape)
            if not context.end_epoch():
                break

    def score(self, users, items):
        self.rng.random()
        return super().score(users, items)


class ChanceWithoutTheSeed(Good):
    def fit(self, train, context):
        super().fit(train, context)
        self.users += np.random.default_rng().normal(size=self.users.shape) * 1e-12


class LearnsWhileItWarmsUp(Good):
    warmed = 0.0

    def warm_up(self, train, context):
        self.warmed = 1.0

    def score(self, users, items):
        return super().score(users, items) + self.warmed


class LearnsInWarmUpOnly(Good):
    """Right with the rows of the fit, and its training is not timed."""

    def warm_up(self, train, context):
        Good.fit(self, train, context)
        self.items[:, 0] += np.bincount(train.items, minlength=train.n_items)

    def fit(self, train, context):
        if not hasattr(self, "items"):
            self.warm_up(train, context)


class LearnsInScore(Popular):
    def fit(self, train, context):
        self.train = train

    def score(self, users, items):
        if not hasattr(self, "counts"):
            work(0.01)
            super().fit(self.train, None)
        return super().score(users, items)


class LetsAnotherObjectLearnInScore(Good):
    def fit(self, train, context):
        self.inner = LearnsInScore()
        self.inner.fit(train, context)

    def score(self, users, items):
        return self.inner.score(users, items)


class TakesLongToScoreFirst(Popular):
    worked = False

    def score(self, users, items):
        work(0 if self.worked else 0.15)
        self.worked = True
        return super().score(users, items)


class CountsTooManyEpochs(Good):
    def fit(self, train, context):
        super().fit(train, context)
        self.epochs -= context.end_epoch()


class ReportsNaN(Good):
    def fit(self, train, context):
        super().fit(train, context)
        context.report(device="cpu", best=float("nan"))


class ReportsAnArray(Good):
    def fit(self, train, context):
        super().fit(train, context)
        context.report(best=np.float32(0.5), history=np.arange(3))


class SortsItsItems(Good):
    def score(self, users, items):
        scores = super().score(users, items)
        items[:] = 0
        return scores


class Whole(Good):
    """The same scores, all items at once."""

    def score_all(self, users):
        return self.users[users] @ self.items.T


class ForgetsAFactorInTheWhole(Whole):
    def score_all(self, users):
        return self.users[users, 1:] @ self.items[:, 1:].T


class AnotherScaleForEachCall(Whole):
    """Right for one user, whatever the scale; not beside others."""

    def score_all(self, users):
        return super().score_all(users) / len(users)


class HidesTheSeen(Whole):
    def score_all(self, users):
        scores = super().score_all(users)
        scores[:, 0] = -np.inf
        return scores


class LacksAnItem(Whole):
    def score_all(self, users):
        return super().score_all(users)[:, 1:]


class ReturnsItsItems(Good):
    def fit(self, train, context):
        pass

    def score(self, users, items):
        return items.view(np.float32)


class WritesIntoTheTrainRows(Good):
    def fit(self, train, context):
        train.items[:] = 0


class ForcesItsWayIntoTheTrainRows(Good):
    def fit(self, train, context):
        super().fit(train, context)
        train.items.flags.writeable = True
        train.items[0] += 1


class MakesTheTrainRowsWriteable(Good):
    def fit(self, train, context):
        super().fit(train, context)
        train.indices.flags.writeable = True


class NotANumber(Good):
    def score(self, users, items):
        return np.where(items == items.max(), np.nan, super().score(users, items))


class Infinite(Good):
    def score(self, users, items):
        return np.where(items == items.max(), -np.inf, super().score(users, items))


class WholeNumbers(Good):
    def score(self, users, items):
        return super().score(users, items).astype(np.int64)


class OneScoreAUser(Good):
    def score(self, users, items):
        return super().score(users, items)[:, 0]


class NeverStops(Good):
    def fit(self, train, context):
        super().fit(train, context)
        for _ in range(self.epochs):
            context.end_epoch()


class NeedsAValue(Good):
    def __init__(self, factors: int, epochs: int = 3):
        super().__init__(epochs, factors)


class RaisesInFit(Good):
    def fit(self, train, context):
        raise MemoryError("no room")


class RaisesInScore(Good):
    def score(self, users, items):
        raise RuntimeError("no luck")


class Exits(Good):
    def fit(self, train, context):
        raise SystemExit(3)


OTHERS = "scores do not depend on the other candidates in the call"
ORDER = "scores do not depend on the order of candidates"
BATCH = "scores do not depend on the other cases in the call"
BEFORE = "scores do not depend on earlier calls"
TWICE = "scoring twice gives the same"
FORM = "scores have the shape of the items, and are floating-point and finite"
ARGUMENTS = "score() leaves its arguments alone"
WHOLE = "score_all() gives the scores of score()"
REPEATS = "two fits of one seed agree bit for bit"
ASKED = "scoring during training changes nothing"
PASSES = "calls of end_epoch() end passes over the train rows"
IN_FIT = "it trains in fit(), not in score()"
FACTS = "what it reports can be recorded"
WARM = "warming up changes nothing"
STOPS = "it stops when end_epoch() says so"
ROWS = "fit() leaves the train rows alone"

BROKEN = {
    ForgetsAFactorInTheWhole: ({WHOLE}, "from score_all()"),
    AnotherScaleForEachCall: ({WHOLE}, "from score_all()"),
    HidesTheSeen: ({WHOLE}, "-inf from score_all()"),
    LacksAnItem: ({WHOLE}, "score_all() returned the shape"),
    Softmax: ({OTHERS}, "when it is the only candidate"),
    Standardised: ({OTHERS}, "when it is the only candidate"),
    RanksOfTheRow: ({OTHERS, ORDER}, "when it is the only candidate"),
    KnowsThePopularOfTheRow: ({OTHERS}, "when it is the only candidate"),
    CentredOverTheCall: ({OTHERS, BATCH}, "in a call of its own"),
    KnowsTheFirstUser: ({BATCH}, "among cases in another order"),
    BonusForAPlace: ({ORDER}, "at another position"),
    TiesByPlace: ({ORDER}, "in the same direction for every user"),
    NoisyScores: ({TWICE, BEFORE, REPEATS}, "two calls with the same arguments"),
    CountsCalls: ({TWICE, OTHERS, ORDER, BATCH, BEFORE, ASKED}, "two calls with the same arguments"),
    RemembersTheLastUsers: ({BEFORE, ASKED, BATCH}, "the scores differ after a call for other users and items"),
    LearnsAScaleFromItsFirstCall: ({ASKED}, "scored other pairs during training, and before the others, differs"),
    DrawsFromTheGeneratorThatTrains: ({ASKED}, "scored other pairs during training, and before the others, differs"),
    ChanceWithoutTheSeed: ({REPEATS}, "two fits of one seed differ"),
    LearnsWhileItWarmsUp: ({"warming up changes nothing"}, "a fit after warm_up() differs from one without"),
    SortsItsItems: ({ARGUMENTS}, "score() writes into its argument items"),
    ReturnsItsItems: ({ARGUMENTS}, "score() returns its argument items"),
    WritesIntoTheTrainRows: ({"it learns from the train rows", ROWS}, "fit() writes into the train rows"),
    ForcesItsWayIntoTheTrainRows: ({ROWS}, "fit() writes into train.items"),
    MakesTheTrainRowsWriteable: ({ROWS}, "fit() makes train.indices writeable"),
    WholeNumbers: ({FORM}, "score() returned int64"),
    NeverStops: ({STOPS, PASSES}, "end_epoch() returned False after epoch 1, and training continued to epoch 4 of 6"),
    LearnsInWarmUpOnly: ({WARM}, "a fit after warm_up() differs"),
    LearnsInScore: ({IN_FIT}, "score() sets what the model has learned: fit() took 0.0000 s"),
    LetsAnotherObjectLearnInScore: ({IN_FIT}, "score() sets what the model has learned"),
    TakesLongToScoreFirst: ({IN_FIT}, "the first call of score() does more than fit()"),
    CountsTooManyEpochs: ({PASSES, STOPS}, "4 passes were counted, more than epochs=3"),
    ReportsNaN: ({FACTS}, "report(best=...): not kept: nan is not a finite number"),
    ReportsAnArray: ({FACTS}, "report(history=...): not kept: a ndarray"),
    RaisesInFit: ({"it learns from the train rows"}, "fit() raised MemoryError: no room"),
    Exits: ({"it learns from the train rows"}, "fit() raised SystemExit: 3"),
    NeedsAValue: ({"every hyper-parameter has a default"}, "no default: factors"),
}
"""Each model, all checks that it fails, and what one of these says."""


def contract(model, task, threads=1, **texts):
    reference = ModelReference(model.__name__, f"toy:{model.__name__}", Origin.MODULE)
    candidate = ModelUnderTest.load(RequestedModel(reference, texts))
    said = []
    return list(model_contract(candidate, task, threads, said.append)), said


@pytest.fixture(autouse=True)
def no_import(monkeypatch):
    """The models of this file are found here."""
    monkeypatch.setattr(ModelReference, "load", lambda self: globals()[self.name])


def failures(results):
    return {check.name: check.detail for check in results if check.passed is False}


@pytest.mark.parametrize("model", [Good, Popular, Whole])
@pytest.mark.parametrize("where", ["board", "synthetic_task"])
def test_a_model_without_a_mistake_passes(model, where, request):
    results, said = contract(model, request.getfixturevalue(where))
    assert failures(results) == {}
    skipped = {check.name for check in results if check.passed is None}
    of_popular = {WHOLE, "another seed makes another model", "it stops when end_epoch() says so"}
    others = {Good: {WHOLE}, Popular: of_popular, Whole: set()}[model]
    assert skipped == {"warming up changes nothing", "new items do not rank above known items"} | others
    assert said[0] == "fit"
    assert len(said) == 5


@pytest.mark.parametrize("model", BROKEN, ids=[model.__name__ for model in BROKEN])
def test_a_mistake_is_found_and_named(synthetic_task, model):
    names, detail = BROKEN[model]
    failed_checks = failures(contract(model, synthetic_task)[0])
    assert set(failed_checks) == names
    assert any(detail in text for text in failed_checks.values())


@pytest.mark.parametrize(("model", "value"), [(NotANumber, "nan"), (Infinite, "-inf")])
def test_scores_that_are_not_finite_are_named(synthetic_task, model, value):
    failed_checks = failures(contract(model, synthetic_task)[0])
    assert "are not finite; user index" in failed_checks[FORM]
    assert failed_checks[FORM].endswith(f"has {value}")


@pytest.mark.parametrize(
    ("model", "detail"),
    [(OneScoreAUser, "score() returned the shape (256,) for items of the shape (256, 1)"), (RaisesInScore, "no luck")],
)
def test_a_model_that_cannot_be_asked_fails_every_question_and_the_contract_goes_on(synthetic_task, model, detail):
    results, _ = contract(model, synthetic_task)
    failed_checks = failures(results)
    assert detail in failed_checks[FORM]
    assert {TWICE, OTHERS, ORDER, BATCH, BEFORE, ARGUMENTS, REPEATS} <= set(failed_checks) | {ARGUMENTS}
    assert len(results) == len(contract(Good, synthetic_task)[0])


def test_the_same_checks_are_listed_whatever_happens(synthetic_task):
    names = {check.name for check in contract(Good, synthetic_task)[0]}
    for model in (RaisesInFit, ChanceWithoutTheSeed, LearnsWhileItWarmsUp, NeedsAValue):
        assert {check.name for check in contract(model, synthetic_task)[0]} == names


def test_a_value_for_a_parameter_without_default_lets_the_other_checks_run(synthetic_task):
    results, _ = contract(NeedsAValue, synthetic_task, factors="2")
    assert list(failures(results)) == ["every hyper-parameter has a default"]
    assert sum(check.passed is True for check in results) > 10


def test_scores_of_any_size_are_judged_by_their_spread(synthetic_task):
    class Tiny(Softmax):
        def score(self, users, items):
            return super().score(users, items) * 1e-12

    class Huge(Good):
        def score(self, users, items):
            return super().score(users, items).astype(np.float32) * np.float32(1e12)

    class Offset(Softmax):
        def score(self, users, items):
            return super().score(users, items) + 1e6

    for model, expected in ((Tiny, [OTHERS]), (Huge, []), (Offset, [OTHERS])):
        globals()[model.__name__] = model
        assert list(failures(contract(model, synthetic_task)[0])) == expected


def test_threads_that_nobody_promised_for_are_not_judged(synthetic_task):
    results = {check.name: check for check in contract(Good, synthetic_task, threads=2)[0]}
    assert results[REPEATS].passed is None
    assert "does not promise to repeat itself with 2 threads" in results[ASKED].detail
    with pytest.raises(NotApplicableError):
        not_repeatable(Good, 2)
    not_repeatable(type("Promises", (Good,), {"repeatable_on_threads": True}), 2)
    not_repeatable(Good, 1)


def test_builtin_models_without_a_framework_pass(synthetic_task, monkeypatch):
    monkeypatch.undo()
    for name in ("popularity", "random"):
        tested = ModelUnderTest.load(RequestedModel(find_model(name)))
        results = list(model_contract(tested, synthetic_task, 1, lambda _: None))
        assert failures(results) == {}
