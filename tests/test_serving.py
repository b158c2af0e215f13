"""Trained models in use: latency, users per second, size and memory; in the same way for every model."""

import csv
import io
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.score_arrays import score_array
from recbench.evaluation.top_items import top_items
from recbench.foreign import serving_loop
from recbench.foreign.connection import Connection
from recbench.foreign.proxy import ForeignModel
from recbench.records import store
from recbench.records.ranks_file import ranks_to_bytes
from recbench.records.replacement import combined
from recbench.records.schema import Record, Status
from recbench.registry.hyperparameters import configure, import_and_configure
from recbench.registry.models import ModelReference, Origin
from recbench.registry.observation import Observation
from recbench.registry.requested import request_models
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.document import compare_document, gate_document
from recbench.reports.compare.gate import GateOutcome, gate
from recbench.reports.compare.gate_lines import details_lines
from recbench.reports.compare.junit import junit_xml
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import compare_table
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import Format
from recbench.reports.html.section import task_section
from recbench.reports.pages.figure_tables import cost_columns
from recbench.reports.run.cost_table import cost_table
from recbench.reports.run.document import run_document
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.view import View
from recbench.trials.conditions import Conditions
from recbench.trials.events import EventKind, ignore
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.trials.resume import find
from recbench.trials.serving import MOST_USERS, served_users
from recbench.trials.serving_plan import ServingPlan
from recbench.trials.trial import run_trial, trial_outcomes
from tests.examples import ENVIRONMENT, TASK, a_set, a_trial, some_serving, some_trials

QUICK = ServingPlan(requests=5, seconds=0.0, warm_up=1, batch_seconds=0.0)


def configured(model):
    (requested,) = request_models([model])
    return import_and_configure(requested, Observation())


def trial(task, configuration, notify=ignore, **conditions):
    return run_trial(task, configuration, 1, Conditions(**conditions), notify)


def own(model):
    return configure(ModelReference("toy", "toy:Toy", Origin.MODULE), model, {})


class Matrix:
    """Scores from a matrix, with or without ``score_all``."""

    def __init__(self, scores):
        self.scores = np.asarray(scores)
        self.asked = []

    def score(self, users, items):
        self.asked.append(users)
        return self.scores[users[:, None], items]


class WithAll(Matrix):
    def score_all(self, users):
        self.asked.append(users)
        return self.scores[users]


def rows(*of_user, n_items=6):
    return SimpleNamespace(
        n_items=n_items,
        indptr=np.cumsum([0, *map(len, of_user)]),
        indices=np.array([item for items in of_user for item in items], dtype=np.int32),
    )


def test_a_request_gives_the_best_items_without_those_of_the_train_rows(monkeypatch):
    scores = np.arange(12.0).reshape(2, 6)
    train, users = rows([5, 4], [0, 1, 2, 3, 4, 5]), np.array([0, 1], dtype=np.int32)
    given = []

    def best(unseen_scores, k):
        given.append((unseen_scores.copy(), k))
        return top_items(unseen_scores, k)

    for model in (Matrix(scores), WithAll(scores)):
        given.clear()
        assert serving_loop.Requests(model, train, 3, best, score_array).seconds_of(users) > 0
        # The second user has all items in the train rows: the list is empty.
        assert [k for _, k in given] == [3]
        assert top_items(*given[0]).tolist() == [3, 2, 1]
        assert (model.scores == scores.reshape(2, 6)).all()
    # Batches beyond the limit of cells are asked in parts, and many items in tiles.
    monkeypatch.setattr(serving_loop, "CELLS_AT_ONCE", 6)
    monkeypatch.setattr(serving_loop, "TILE_CELLS_AT_ONCE", 4)
    for model, calls in ((WithAll(scores), 2), (Matrix(scores), 4)):
        serving_loop.Requests(model, train, 3, top_items, score_array).seconds_of(users)
        assert len(model.asked) == calls


