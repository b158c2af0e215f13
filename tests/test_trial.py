import json
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from recbench.records.schema import Record, Status
from recbench.registry.hyperparameters import configure
from recbench.registry.models import ModelReference, Origin
from recbench.selftest.fits import fit
from recbench.selftest.score_requests import ScoreRequest
from recbench.trials.clock import TimedContext
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.events import EventKind, ignore
from recbench.trials.trial import run_trial
from tests.busy_work import work


class Base:
    def __init__(self, epochs: int = 2):
        self.epochs = epochs

    def fit(self, train, context):
        for epoch in range(self.epochs):
            context.end_epoch(1.0 / (epoch + 1))

    def score(self, users, items):
        return np.zeros(items.shape)


def phases(events):
    return [event.name for event in events if event.kind is EventKind.PHASE]


def trial(board, model, notify=ignore, threads=1, curve=None):
    configuration = configure(ModelReference("toy", "toy:Toy", Origin.MODULE), model, {})
    return run_trial(board, configuration, 5, Conditions(threads, ks=(1, 10), curve=curve), notify)


def test_a_trial_leaves_a_whole_record(board):
    events = []
    outcome = trial(board, Base, events.append)
    record = outcome.record
    assert record.status is Status.DONE
    assert record.metrics["hr@10"].mean == pytest.approx(10 / 13)
    assert record.metrics["hr@1"].optimistic == 1
    assert record.ties_across_cut == {1: 1.0, 10: 1.0}
    assert (record.seed, record.epochs, record.loss, record.parameters) == (5, 2, 0.5, {"epochs": 2})
    assert (record.n_cases, record.n_users, record.n_train) == (48, 48, board.n_train)
    assert record.task.digest == board.digest
    assert record.interactions_per_second == pytest.approx(board.n_train * 2 / record.fit_seconds)
    assert record.repeatable is True
    assert 0 <= record.fit_cpu_seconds < 1
    assert record.environment.packages["numpy"] == np.__version__
    assert phases(events) == ["fit", "score"]
    assert [(e.epoch, e.loss) for e in events if e.kind is EventKind.EPOCH] == [(1, 1.0), (2, 0.5)]
    assert (outcome.ranks.candidates.tied == 12).all()
    assert trial(board, Base, threads=2).record.repeatable is None


class Generator(Base):
    def fit(self, train, context):
        yield


class Coroutine(Base):
    async def warm_up(self, train, context):
        pass


@pytest.mark.parametrize(
    ("model", "reason"), [(Generator, "fit() returned a generator"), (Coroutine, "warm_up() returned a coroutine")]
)
def test_a_method_that_has_not_run_is_a_failure(board, model, reason):
    record = trial(board, model).record
    assert record.status is Status.FAILED
    message = f"{reason} and has not run: write it without yield and async"
    assert message in record.error
    train, request = board.train_set(), ScoreRequest.from_cases(board.test, board.n_items)
    tested = fit(model, train, TimedContext(0, 1), request, warm_up_rows=train)
    assert message in str(tested.error)


def test_a_model_that_never_ends_an_epoch_counts_as_one_pass(board):
    class Quiet(Base):
        def fit(self, train, context):
            pass

    assert trial(board, Quiet).record.epochs == 1


def test_epochs_that_end_in_score_are_refused_and_make_the_throughput_doubtful(board):
    class After(Base):
        def fit(self, train, context):
            self.context = context
            context.end_epoch()

        def score(self, users, items):
            self.goes_on = [self.context.end_epoch() for _ in range(9)]
            return super().score(users, items)

    record = trial(board, After, curve=CurveEpochs.parse("all")).record
    assert (record.status, record.epochs) == (Status.DONE, 1)
    assert "called 18 times outside of training" in record.throughput_doubts[0]
    assert record.interactions_per_second == pytest.approx(board.n_train / record.fit_seconds)


def test_a_call_of_score_that_waits_does_not_train(board):
    class Waits(Base):
        def fit(self, train, context):
            context.end_epoch()

        def score(self, users, items):
            time.sleep(0.11)
            return super().score(users, items)

    record = trial(board, Waits).record
    assert record.longest_score_seconds >= 0.11
    assert record.throughput_doubts == ()


def test_training_in_score_makes_the_throughput_doubtful(board):
    class Lazy(Base):
        def fit(self, train, context):
            context.end_epoch()

        def score(self, users, items):
            work(0.11)
            return super().score(users, items)

    record = trial(board, Lazy).record
    assert "training in score() is not timed" in record.throughput_doubts[0]
    assert 0.11 <= record.first_score_seconds <= record.longest_score_seconds <= record.score_seconds
    assert record.near_ties_across_cut == {1: 0.0, 10: 0.0}
    # A record of before has none of these fields.
    new = ("fit_cpu_seconds", "first_score_seconds", "longest_score_seconds", "throughput_doubts",
           "near_ties_across_cut")  # fmt: skip
    older = {name: value for name, value in json.loads(record.to_json()).items() if name not in new}
    read = Record.model_validate(older)
    assert (read.fit_cpu_seconds, read.throughput_doubts, read.near_ties_across_cut) == (None, (), {})


def test_warming_up_is_not_fitting(board):
    class Warm(Base):
        def warm_up(self, train, context):
            context.end_epoch()
            self.warm = True

        def fit(self, train, context):
            assert self.warm
            context.end_epoch()

    events = []
    record = trial(board, Warm, events.append).record
    assert record.status is Status.DONE
    assert record.epochs == 1
    assert record.warm_up_seconds is not None
    assert phases(events) == ["warm-up", "fit", "score"]


