"""A tuning: what it tries, what it learns from, how it ends, and how it goes on."""

import re
from dataclasses import replace

import pytest

from recbench.errors import RecbenchError
from recbench.records.schema import CurvePoint
from recbench.trials.events import Event, EventKind
from recbench.tuning.edges import at_edge
from recbench.tuning.objective import Objective, curve_epochs, longest, score_of
from recbench.tuning.past import Budget, End, PastTrial, best, best_scores, counts, joules_spent, spent
from recbench.tuning.result import model_tuning
from recbench.tuning.session import Session
from recbench.tuning.spaces import Choices, Known, ModelSpace, Range, check_names, own_spaces_path, read_spaces
from recbench.tuning.study import Study
from tests.examples import a_record
from tests.tuned_models import SPACE, a_study, known_model, tuned

LONG = Budget(12, 1000.0)


@pytest.fixture(scope="module")
def task(synthetic_task):
    return synthetic_task


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return known_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def whole(task, model, tmp_path_factory):
    """The trials of a tuning that nothing disturbed."""
    return tuned(task, tmp_path_factory.mktemp("whole"), LONG, model)


def same(past):
    """What must repeat itself."""
    return [(trial.end, trial.parameters, trial.score, trial.best_epochs, trial.epochs) for trial in past]


def test_every_fourth_trial_learns_nothing_from_the_scores(model, tmp_path):
    def drawn(name, sign):
        (tmp_path / name).mkdir()
        study = a_study(tmp_path / name, model)
        for number in range(17):
            trial = study.ask()
            parameters = dict(trial.params)
            score = sign * abs(parameters["good"] - 0.2)
            study.end(trial, PastTrial(number, End.COMPLETED, parameters, 1.0, score=score))
            yield parameters

    both = zip(drawn("a", 1), drawn("b", -1), strict=True)
    same = {number for number, (parameters, other_parameters) in enumerate(both) if parameters == other_parameters}
    assert {0, 1, 2, 4, 8, 12, 16} <= same
    # The others look where the scores are high.
    assert not {5, 6, 7} & same


def test_it_begins_with_the_defaults_finds_the_best_setting_and_its_best_epoch(whole):
    past = whole
    assert len(past) == LONG.trials
    assert past[0].parameters == {"good": 0.2, "epochs": 6}
    best_trial = best(past)
    assert abs(best_trial.parameters["good"] - 0.7) < 0.15
    assert best_trial.best_epochs == 3
    assert best_trial.score > past[0].score > past[0].last_score
    ended = counts(past)
    assert ended.pruned >= 2
    assert ended.completed + ended.pruned == ended.ended == LONG.trials
    pruned = [trial for trial in past if trial.end is End.PRUNED]
    assert all(0 < trial.epochs < trial.planned_epochs for trial in pruned)
    assert all(
        trial.saved_seconds == trial.seconds / trial.epochs * (trial.planned_epochs - trial.epochs) for trial in pruned
    )
    assert all(trial.saved_seconds == 0 for trial in past if trial.end is End.COMPLETED)


def test_other_programs_see_what_is_maximised(model, tmp_path):
    study = a_study(tmp_path, model)
    for name in ("ndcg@10", "ndcg@10", "full-recall@20"):
        study.name_objective(name)
        again = a_study(tmp_path, model)
        assert again.optuna.metric_names == [name]


def test_known_settings_come_after_the_defaults(task, model, tmp_path):
    known = Known(source="A paper", dataset="elsewhere", found_on=(), setting={"good": 0.7})
    past = tuned(task, tmp_path, Budget(3, 1000.0), model, a_study(tmp_path, model, known=[known]))
    assert [trial.parameters["good"] for trial in past[:2]] == [0.2, 0.7]
    assert past[1].parameters["epochs"] == 6
    assert past[2].parameters["good"] not in (0.2, 0.7)
    assert [trial.origin for trial in past] == ["default", "known", "drawn"]
    tuned_to = model_tuning(model, ModelSpace(SPACE, (known,)), past, LONG, seed=0, threads=1).tuned.provenance
    assert (tuned_to.origin, tuned_to.known_source, tuned_to.known_tried) == ("known", "A paper", ("A paper",))