def test_a_model_may_return_the_same_array_for_several_tiles(monkeypatch):
    class Reuses(Matrix):
        answer = np.empty((1, 3))

        def score(self, users, items):
            self.answer[:] = self.scores[users[:, None], items]
            return self.answer

    given = []

    def best(unseen_scores, k):
        given.append(unseen_scores.tolist())
        return top_items(unseen_scores, k)

    monkeypatch.setattr(serving_loop, "TILE_CELLS_AT_ONCE", 3)
    model = Reuses(np.array([[5.0, 1.0, 3.0, 0.0, 4.0, 2.0]]))
    serving_loop.Requests(model, rows([3]), 3, best, score_array).seconds_of(np.array([0], dtype=np.int32))
    assert given == [[5.0, 1.0, 3.0, -np.inf, 4.0, 2.0]]


def requests_of(model):
    return serving_loop.Requests(model, rows([0], [1]), 3, top_items, score_array)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.full((2, 6), np.nan), "not a number"),
        (np.full((2, 6), np.inf), "not finite"),
        (np.ones((2, 5)), "shape"),
        (np.ones((2, 6), dtype=int), "int64"),
        (np.ma.masked_equal(np.arange(12.0).reshape(2, 6), 3.0), "1 masked; each pair"),
    ],
)
def test_scores_that_cannot_be_ranked_are_refused(scores, message):
    model = WithAll(scores)
    # Not through np.asarray, which drops a mask.
    model.scores = scores
    with pytest.raises(ValueError, match=message):
        requests_of(model).seconds_of(np.array([0], dtype=np.int32))


def test_scores_of_types_that_numpy_does_not_have_are_taken():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    assert requests_of(WithAll(np.ones((2, 6), dtype=bfloat16))).seconds_of(np.array([0], dtype=np.int32)) > 0