def failing(**methods):
    return type("Failing", (Base,), methods)


def raises(*_):
    raise RuntimeError("no luck")


def closes(*_):
    raise GeneratorExit


@pytest.mark.parametrize(
    ("model", "error"),
    [
        (failing(fit=raises), "RuntimeError: no luck"),
        (failing(score=raises), "RuntimeError: no luck"),
        (failing(fit=lambda *_: sys.exit(7)), "SystemExit: 7"),
        (failing(fit=closes), "GeneratorExit"),
        (failing(score=lambda *_: next(iter([]))), "StopIteration"),
        (failing(score=lambda self, users, items: np.full(items.shape, np.nan)), "score() returned nan for case 0"),
        (failing(score=lambda self, users, items: np.zeros(3)), "score() returned the shape (3,)"),
        (failing(fit=lambda self, train, context: context.end_epoch(float("nan"))), "loss after epoch 1 is nan"),
        (failing(fit=lambda self, train, context: train.users.__setitem__(0, 1)), "read-only"),
    ],
)
def test_whatever_a_model_does_becomes_a_failed_record(board, model, error):
    outcome = trial(board, model)
    assert outcome.record.status is Status.FAILED
    assert error in outcome.record.error
    assert outcome.record.metrics == {}
    assert outcome.ranks is None
    assert "Traceback" in outcome.traceback


def test_a_loss_that_is_not_finite_ends_training_at_once(board):
    class Diverges(Base):
        def __init__(self, epochs: int = 9, learning_rate: float = 3.0):
            self.epochs = epochs

        def fit(self, train, context):
            for epoch in range(self.epochs):
                context.end_epoch(float("inf") if epoch == 1 else 0.5)

    record = trial(board, Diverges).record
    assert record.status is Status.FAILED
    assert record.epochs == 2
    assert "the training loss after epoch 2 is inf (learning_rate=3.0; try a lower one)" in record.error


def test_a_loss_that_is_not_finite_fails_the_trial_of_a_model_that_catches_the_error(board):
    class Catches(Base):
        def fit(self, train, context):
            with suppress(FloatingPointError):
                context.end_epoch(float("nan"))

    record = trial(board, Catches).record
    assert record.status is Status.FAILED
    assert record.error == "FloatingPointError: the training loss after epoch 1 is nan"


def test_an_interruption_is_passed_on(board):
    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trial(board, failing(fit=interrupted))


def test_the_clock_stands_still_while_the_harness_works():
    now = [0.0]

    def slow_observer(epoch, loss):
        now[0] += 100

    context = TimedContext(0, 1, slow_observer, clock=lambda: now[0])
    context.start()
    for _ in range(3):
        now[0] += 2
        assert context.end_epoch(0.25)
    now[0] += 1
    context.set_back(0.5)
    context.stop()
    now[0] += 50
    assert context.seconds == 6.5
    assert (context.epochs, context.loss) == (3, 0.25)


def test_a_learning_curve_is_taken_off_the_clock_and_ends_with_the_result(board):
    class Learns(Base):
        def fit(self, train, context):
            self.known = np.zeros(train.n_users, dtype=bool)
            for _ in range(4):
                self.known[np.flatnonzero(~self.known)[:10]] = True
                context.end_epoch()

        def score(self, users, items):
            right = (users % 2)[:, None] == items % 2
            return np.where(self.known[users][:, None], right, ~right).astype(float)

    record = trial(board, Learns, curve=CurveEpochs.parse("1,3")).record
    assert [point.epoch for point in record.curve] == [1, 3, 4]
    assert [round(point.metrics["hr@1"] * 48) for point in record.curve] == [10, 30, 40]
    assert record.curve[-1].metrics["hr@1"] == record.metrics["hr@1"].mean
    assert record.curve[-1].fit_seconds == record.fit_seconds
    assert 0 < record.curve[0].fit_seconds < record.curve[1].fit_seconds < record.fit_seconds


def test_a_model_that_cannot_answer_during_training_loses_its_curve_only(board):
    class Late(Base):
        def fit(self, train, context):
            context.end_epoch()
            self.ready = True

        def score(self, users, items):
            return np.zeros(items.shape) if self.ready else None

    record = trial(board, Late, curve=CurveEpochs.parse("all")).record
    assert record.status is Status.DONE
    assert record.curve_error == "after epoch 1: AttributeError: 'Late' object has no attribute 'ready'"
    assert len(record.curve) == 1


def test_what_a_model_reports_is_kept_also_when_it_fails(board):
    class Reports(Base):
        def fit(self, train, context):
            context.report(device="cpu", skipped_pairs=1)
            context.report(skipped_pairs=2)

    class Fails(Reports):
        def fit(self, train, context):
            super().fit(train, context)
            raise RuntimeError("no")

    for model in (Reports, Fails):
        assert trial(board, model).record.facts == {"device": "cpu", "skipped_pairs": 2}


def test_what_is_promised_of_repeating(board):
    class Promises(Base):
        repeatable_on_threads = True

    class OnGpu(Base):
        def fit(self, train, context):
            context.report(device="gpu")

    assert trial(board, Promises, threads=2).record.repeatable is True
    assert trial(board, Base, threads=2).record.repeatable is None
    assert trial(board, OnGpu).record.repeatable is None