def test_the_setting_says_where_it_comes_from(whole, model):
    past = whole
    result = model_tuning(model, ModelSpace(SPACE), past, LONG, seed=0, threads=1)
    best_trial, came = best(past), result.tuned.provenance
    # All parameters, also the two that were not searched.
    searched = {"good": best_trial.parameters["good"], "epochs": 3}
    assert result.tuned.parameters == {**model.parameters, **searched}
    assert model.parameters.keys() - searched.keys() == {"fails_above", "pretraining"}
    assert (came.validation_score, came.default_score) == (best_trial.score, past[0].last_score)
    assert (came.trials, came.budget_trials, came.budget_seconds) == (counts(past), 12, 1000.0)
    assert came.seconds == spent(past)
    assert came.code_version == model.code_version
    assert "numpy" in came.packages
    assert (came.origin, came.known_tried, came.equals_defaults) == ("drawn", (), False)
    assert came.best_scores == best_scores(past, 5)
    assert len(came.best_scores) == 5
    assert came.best_scores[0] == best_trial.score
    assert came.joules is None or came.joules > 0
    assert result.tuned.search_space["epochs"] == "{ low = 4, high = 10, integer = true }"


def test_defaults_that_win_equal_the_defaults_also_without_epochs_in_the_space(task, tmp_path):
    model, space = known_model(tmp_path, epochs="3"), {"good": SPACE["good"]}
    past = tuned(task, tmp_path, Budget(1, 1000.0), model, space=space)
    result = model_tuning(model, ModelSpace(space), past, LONG, seed=0, threads=1).tuned
    assert result.parameters == {**model.parameters, "good": 0.2, "epochs": 3}
    assert result.provenance.equals_defaults


def test_a_trial_with_a_drawn_value_is_not_that_of_the_defaults(task, model, tmp_path):
    space = {**SPACE, "fails_above": Choices(choices=(5.0, 7.0))}
    (first,) = tuned(task, tmp_path, Budget(1, 1000.0), model, space=space)
    assert (first.parameters["good"], first.origin) == (0.2, "drawn")


def test_killed_while_its_first_trials_are_queued_it_queues_the_rest(model, tmp_path):
    known = [Known(source="A", dataset="x", found_on=(), setting={"good": good}) for good in (0.5, 0.7)]
    study = a_study(tmp_path, model)
    trials = study.optuna.get_trials
    assert [trial.system_attrs["fixed_params"]["good"] for trial in trials()] == [0.2]
    for _ in range(2):
        study = a_study(tmp_path, model, known=known)
        assert [trial.system_attrs["fixed_params"]["good"] for trial in trials()] == [0.2, 0.5, 0.7]


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(task, whole, model, tmp_path):
    assert same(tuned(task, tmp_path, LONG, model)) == same(whole)
    (tmp_path / "other").mkdir()
    assert same(tuned(task, tmp_path / "other", Budget(3, 1000.0), model, seed=1)) != same(whole)[:3]


def test_a_trial_that_has_trained_to_its_end_is_not_cut_short(task, model, tmp_path):
    past = tuned(task, tmp_path, LONG, model, space={**SPACE, "epochs": Range(low=1, high=1, integer=True)})
    assert {trial.end for trial in past} == {End.COMPLETED}


def test_interrupted_it_tries_what_it_would_have_tried(task, whole, model, tmp_path):
    turns = iter([True] + [False] * 4 + [True] + [False] * 20)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tuned(task, tmp_path, LONG, model, interrupted=lambda: next(turns))
    # As if killed: begun, and never ended.
    left = a_study(tmp_path, model).ask()
    past = tuned(task, tmp_path, LONG, model)
    assert [trial.number for trial in past if trial.end is End.INTERRUPTED] == [0, 5, left.number]
    assert counts(past).interrupted == 3
    assert same(trial for trial in past if trial.end is not End.INTERRUPTED) == same(whole)
    assert [trial.origin for trial in past if trial.end is not End.INTERRUPTED] == [trial.origin for trial in whole]


def test_what_was_noted_of_a_killed_trial_counts(task, model, tmp_path):
    study = a_study(tmp_path, model)
    study.note_cost(study.ask(), 7.5, 300.0)
    past = a_study(tmp_path, model).past()
    assert (spent(past), joules_spent(past)) == (7.5, 300.0)
    assert tuned(task, tmp_path, Budget(5, 7.5), model) == a_study(tmp_path, model).past()


