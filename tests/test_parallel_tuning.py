"""A tuning whose trials run several at a time: what it tries, how it ends, and how it goes on."""

import pytest

from recbench.registry.models import find_model
from recbench.registry.requested import RequestedModel
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.tuning.past import Budget, End, best, counts, spent
from recbench.tuning.running_trial import RunningTrial
from recbench.tuning.study import STARTUP_TRIALS
from tests.tuned_models import a_study, known_model, tuned

LONG = Budget(14, 1000.0)


@pytest.fixture(scope="module")
def task(synthetic_task):
    return synthetic_task


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return known_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def one_at_a_time(task, model, tmp_path_factory):
    return tuned(task, tmp_path_factory.mktemp("whole"), LONG, model)


def parameters(past):
    return [trial.parameters for trial in sorted(past, key=lambda trial: trial.number)]


def finished(past):
    return [trial for trial in past if trial.end is not End.INTERRUPTED]


@pytest.mark.parametrize("at_a_time", [2, 5])
def test_it_draws_the_trials_of_one_at_a_time_and_never_one_twice(task, model, one_at_a_time, tmp_path, at_a_time):
    past = tuned(task, tmp_path, LONG, model, at_a_time=at_a_time)
    assert parameters(past)[:STARTUP_TRIALS] == parameters(one_at_a_time)[:STARTUP_TRIALS]
    assert len({configuration["good"] for configuration in parameters(past)}) == LONG.trials
    ended = counts(past)
    assert ended.completed + ended.pruned == ended.ended == LONG.trials
    assert ended.pruned >= 1
    assert abs(best(past).parameters["good"] - 0.7) < 0.15


def test_all_running_trials_end_with_the_budget(task, model, tmp_path, monkeypatch):
    clock = iter(range(100_000))
    monkeypatch.setattr("recbench.tuning.running_trial.time.monotonic", lambda: float(next(clock)))
    past = tuned(task, tmp_path, Budget(50, 2000.0), model, at_a_time=3)
    # One of the three may just have ended.
    assert counts(past).out_of_time in (2, 3)
    assert {trial.end for trial in past if trial.number >= len(past) - 2} == {End.OUT_OF_TIME}
    assert counts(past).completed >= 1
    # The clock of this test goes on whenever it is looked at.
    assert 2000.0 <= spent(past) < 2050.0


def test_interrupted_all_running_trials_are_tried_again(task, model, one_at_a_time, tmp_path):
    for after in (5, 42):
        turns = iter([False] * after + [True])
        with pytest.raises(KeyboardInterrupt):
            tuned(task, tmp_path, LONG, model, interrupted=lambda turns=turns: next(turns), at_a_time=3)
    past = tuned(task, tmp_path, LONG, model, at_a_time=3)
    interrupted = [trial for trial in past if trial.end is End.INTERRUPTED]
    assert len(interrupted) == 6
    assert counts(past).ended == LONG.trials
    tried = parameters(finished(past))
    assert all(trial.parameters in tried for trial in interrupted)
    assert all(configuration in tried for configuration in parameters(one_at_a_time)[:STARTUP_TRIALS])


def test_what_was_left_running_by_a_killed_tuning_is_tried_again(task, model, tmp_path):
    left = a_study(tmp_path, model)
    first, second = left.ask(), left.ask()
    past = tuned(task, tmp_path, Budget(2, 1000.0), model)
    assert [trial.end for trial in past[:2]] == [End.INTERRUPTED] * 2
    assert parameters(finished(past)) == [first.params, second.params]


@pytest.mark.filterwarnings("error")
def test_a_trial_whose_worker_is_lost_is_one_trial(task, model, tmp_path):
    """Optuna warns of a score that it is told twice."""
    whole = tuned(task, tmp_path, LONG, model, at_a_time=2)
    (tmp_path / "lost").mkdir()
    past = tuned(task, tmp_path / "lost", Budget(4, 1000.0), model, at_a_time=2, lost=[1, 2])
    assert [(trial.parameters, trial.end, trial.score) for trial in sorted(past, key=lambda trial: trial.number)] == [
        (trial.parameters, trial.end, trial.score) for trial in sorted(whole, key=lambda trial: trial.number)[:4]
    ]


def test_seconds_of_lost_workers_count_and_the_time_until_the_next_does_not(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("recbench.tuning.running_trial.time.monotonic", lambda: now[0])
    running = RunningTrial(None, PlannedTrial(PlannedModel(RequestedModel(find_model("bpr")), {}, None), 0))

    def later(seconds):
        now[0] += seconds

    later(1)
    assert running.seconds == 0.0
    running.start_clock()
    later(2)
    running.start_clock()
    running.stop_clock()
    later(10)
    running.start_clock()
    later(3)
    assert running.seconds == 5.0
