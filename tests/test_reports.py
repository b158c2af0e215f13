"""The tables as text. To accept a change of the product: pytest tests/test_reports.py --accept-golden."""

import json

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import measures_at
from recbench.records.grouping import group_trials
from recbench.records.schema import CatalogueValue, CohortValue, MetricValue, Status, TaskIdentity
from recbench.records.sources import Sources
from recbench.reports.code_notes import code_notes
from recbench.reports.formats import Format
from recbench.reports.run.document import run_document
from recbench.reports.run.metrics_table import metrics_table
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.run_report import run_report
from recbench.reports.run.sampling_caution import caution
from recbench.reports.run.summary import summarise
from recbench.reports.run.table import run_table
from recbench.reports.spread import Spread
from tests.examples import ENVIRONMENT, TASK, a_curve, a_record, a_trial, stored, with_ranks
from tests.golden_files import check_golden

RECORDS = stored(
    *(a_record("bpr", seed, hr=0.7 + seed / 1000, ndcg=0.4) for seed in range(3)),
    *(a_record("popularity", seed, hr=0.4535, ndcg=0.2543, epochs=1, fit_seconds=0.0004) for seed in range(3)),
    a_record("own|model", 0, hr=0.61, ndcg=0.33),
    a_record("own|model", 1, status=Status.FAILED, error="ValueError: a|b", epochs=3),
)
BY_POPULARITY = {**TASK, "negatives": "popularity", "uniform_negatives": False}
IMPORTED = {**TASK, "n_negatives": 99, "n_negatives_min": 98, "waivers": ["positive-among-negatives"]}

CURVES = stored(
    a_record("bpr", 0, curve=a_curve(0.2, 0.45, 0.5), fit_seconds=3.0),
    a_record("bpr", 1, curve=a_curve(0.2, 0.44, 0.5), fit_seconds=3.0),
    a_record("popularity", 0, curve=a_curve(0.3), fit_seconds=1.0),
    a_record("late", 0, curve=a_curve(0.3), fit_seconds=1.0, curve_error="after epoch 1: AttributeError: no"),
)
CATALOGUE = CatalogueValue(
    metrics={
        name: MetricValue(mean=mean, user_mean=mean, optimistic=mean, pessimistic=mean)
        for name, mean in (("hr@10", 0.1), ("ndcg@10", 0.05))
    },
    list_length=10,
    coverage=0.4,
    gini=0.8,
    popularity=0.9,
    seconds=1.0,
)
COHORTS = {
    name: [CohortValue(lowest=low, highest=low + 9, n_cases=400, hr=low / 100) for low in (1, 10, 20)]
    for name in ("history", "popularity")
}
# A perfect model has 0.98 of HR@10 and 0.86 of NDCG@10, which is too little for NDCG@10.
CORRECTED = {"hr@10": 0.09}
FULL = {"catalogue": CATALOGUE, "cohorts": COHORTS, "corrected": CORRECTED}
WHOLE = stored(
    *(a_record("bpr", seed, hr=0.7, **FULL) for seed in range(2)),
    *(a_record("twin", seed, hr=0.69, **FULL) for seed in range(2)),
    a_record("popularity", 0, hr=0.4535, **FULL),
)


MEASURES = measures_at(("hr", "ndcg"), (10,))


def report(records, task=TASK, ks=(10,), target=None):
    return run_report(task, records, ENVIRONMENT, ks, target)


def summarised(*records):
    return summarise(stored(*records), MEASURES)


def as_text(document):
    return json.dumps(document, indent=2, ensure_ascii=False)