def test_a_larger_budget_goes_on(task, model, tmp_path):
    first = tuned(task, tmp_path, Budget(3, 1000.0), model)
    assert tuned(task, tmp_path, Budget(3, 1000.0), model) == first
    more = tuned(task, tmp_path, Budget(5, 1000.0), model)
    assert len(more) == 5
    assert more[:3] == first


def test_what_a_trial_needs_is_passed_on(model, tmp_path):
    events = []
    session = Session(a_study(tmp_path, model), model, 0, LONG, events.append)
    needs = Event(EventKind.MEMORY, trial=next(session.trials()), done=3, total=4)
    session.on_event(needs)
    assert events == [needs]


def test_failed_trials_count_and_their_reasons_are_kept(task, model, tmp_path):
    space = {**SPACE, "fails_above": Choices(choices=(0.5,))}
    past = tuned(task, tmp_path, LONG, model, space=space)
    ended = counts(past)
    assert ended.failed >= 2
    assert ended.completed >= 2
    assert ended.ended == LONG.trials
    for trial in past:
        assert (trial.end is End.FAILED) == (trial.parameters["good"] > 0.5)
        if trial.end is End.FAILED:
            reason = f"failed: RuntimeError: good is {trial.parameters['good']:.2f}"
            assert re.fullmatch(rf"{re.escape(reason)} \(known\.py, line \d+, in Known\.fit\)", trial.error)
            assert "Known" in trial.log
    assert best(past).parameters["good"] <= 0.5


