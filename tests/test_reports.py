"""The tables as text. To accept a change of the product: pytest tests/test_reports.py --accept-golden."""

import json
from pathlib import Path

import pytest

from recbench.records.schema import Status
from recbench.reports.document import run_document
from recbench.reports.formats import Format
from recbench.reports.summary import Spread, summarise
from recbench.reports.table import run_table
from recbench.reports.time_to_quality import time_to_quality
from tests.examples import ENVIRONMENT, TASK, a_curve, a_record, stored

GOLDEN = Path(__file__).parent / "golden"

RECORDS = stored(
    *(a_record("bpr", seed, hr=0.7 + seed / 1000, ndcg=0.4) for seed in range(3)),
    *(a_record("popularity", seed, hr=0.4535, ndcg=0.2543, epochs=1, fit_seconds=0.0004) for seed in range(3)),
    a_record("own|model", 0, hr=0.61, ndcg=0.33),
    a_record("own|model", 1, status=Status.FAILED, error="ValueError: a|b", epochs=3),
)
IMPORTED = {**TASK, "n_negatives": 99, "n_negatives_min": 98, "waivers": ["positive-among-negatives"]}

CURVES = stored(
    a_record("bpr", 0, curve=a_curve(0.2, 0.45, 0.5), fit_seconds=3.0),
    a_record("bpr", 1, curve=a_curve(0.2, 0.44, 0.5), fit_seconds=3.0),
    a_record("popularity", 0, curve=a_curve(0.3), fit_seconds=1.0),
    a_record("late", 0, curve=a_curve(0.3), fit_seconds=1.0, curve_error="after epoch 1: AttributeError: no"),
)
QUALITY = time_to_quality(summarise(CURVES), (10,), 0.445)

TABLES = {
    "run.txt": lambda: run_table(TASK, summarise(RECORDS), ENVIRONMENT, (10,), Format.TEXT),
    "run.md": lambda: run_table(TASK, summarise(RECORDS), ENVIRONMENT, (10,), Format.MARKDOWN),
    "run.csv": lambda: run_table(TASK, summarise(RECORDS), ENVIRONMENT, (10,), Format.CSV),
    "run-one-seed.txt": lambda: run_table(IMPORTED, summarise(RECORDS[:1]), ENVIRONMENT, (10,), Format.TEXT),
    "run-curve.txt": lambda: run_table(TASK, summarise(CURVES), ENVIRONMENT, (10,), Format.TEXT, QUALITY),
    "run-curve.csv": lambda: run_table(TASK, summarise(CURVES), ENVIRONMENT, (10,), Format.CSV, QUALITY),
    "run-curve.json": lambda: json.dumps(
        run_document(TASK, summarise(CURVES), ENVIRONMENT, QUALITY)["results"][0], indent=2, ensure_ascii=False
    ),
    "run.json": lambda: json.dumps(run_document(TASK, summarise(RECORDS), ENVIRONMENT), indent=2, ensure_ascii=False),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_read_as_accepted(name, request):
    path, text = GOLDEN / name, TABLES[name]() + "\n"
    if request.config.getoption("--accept-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_spread_over_seeds():
    assert Spread.of([1.0, 2.0, 4.0]) == Spread((1.0, 2.0, 4.0), 7 / 3, pytest.approx(1.5275252316519468))
    assert Spread.of([3.0, None]) == Spread((3.0,), 3.0, None)
    assert Spread.of([None]) is None


def test_one_model_with_two_settings_makes_two_rows():
    rows = summarise(stored(a_record("bpr", 0), a_record("bpr", 0, parameters={"factors": 8})))
    assert [row.parameters["factors"] for row in rows] == [64, 8]


def test_a_model_with_a_failed_seed_is_not_done():
    *_, own = summarise(RECORDS)
    assert own.status is Status.FAILED
    assert own.errors == ["seed 1: ValueError: a|b"]
    assert own.metrics["hr@10"].values == (0.61,)


def test_epochs_that_differ_are_not_shown_as_one():
    assert summarise(stored(a_record("bpr", 0), a_record("bpr", 1, epochs=7)))[0].epochs is None