TABLES = {
    "run.txt": lambda: run_table(report(RECORDS), Format.TEXT),
    "run.md": lambda: run_table(report(RECORDS), Format.MARKDOWN),
    "run.csv": lambda: run_table(report(RECORDS), Format.CSV),
    "run.json": lambda: as_text(run_document(report(RECORDS))),
    "run-one-seed.txt": lambda: run_table(report(RECORDS[:1], IMPORTED), Format.TEXT),
    "run-by-popularity.txt": lambda: run_table(report(RECORDS[:1], BY_POPULARITY), Format.TEXT),
    "run-curve.txt": lambda: run_table(report(CURVES, target=0.445), Format.TEXT),
    "run-curve.csv": lambda: run_table(report(CURVES, target=0.445), Format.CSV),
    "run-curve.json": lambda: as_text(run_document(report(CURVES, target=0.445))["results"][0]),
    "run-full.txt": lambda: run_table(report(WHOLE), Format.TEXT),
    "run-full.md": lambda: run_table(report(WHOLE), Format.MARKDOWN),
    "run-full.csv": lambda: run_table(report(WHOLE), Format.CSV),
    "run-full.json": lambda: as_text(run_document(report(WHOLE))["results"][0]),
    "pairs.txt": lambda: pairs_table(report(WHOLE), Format.TEXT),
    "pairs.md": lambda: pairs_table(report(RECORDS), Format.MARKDOWN),
    "metrics.txt": lambda: metrics_table(report(WHOLE), Format.TEXT),
    "metrics.md": lambda: metrics_table(report(WHOLE), Format.MARKDOWN),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_read_as_accepted(name, request):
    check_golden(name, TABLES[name]() + "\n", request)


def test_the_spread_over_seeds():
    assert Spread.of([1.0, 2.0, 4.0]) == Spread((1.0, 2.0, 4.0), 7 / 3, pytest.approx(1.5275252316519468))
    assert Spread.of([3.0, None]) == Spread((3.0,), 3.0, None)
    assert Spread.of([None]) is None


def test_one_model_with_two_settings_makes_two_rows():
    rows = summarised(a_record("bpr", 0), a_record("bpr", 0, parameters={"factors": 8}))
    assert [row.parameters["factors"] for row in rows] == [64, 8]


def test_a_model_with_a_failed_seed_is_not_done():
    *_, own = summarise(RECORDS, MEASURES)
    assert own.status is Status.FAILED
    assert own.errors == ["seed 1: ValueError: a|b"]
    assert own.metrics["hr@10"].values == (0.61,)


def test_epochs_that_differ_are_not_shown_as_one():
    assert summarised(a_record("bpr", 0), a_record("bpr", 1, epochs=7))[0].epochs is None


def test_records_of_different_tasks_are_refused_by_name():
    other = TaskIdentity(name="other", digest="sha256:" + "cd" * 32)
    with pytest.raises(RecbenchError, match="toy sha256:abababababab, other sha256:cdcdcdcdcdcd"):
        summarised(a_record("bpr", 0), a_record("ncf", 0, task=other))


def test_timings_of_trials_that_shared_a_machine_are_marked():
    beside = stored(a_record("bpr", 0, concurrent_trials=2), a_record("ncf", 0))
    text = run_table(report(beside), Format.TEXT)
    assert "560,000 †" in text
    assert "560,000  " in text
    assert "†: 2 trials ran at a time and shared the machine; such throughput is never gated." in text
    document = run_document(report(beside))
    assert [result["shared_machine"] for result in document["results"]] == [True, False]
    assert any("shared the machine" in note for note in document["notes"])


def test_trials_of_different_machines_are_named():
    other = ENVIRONMENT.model_copy(update={"cpu": "Other CPU"})
    text = run_table(report(stored(a_record("bpr", 0), a_record("ncf", 0, environment=other))), Format.TEXT)
    assert "Not all trials ran on the same machine (cpu Example CPU against Other CPU)" in text


def test_trials_with_different_versions_are_named_unless_their_interpreters_differ():
    newer = {"python": "3.13.0", "packages": {"numpy": "9", "certifi": "9"}}
    for interpreter, expected in (("", True), ("lenskit", False)):
        other = ENVIRONMENT.model_copy(update={**newer, "interpreter": interpreter})
        text = run_table(report(stored(a_record("bpr", 0), a_record("ncf", 0, environment=other))), Format.TEXT)
        named = "Not all trials ran with the same versions (Python 3.12 against 3.13; numpy 2.4.0 against 9)" in text
        assert named is expected
        assert ("same versions" in text) is expected
        assert "same machine" not in text


def test_the_pythons_of_all_trials_are_named_once():
    other = ENVIRONMENT.model_copy(update={"python": "3.9.1", "interpreter": "old"})
    records = [a_record("bpr", 0), a_record("ncf", 0, environment=other), a_record("ncf", 1, environment=other)]
    assert "Example CPU, Linux 6, Python 3.12.1 or 3.9.1\n" in run_table(report(stored(*records)), Format.TEXT)


@pytest.mark.parametrize("uniform", [True, False])
def test_a_cut_off_that_takes_all_candidates_is_said_to_tell_nothing(uniform):
    task = {**TASK, "uniform_negatives": uniform}
    assert caution(task, [101], ()).startswith("HR@101 among 100 negatives is 1 for every model")
    assert "for every model" not in caution(task, [100], ())


@pytest.mark.parametrize("uniform", [True, False, None])
def test_the_line_about_samples_names_the_column_with_the_exact_value(uniform):
    task = {**TASK, "uniform_negatives": uniform}
    for full, exact in (([], "Use --full for the exact value."), ([10], "The exact value is full HR@10.")):
        assert exact in caution(task, [10], full)
    assert "Use --full" in caution(task, [10], [20])


def test_trials_with_the_same_error_have_one_line():
    errors = ["boom", "boom", "other"]
    records = [a_record("bpr", seed, status=Status.FAILED, error=error) for seed, error in enumerate(errors)]
    bpr_report = report(stored(*records))
    lines = run_table(bpr_report, Format.TEXT).splitlines()
    assert [line for line in lines if line.startswith("bpr, ")] == ["bpr, seeds 0, 1: boom", "bpr, seed 2: other"]
    assert bpr_report.summaries[0].errors == ["seed 0: boom", "seed 1: boom", "seed 2: other"]


def test_models_that_agree_in_every_case_have_no_detectable_difference():
    twins = stored(a_record("bpr", 0), a_record("bpr", 0, parameters={"factors": 8}))
    line = next(line for line in pairs_table(report(twins), Format.TEXT).splitlines() if line.startswith("HR@10"))
    assert line.split()[-3:] == ["0.0%", "100.0%", "0.0%"]


def test_seeds_of_different_code_are_not_averaged_in_silence():
    seeds = [
        a_trial("bpr", seed, sources=Sources(modules={"shop.py": version, "same.py": "1"}, late_modules=late))
        for seed, (version, late) in enumerate((("1", {"late.py": "1"}), ("2", {}), ("2", {"late.py": "2"})))
    ]
    note = "Seeds of bpr were trained with different code or data (late.py, shop.py): train them again with --force."
    assert code_notes(group_trials(seeds)) == [note]
    assert note in run_table(run_report(TASK, seeds, ENVIRONMENT, (10,)), Format.TEXT)
    # A module that only one seed has imported is no difference.
    assert code_notes(group_trials([*seeds[:1], a_trial("bpr", 5, sources=Sources(modules={"shop.py": "1"}))])) == []
    assert code_notes(group_trials([*seeds[:1], a_trial("bpr", 5)])) == []


def test_doubtful_throughput_and_ties_are_told():
    doubt, none = "9 passes were counted, more than epochs=2", np.zeros(1200, dtype=np.int32)
    trials = [
        *(a_trial("ncf", seed, throughput_doubts=(doubt,) * (seed == 1)) for seed in range(2)),
        a_trial("bpr", 0, near_ties_across_cut={10: 0.25}),
        with_ranks(a_trial("tied", 0), better=none, tied=none + 100),
    ]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    table = run_table(report, Format.TEXT)
    rows = {line.split()[0]: line for line in table.splitlines() if line[:3] in ("ncf", "bpr")}
    assert (" ? " in rows["ncf"], " ? " in rows["bpr"]) == (True, False)
    note = f"?: the throughput of ncf is in doubt and never gated, in 1 of 2 trials. Seed 1: {doubt}."
    assert note in table.splitlines()
    assert "a hit at 10 in 100.0% of the cases of tied." in table
    assert "as small as rounding decide whether a case is a hit at 10 in 25.0% of the cases of bpr." in table
    document = run_document(report)
    assert [result["throughput_doubts"] for result in document["results"]] == [[f"seed 1: {doubt}"], [], []]
    assert note in document["notes"]