def test_a_trial_ends_with_the_budget(task, model, tmp_path, monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr("recbench.tuning.running_trial.time.monotonic", lambda: float(next(clock)))
    past = tuned(task, tmp_path, Budget(12, 60.0), model)
    assert past[-1].end is End.OUT_OF_TIME
    assert counts(past).out_of_time == 1
    assert 60.0 <= spent(past) < 75.0
    assert model_tuning(model, ModelSpace(SPACE), past, Budget(12, 60.0), 0, 1).tuned.provenance.trials.out_of_time == 1


def test_without_a_completed_trial_there_is_no_setting(task, model, tmp_path):
    past = tuned(task, tmp_path, Budget(3, 1000.0), model, space={"fails_above": Choices(choices=(-2.0, -1.0))})
    assert counts(past).failed == 3
    assert best(past) is None
    assert model_tuning(model, ModelSpace(SPACE), past, LONG, 0, 1).tuned is None


def test_trials_of_another_identity_are_not_gone_on_with(task, model, tmp_path):
    tuned(task, tmp_path, Budget(1, 1000.0), model)
    changed = replace(model, code_version="sha256:changed")
    with pytest.raises(RecbenchError, match=f"source of the model was {model.code_version} and is sha256:changed"):
        a_study(tmp_path, changed)
    with pytest.raises(RecbenchError, match="trials of 'Known' .* task digest was sha256:0 and is sha256:1") as raised:
        a_study(tmp_path, model, **{"task digest": "sha256:1"})
    assert "--storage FILE" in raised.value.hint
    with pytest.raises(RecbenchError, match="metric was the default and is full-mrr"):
        a_study(tmp_path, model, metric="full-mrr")
    assert len(a_study(tmp_path, model).past()) == 1
    (tmp_path / "by-mrr").mkdir()
    a_study(tmp_path / "by-mrr", model, metric="mrr")
    with pytest.raises(RecbenchError, match="metric was mrr and is the default"):
        a_study(tmp_path / "by-mrr", model)


@pytest.mark.parametrize("content", [b"not a database at all, but some text" * 100, None])
def test_a_storage_that_is_none(tmp_path, content):
    path = tmp_path / "x.db"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(RecbenchError, match="x.db cannot be used as the storage of a tuning: "):
        Study(path, "m", {}, ModelSpace(SPACE), {}, 0, 1)


def a_curved_record(scores, trained, **parameters):
    points = tuple(
        CurvePoint(epoch=epoch, fit_seconds=float(epoch), metrics={"hr@10": 0.5, "ndcg@10": score})
        for epoch, score in scores.items()
    )
    return a_record("bpr", 0, ndcg=list(scores.values())[-1], curve=points, epochs=trained, parameters=parameters)


def curved_score(scores, trained, **parameters):
    return score_of(a_curved_record(scores, trained, **parameters), list(scores.values())[-1])


def test_the_best_epoch():
    finished = curved_score({2: 0.1, 4: 0.4, 6: 0.4, 8: 0.3}, 8, epochs=8)
    assert (finished.score, finished.last_score, finished.epochs) == (0.4, 0.3, 4)
    stopped = curved_score({2: 0.1, 3: 0.2}, 3, epochs=8)
    assert (stopped.score, stopped.epochs) == (0.2, 3)
    # Three of eight passes were a pre-training, in which the score was best.
    before = curved_score({2: 0.5, 4: 0.1, 6: 0.3, 8: 0.2}, 8, epochs=5)
    assert (before.score, before.epochs) == (0.3, 3)
    silent = curved_score({1: 0.5}, 1, epochs=30)
    assert (silent.score, silent.epochs) == (0.5, 30)
    without = curved_score({1: 0.5, 2: 0.1}, 2, factors=3)
    assert (without.score, without.epochs) == (0.1, None)


def test_an_earlier_epoch_of_a_sample_of_the_users_is_as_much_better_as_there():
    scores = {2: 0.4, 4: 0.25}
    points = [CurvePoint(epoch=n, fit_seconds=1.0, metrics={"recall@20": score}) for n, score in scores.items()]
    record = a_record("bpr", 0, curve=tuple(points), epochs=4, parameters={"epochs": 4})
    trial_score = score_of(record, 0.3, Objective.parse("full-recall@20"))
    assert (trial_score.score, trial_score.last_score, trial_score.epochs) == (pytest.approx(0.45), 0.3, 2)


def test_curves_have_the_same_points_in_all_trials():
    assert longest({"epochs": Range(low=20, high=150, integer=True)}, {"epochs": 50}) == 150
    assert longest({"epochs": Choices(choices=(3, 30))}, {"epochs": 50}) == 30
    assert longest({}, {"epochs": 50}) == 50
    assert longest({}, {"factors": 50}) == 1
    assert [epoch for epoch in range(1, 151) if epoch in curve_epochs(150)] == list(range(3, 151, 3))
    assert curve_epochs(1).every == curve_epochs(50).every == 1


def test_estimates_of_what_pruning_saved():
    trial = PastTrial(0, End.PRUNED, {}, 3.0, epochs=10, planned_epochs=40)
    assert trial.saved_seconds == 9.0
    assert replace(trial, planned_epochs=None).saved_seconds == 0.0


EDGES = {
    "rate": (Range(low=0.001, high=1.0, log=True), {0.0014: "low", 0.0015: None, 0.5: None, 0.71: "high"}),
    "width": (Range(low=0.0, high=10.0), {0.5: "low", 0.51: None, 9.4: None, 9.5: "high"}),
    "factors": (Range(low=16, high=256, log=True, integer=True), {8: "low", 16: "low", 19: None, 256: "high"}),
    "layers": (Range(low=1, high=4, integer=True), {1: None, 3: None, 4: "high"}),
    "share": (Range(low=0.0, high=1.0), {0.0: None, 0.94: None, 1.0: "high"}),
    "epochs": (Range(low=10, high=100, integer=True), {2: None, 10: None, 95: None, 96: "high"}),
    "fixed": (Range(low=3.0, high=3.0), {3.0: None}),
    "loss": (Choices(choices=("a", "b", "c")), {"a": None, "c": None}),
    "sizes": (Choices(choices=(64, 16, 32)), {16: "low", 32: None, 64: "high", 128: "high"}),
    "two": (Choices(choices=(16, 32)), {16: None, 32: None}),
    "mixed": (Choices(choices=(16, 32, "all")), {16: None, "all": None}),
    "flags": (Choices(choices=(True, False)), {True: None}),
}


@pytest.mark.parametrize("name", EDGES)
def test_values_at_an_edge_of_their_space(name):
    where, values = EDGES[name]
    for value, edge in values.items():
        assert at_edge({name: where, "other": Range(low=0, high=1)}, {name: value}) == ({name: edge} if edge else {})


BROKEN_SPACES = {
    "no TOML": ("[bpr", "is not valid TOML"),
    "a bound is missing": ("[bpr]\nfactors = { low = 1 }", "[bpr] factors: Field required"),
    "upside down": ("[bpr]\nfactors = { low = 9, high = 1 }", "[bpr] factors: low 9 is above high 1"),
    "log of 0": ("[bpr]\nx = { low = 0, high = 1, log = true }", "log = true needs a low above 0"),
    "half a number": ("[bpr]\nx = { low = 0.5, high = 2, integer = true }", "needs whole numbers"),
    "no choice": ("[bpr]\nx = { choices = [] }", "[bpr] x: Tuple should have at least 1 item"),
    "a choice twice": ('[bpr]\nx = { choices = ["a", "a"] }', "choices has the same value twice"),
    "an unknown word": ("[bpr]\nx = { low = 1, high = 2, step = 1 }", "[bpr] x: Extra inputs are not permitted"),
    "a known setting without a source": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsetting = { x = 1 }",
        "[[bpr.known]] source: Field required",
    ),
    "a known setting that does not say where it was found": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\ndataset = 'ml-1m'\nsetting = { x = 1 }",
        "[[bpr.known]] found_on: Field required",
    ),
    "a known setting that names no data": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\nfound_on = []\nsetting = { x = 1 }",
        "[[bpr.known]] dataset: Field required",
    ),
    "a known setting with half a digest": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\ndataset = 'ml-1m'\n"
        "found_on = ['sha256:d06a5d']\nsetting = { x = 1 }",
        "[[bpr.known]] found_on: String should match pattern",
    ),
    "a known setting of another name": (
        "[bpr]\nfactors = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\n"
        "dataset = 'x'\nfound_on = []\nsetting = { factor = 1 }",
        "'factor'. Did you mean: factors",
    ),
    "a known setting elsewhere": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\n"
        "dataset = 'x'\nfound_on = []\nsetting = { x = 3 }",
        "[[bpr.known]]: x = 3 is not in { low = 1.0, high = 2.0 }.",
    ),
    "a known setting from no data": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\ndataset = []\n"
        "found_on = []\nsetting = { x = 1 }",
        "[[bpr.known]] dataset",
    ),
    "a known setting from nameless data": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\ndataset = ' '\n"
        "found_on = []\nsetting = { x = 1 }",
        "[[bpr.known]] dataset",
    ),
    "a known setting without values": (
        "[bpr]\nx = { low = 1, high = 2 }\n[[bpr.known]]\nsource = 'A paper'\ndataset = 'x'\n"
        "found_on = []\nsetting = {}",
        "[[bpr.known]] setting",
    ),
    "known settings that are none": ("[bpr]\nknown = 3", "[[bpr.known]] : Input should be a valid tuple"),
    "no table": ("bpr = 3", "[bpr] : Input should be a valid dictionary"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN_SPACES.values(), ids=BROKEN_SPACES)
