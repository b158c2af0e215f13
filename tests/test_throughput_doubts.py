"""Passes that no model can have made, and training that the clock does not see."""

import subprocess
import sys
import time
from contextlib import suppress
from types import SimpleNamespace

import psutil
import pytest

from recbench.trials.clock import MOST_PASSES_TIMED, TimedContext
from recbench.trials.throughput_doubts import throughput_doubts

N_TRAIN = 10_000


def fitted(*passes, threads=1, late=0):
    """The context of a fit whose passes took these seconds."""
    now = [0.0]
    context = TimedContext(0, threads, clock=lambda: now[0])
    context.start()
    for seconds in passes:
        now[0] += seconds
        assert context.end_epoch()
    context.finish()
    for _ in range(late):
        assert context.end_epoch() is False
    return context


def doubts(context, parameters=None, score=0.0, **attributes):
    return throughput_doubts(context, SimpleNamespace(**attributes), parameters or {}, N_TRAIN, score)


@pytest.mark.parametrize(
    ("passes", "values"),
    [
        ((), {}),
        ((0.0,), {}),
        ([0.1] * 20, {}),
        ([0.1] * 20, {"epochs": 20}),
        ([0.1] * 7, {"epochs": 20}),
        ([3.0, *[0.1] * 49], {}),
        ([30.0, *[0.1] * 99], {"epochs": 100}),
        ([0.1] * 17, {"pretraining_epochs": 8, "epochs": 1}),
        ([0.1] * 20, {"epochs": -1, "batch_size": 3, "warmup_epochs": 2, "early_stopping_epochs": 3, "n_iter": True}),
    ],
)
def test_honest_passes_are_believed(passes, values):
    assert doubts(fitted(*passes), parameters=values) == []
    assert doubts(fitted(*passes), **values) == []


@pytest.mark.parametrize(
    ("passes", "values", "reason"),
    [
        ([0.2, *[3e-7] * 999], {}, "999 of 1,000 passes over 10,000 train rows took less than 2 µs each"),
        ([0.2, *[3e-7] * 999], {"epochs": 1000}, "999 of 1,000 passes"),
        ([0.1, 3e-7] * 5, {}, "5 of 10 passes"),
        ([0.3, *[1e-4] * 99], {}, "the longest of 100 passes took 0.3 s, half of them less than 0.0001 s"),
        ([0.1] * 4, {"epochs": 3}, "4 passes were counted, more than epochs=3"),
        ([0.1] * 4, {"max_iter": 3}, "more than max_iter=3"),
        ([0.1] * 4, {"_n_epochs": 2}, "more than _n_epochs=2"),
        ([0.1] * 9, {"epochs": 2, "pretraining_epochs": 2}, "more than epochs=2, pretraining_epochs=2"),
    ],
)
def test_passes_that_cannot_be_are_doubted(passes, values, reason):
    for reasons in (doubts(fitted(*passes), parameters=values), doubts(fitted(*passes), **values)):
        assert len(reasons) == 1
        assert reason in reasons[0]


def test_many_rows_or_threads_change_what_a_pass_may_take():
    context = fitted(*[1e-3] * 5)
    model = SimpleNamespace()
    assert throughput_doubts(context, model, {}, 9_000_000) == []
    assert "took less than 1.1e+03 µs" in throughput_doubts(context, model, {}, 11_000_000)[0]
    assert throughput_doubts(fitted(*[1e-3] * 5, threads=2), model, {}, 11_000_000) == []


def test_a_hyper_parameter_counts_before_an_attribute():
    assert doubts(fitted(*[0.1] * 4), {"epochs": 4}, iterations=2) == []


def test_a_loss_that_is_computed_only_when_it_becomes_a_number_counts():
    class Lazy:
        def __float__(self):
            now[0] += 5.0
            return 0.5

    now = [0.0]
    context = TimedContext(0, 1, clock=lambda: now[0])
    context.start()
    now[0] += 1.0
    context.end_epoch(Lazy())
    context.finish()
    assert (context.seconds, context.loss) == (6.0, 0.5)


@pytest.mark.parametrize("loss", [float("nan"), "no number"])
def test_the_clock_runs_on_after_an_error_that_the_model_catches(loss):
    now = [0.0]
    context = TimedContext(0, 1, clock=lambda: now[0])
    context.start()
    now[0] += 1.0
    with pytest.raises((FloatingPointError, ValueError)):
        context.end_epoch(loss)
    now[0] += 3.0
    assert context.seconds == 4.0
    assert context.loss is None