def test_what_is_timed_and_counted(monkeypatch):
    """With a clock of calls: a request takes 1 s by it, and 0.25 s of CPU time."""
    asked = []

    class Timed(serving_loop.Requests):
        def seconds_of(self, users):
            asked.append(users.tolist())
            clock.now += 1.0
            return 0.1 if users[0] < 10 else 0.2

    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(serving_loop, "Requests", Timed)
    monkeypatch.setattr(serving_loop.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(serving_loop.time, "process_time", lambda: clock.now / 4)
    users = {"short": np.array([1, 2]), "long": np.array([11, 12]), "users": np.array([1, 2, 3])}
    plan = {"k": 3, "requests": 2, "seconds": 7.0, "warm_up": 2, "batch_seconds": 0.25, "batches": (2,)}
    measured = serving_loop.measure(Matrix(np.ones((20, 6))), rows([0]), plan | users, top_items, score_array)
    # The first one; two of each group to warm up; 8 s of requests by turns; a batch to warm up, and 0.3 s of batches.
    warm, timed = [[1], [11], [2], [12]], [[1], [11], [2], [12]] * 2
    assert asked == [[11], *warm, *timed, [1, 2], [3, 1], [2, 3], [1, 2]]
    assert (measured["first"], measured["n_requests"], measured["cpu_per_request"]) == (0.2, 4, 0.25)
    assert measured["percentiles"] == {"short": pytest.approx([0.1] * 3), "long": pytest.approx([0.2] * 3)}
    assert measured["users_per_second"] == {2: pytest.approx(20.0)}


def test_the_size_of_a_model():
    model = WithAll(np.zeros((10, 10)))
    size, of = serving_loop._size(model)
    assert of == "pickle"
    assert 800 < size < 2000
    model.parts = [{"a": np.zeros(5), "again": model.scores}, lambda: None]
    assert serving_loop._size(model) == (800 + 40, "arrays")
    model.scores = model.parts = None
    model.function = lambda: None
    assert serving_loop._size(model) == (None, "arrays")


def test_users_with_a_short_and_a_long_history():
    train = SimpleNamespace(indptr=np.cumsum([0, 0, *range(1, 101)]))
    users = served_users(train)
    # User 0 has no train row; user n has n rows.
    assert (set(users.short.tolist()), set(users.long.tolist())) == (set(range(1, 11)), set(range(91, 101)))
    assert len(users.short) == len(users.batch) == MOST_USERS
    assert users.batch.dtype == np.int32
    assert users.batch.min() > 0
    assert (served_users(train).batch == users.batch).all()
    same = served_users(SimpleNamespace(indptr=np.array([0, 3])))
    assert set(same.short.tolist()) == set(same.long.tolist()) == {0}


def test_nothing_else_of_a_trial_changes(synthetic_task, tmp_path):
    phases = []
    plain = trial(synthetic_task, configured("itemknn"), catalogue=True)
    served = trial(
        synthetic_task,
        configured("itemknn"),
        lambda event: phases.append(event.name) if event.kind is EventKind.PHASE else None,
        catalogue=True,
        serving=QUICK,
    )
    assert phases[-2:] == ["full", "serving"]
    assert ranks_to_bytes(plain.ranks) == ranks_to_bytes(served.ranks)
    for name in ("metrics", "facts", "code_version", "epochs", "cohorts", "corrected", "parameters"):
        assert getattr(plain.record, name) == getattr(served.record, name), name
    assert plain.record.catalogue.metrics == served.record.catalogue.metrics
    assert plain.record.stem() == served.record.stem()
    # Records without such figures are those of older versions.
    assert not {"serving", "serving_error", "energy", "gpu_use"} & set(json.loads(plain.record.to_json()))
    assert Record.model_validate_json(served.record.to_json()) == served.record
    serving = served.record.serving
    assert serving.short.n_requests == serving.long.n_requests >= QUICK.requests
    assert 0 < serving.short.p50_ms <= serving.short.p95_ms <= serving.short.p99_ms
    assert serving.short.most_rows < serving.long.fewest_rows
    assert set(serving.users_per_second) == {1, 32, 1024}
    assert serving.size_of == "pickle"
    assert serving.size_bytes > 10_000
    assert serving.first_request_ms > 0
    assert serving.cpu_ms > 0
    if sys.platform == "linux":
        assert serving.memory_bytes is not None
    assert plain.record.process_peak_rss_bytes <= served.record.process_peak_rss_bytes


def test_a_foreign_model_is_measured_in_its_own_process(synthetic_task, monkeypatch):
    asked = []
    request = Connection.request

    def counted(self, kind, *arguments, **options):
        asked.append(kind)
        return request(self, kind, *arguments, **options)

    monkeypatch.setattr(Connection, "request", counted)
    configuration = configured(f"popularity@{sys.executable}")
    outcome = trial(synthetic_task, configuration, serving=QUICK)
    assert asked[-1] == "serve"
    assert asked.count("serve") == 1
    assert outcome.record.serving.size_bytes > 0
    honest = ForeignModel.serve
    changes = (
        {"seconds": 1e6},
        {"first": -1.0},
        {"percentiles": {"short": [0.0]}},
        {"users_per_second": {"1": 0.0}},
        {"more": 1},
    )
    for change in changes:
        monkeypatch.setattr(ForeignModel, "serve", lambda *given, change=change: {**honest(*given), **change})
        record = trial(synthetic_task, configuration, serving=QUICK).record
        assert (record.status, record.serving) == (Status.DONE, None)
        assert record.serving_error
    configuration.model_class.connection.close()


class Fails:
    def fit(self, train, context):
        self.n_items = train.n_items

    def score(self, users, items):
        return np.zeros(items.shape)

    def score_all(self, users):
        raise RuntimeError("no list for anyone")


def test_a_model_that_fails_in_use_keeps_its_ranks(board):
    first, last = trial_outcomes(board, own(Fails), 0, Conditions(serving=QUICK), ignore)
    assert not first.is_final
    assert first.record.serving_error is None
    assert (last.record.status, last.record.serving) == (Status.DONE, None)
    assert "no list for anyone" in last.record.serving_error
    assert ranks_to_bytes(last.ranks) == ranks_to_bytes(first.ranks)


def test_a_record_without_figures_in_use_is_not_enough(board, tmp_path):
    configuration = configured("popularity")
    planned = PlannedTrial(
        PlannedModel(request_models(["popularity"])[0], configuration.parameters, configuration.code_version), 1
    )

    def kept(**conditions):
        return find(planned, board, Conditions(**conditions), tmp_path)

    def make(**conditions):
        outcome = trial(board, configuration, **conditions)
        return store.save(
            outcome.record, outcome.ranks, tmp_path, lambda before, new: combined(before, new, lambda _: True)
        )

    make()
    assert kept() is not None
    assert kept(serving=QUICK) is None
    make(serving=QUICK)
    assert kept(serving=QUICK).record.serving is not None
    assert kept(serving=replace(QUICK, requests=6)) is None
    assert kept(serving=replace(QUICK, seconds=1.0)) is None
    assert kept().record.serving is None
    # Times of another machine are not those of the new record.
    before = kept(serving=QUICK)
    for environment, stays in ((before.record.environment, True), (ENVIRONMENT, False)):
        changes = {"environment": environment, "serving": None}
        new = replace(before, record=before.record.model_copy(update=changes))
        merged = combined(before, new, lambda _: True)
        assert (merged is None or merged.record.serving is not None) == stays
    # A later run that asks for more of another kind does not lose them.
    make(catalogue=True)
    assert kept(serving=QUICK, catalogue=True) is not None


def latencies(*values, cpu=None, **changes):
    return [
        a_trial("bpr", seed, serving=some_serving(value, cpu[seed] if cpu else value), **changes)
        for seed, value in enumerate(values)
    ]


def gated(base, current, **limits):
    policy = Policy(**limits)
    return gate(compare_records(a_set("base", base), a_set("now", current), policy.measures), policy, "again")


def test_the_gate_on_latency():
    base, slower = latencies(2.0, 2.1, 2.2), latencies(2.8, 2.9, 3.0)
    report = gated(base, slower)
    assert report.outcome is GateOutcome.REJECTED
    assert report.reasons == (
        "bpr latency regressed: medians 2.10 and 2.90 ms (p95, long history), +38%; the seeds' ranges do not overlap",
    )
    assert gate_document(report)["results"][0]["latency"]["verdict"] == "regressed"
    assert 'name="bpr latency"' in junit_xml([report])
    assert report.changed
    better = gated(slower, base)
    assert (better.outcome, better.latency[0].verdict) == (GateOutcome.PASSED, Verdict.IMPROVED)
    assert gated(base, latencies(2.2, 2.3, 2.4)).latency[0].verdict is Verdict.UNCHANGED
    assert gated(base, latencies(2.15, 3.0, 3.1)).latency[0].verdict is Verdict.INCONCLUSIVE
    assert gated(base, slower, limits={"bpr:latency": 0.5}).outcome is GateOutcome.PASSED
    assert gated(base, slower, limits={"*:*": 0.9}).outcome is GateOutcome.REJECTED
    with pytest.raises(ValueError, match="rise of latency"):
        Policy(limits={"bpr:latency": 0.0})


@pytest.mark.parametrize(
    ("current", "limits", "reason"),
    [
        (latencies(2.8, 2.9, 3.0, cpu=(2.0, 2.1, 2.2)), {}, "wall time and CPU time disagree"),
        (latencies(2.8, 2.9, 3.0, concurrent_trials=2), {}, "at the same time"),
        (latencies(2.8, 2.9, 3.0, environment=ENVIRONMENT.model_copy(update={"cpu": "B"})), {}, "different machines"),
        (
            latencies(2.8, 2.9, 3.0, environment=ENVIRONMENT.model_copy(update={"python": "3.13.0"})),
            {},
            "different versions: Python 3.12 against 3.13",
        ),
        (latencies(2.8, 2.9), {}, "3 and 2 seeds"),
        (latencies(2.8, 2.9, 3.0), {"gate_latency": False}, "the policy turns it off"),
        (some_trials("bpr"), {}, "only one of the two runs"),
    ],
)
def test_latency_is_not_gated_where_it_cannot_be_compared(current, limits, reason):
    report = gated(latencies(2.0, 2.1, 2.2), current, **limits)
    assert report.latency[0].verdict is None
    assert reason in report.latency[0].reason
    assert any(line.startswith("Latency of bpr: not gated") for line in details_lines(report))
    assert not any("latency" in line for line in report.reasons)


def test_without_figures_in_use_reports_are_as_before():
    report = gated(some_trials("bpr"), some_trials("bpr"))
    assert report.latency == (None,)
    assert not any("atency" in line for line in details_lines(report)[:-1])
    assert "latency" not in gate_document(report)["results"][0]
    assert "costs" not in compare_document(report.decided)["results"][0]
    assert "In use" not in compare_table(report.decided, Format.TEXT)


def test_reports_show_figures_in_use():
    trials = [*latencies(2.0, 2.1), *some_trials("ease")]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    text = cost_table(report, Format.TEXT)
    assert "p95 ms, long" in text
    assert "short: users with 1-9 train rows" in text
    assert "fit J" not in text
    columns = ("model", "p95-long", "model-size")
    table = run_table(report, Format.TEXT, view=View(columns, "p95-long"))
    assert [line.split() for line in table.splitlines() if line.startswith(("bpr", "ease"))] == [
        ["bpr", "2.05", "2.00"],
        ["ease"],
    ]
    assert "p95" not in run_table(report, Format.TEXT)
    results = run_document(report)["results"]
    assert results[0]["costs"]["serving_long_p95_ms"]["values"] == [2.0, 2.1]
    assert "costs" not in results[1]
    header, first, second = run_table(report, Format.CSV).splitlines()
    place = header.split(",").index("serving_long_p95_ms")
    assert (first.split(",")[place], second.split(",")[place]) == ("2.05", "")
    # A leaderboard shows a cost that all models have.
    assert not any("p95" in column.header for column in cost_columns(report))
    alone = run_report(TASK, latencies(2.0, 2.1), ENVIRONMENT, (10,))
    assert any(column.header == "p95 ms, long" for column in cost_columns(alone))
    section = task_section(1, [a_set("runs", latencies(2.0, 2.1))], None, [], {}, {})
    assert [section_table.caption for section_table in section.tables][-1] == "In use"
    compared = compare_records(a_set("base", latencies(2.0, 2.1)), a_set("now", latencies(3.0, 3.1)), Policy().measures)
    decided = gate(compared, Policy(), "again").decided
    line = next(line for line in compare_table(decided, Format.TEXT).splitlines() if "p95 ms, long" in line)
    assert line.split()[-3:] == ["2.05", "3.05", "1.49x"]
    assert compare_document(decided)["results"][0]["costs"]["serving_long_p95_ms"]["current"] == [3.0, 3.1]
    rows = list(csv.DictReader(io.StringIO(compare_table(decided, Format.CSV))))
    (row,) = (record for record in rows if record["metric"] == "serving_long_p95_ms")
    means = [float(row[name]) for name in ("baseline", "current", "difference")]
    assert means == pytest.approx([2.05, 3.05, 1.0])
    assert (row["model"], row["baseline_seeds"], row["p"], row["verdict"]) == ("bpr", "2", "", "")
    latex = compare_table(decided, Format.LATEX)
    (line,) = (line for line in latex.splitlines() if "p95 ms, long" in line)
    assert [cell.strip(" \\{}") for cell in line.split("&")][2:] == ["2.05", "3.05", "1.49x"]
    assert latex.count(r"\begin{tabular}") == 2
    others = [line for line in latex.splitlines() if "In use: medians over seeds" in line]
    assert others
    assert all(line.startswith("%") for line in others)
    newer = ENVIRONMENT.model_copy(update={"packages": {"numpy": "9"}})
    sides = a_set("base", latencies(2.0, 2.1)), a_set("now", latencies(3.0, 3.1, environment=newer))
    text = compare_table(gate(compare_records(*sides, Policy().measures), Policy(), "again").decided, Format.TEXT)
    assert "not all trials ran with the same versions (numpy 2.4.0 against 9)" in text
    assert "not all trials ran on the same machine" not in text


def test_the_limit_of_an_unknown_cost_is_refused():
    with pytest.raises((ValueError, RecbenchError)):
        Policy(limits={"bpr:latencies": 0.1})