def test_broken_search_spaces(tmp_path, text, message):
    (tmp_path / "spaces.toml").write_text(text)
    with pytest.raises(RecbenchError, match=re.escape(message)):
        read_spaces(tmp_path / "spaces.toml")


def test_spaces_of_the_builtin_models_fit_them():
    """By their sources, for importing every framework takes long."""
    from recbench.registry.models import describe, known_models

    spaces = read_spaces(own_spaces_path())
    for name, reference in known_models().items():
        check_names(spaces[name].parameters if name in spaces else {}, name, describe(reference).parameters, "the file")
    with pytest.raises(RecbenchError, match="Unknown parameter of 'bpr' in x.toml 'factor'. Did you mean: factors"):
        check_names({"factor": Range(low=1, high=2)}, "bpr", {"factors": 3, "epochs": 2}, "x.toml")


def test_values_within():
    whole = Range(low=1, high=9, integer=True)
    assert [whole.holds(value) for value in (1, 9, 3.0, 3.5, 0, True, "3", None)] == [True] * 3 + [False] * 5
    assert Choices(choices=(True, 1.5, "a")).holds(True)
    assert not Choices(choices=(1, 0)).holds(True)
    texts = [values.text() for values in (whole, Range(low=1e-4, high=0.5, log=True), Choices(choices=("a", True, 2)))]
    assert texts == [
        "{ low = 1, high = 9, integer = true }",
        "{ low = 0.0001, high = 0.5, log = true }",
        '{ choices = ["a", true, 2] }',
    ]