def test_a_model_that_catches_the_error_of_its_loss_fails_all_the_same():
    context = TimedContext(0, 1)
    context.start()
    with suppress(FloatingPointError):
        context.end_epoch(float("inf"))
    context.end_epoch(0.5)
    with pytest.raises(FloatingPointError, match="the training loss after epoch 1 is inf"):
        context.finish()


def test_the_first_loss_that_is_not_finite_is_the_error_of_the_trial():
    context = TimedContext(0, 1)
    context.start()
    for loss in (0.5, float("inf"), float("nan")):
        with suppress(FloatingPointError):
            context.end_epoch(loss)
    with pytest.raises(FloatingPointError, match="the training loss after epoch 2 is inf"):
        context.finish()


def test_the_clock_runs_on_after_an_error_of_the_observer():
    def fails(epoch, loss):
        now[0] += 100.0
        raise OSError("no space")

    now = [0.0]
    context = TimedContext(0, 1, on_epoch=fails, clock=lambda: now[0])
    context.start()
    for _ in range(2):
        now[0] += 1.0
        with pytest.raises(OSError, match="no space"):
            context.end_epoch()
    now[0] += 3.0
    assert (context.seconds, context.epochs) == (5.0, 2)


def test_epochs_that_end_after_fit_do_not_count():
    context = fitted(0.1, 0.1, late=998)
    assert context.epochs == 2
    (reason,) = doubts(context)
    assert "end_epoch() was called 998 times outside of training" in reason


def test_epochs_that_end_while_the_model_is_scored_do_not_count():
    def scores(epoch, loss):
        assert context.end_epoch() is False

    context = TimedContext(0, 1, on_epoch=scores)
    assert context.end_epoch()
    assert context.end_epoch()
    assert (context.epochs, context.refused) == (2, 2)


@pytest.mark.parametrize(
    ("fit", "score", "doubted"), [(0.01, 0.09, False), (0.01, 0.3, True), (1.0, 1.9, False), (1.0, 2.1, True)]
)
def test_a_long_call_of_score_is_doubted(fit, score, doubted):
    reasons = doubts(fitted(fit), score=score)
    message = f"a call of score() took {score:.2f} s and fit() {fit:.4f} s"
    assert [message in reason for reason in reasons] == [True] * doubted


def test_a_model_that_hides_its_attributes_is_no_obstacle():
    class Hidden:
        @property
        def __dict__(self):
            raise RuntimeError("no")

    strange = SimpleNamespace()
    vars(strange)[7] = 1
    for model in (Hidden(), strange):
        assert throughput_doubts(fitted(*[0.1] * 4), model, {}, N_TRAIN) == []


def test_the_times_of_passes_take_no_memory_without_end():
    assert len(fitted(*[0.1] * (MOST_PASSES_TIMED + 5)).pass_seconds) == MOST_PASSES_TIMED


BUSY = "import time\nwhile time.process_time() < 0.1: pass\n"


def test_cpu_seconds_are_those_of_the_process_and_of_its_children_while_the_clock_runs():
    context = TimedContext(0, 1)
    context.start()
    time.sleep(0.05)
    context.stop()
    assert context.cpu_seconds < 0.04
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert context.cpu_seconds < 0.04
    context.start()
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    with subprocess.Popen([sys.executable, "-c", BUSY + "input()"], stdin=subprocess.PIPE) as running:
        before = context.cpu_seconds
        assert 0.1 <= before < 1
        child = psutil.Process(running.pid)
        while child.cpu_times().user + child.cpu_times().system < 0.05:
            time.sleep(0.01)
        context.finish()
        assert context.cpu_seconds >= before + 0.05
        running.communicate(b"\n")


ON_DEMAND = """
import sys, time
for line in sys.stdin:
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    print(flush=True)
"""


def test_a_child_that_works_while_the_clock_stands_still_counts_only_with_its_other_work():
    with subprocess.Popen(
        [sys.executable, "-c", ON_DEMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:

        def works(*_):
            child.stdin.write("\n")
            child.stdout.readline()

        works()
        context = TimedContext(0, 1, on_epoch=works)
        context.start()
        for _ in range(3):
            works()
            assert context.end_epoch()
        works()
        context.finish()
        child.communicate("")
    assert 0.7 < context.cpu_seconds < 1.0
