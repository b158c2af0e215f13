"""A sweep: ordinary trials, their table, document and picture."""

import json
import re
from dataclasses import replace

import pytest

from recbench.cli.sweep import column_name, parse_sweep
from recbench.errors import RecbenchError
from recbench.experiments.execution import Execution
from recbench.experiments.sweep import SweepRequest, sweep
from recbench.output_files import OutputFile
from recbench.records.selection import read_records
from recbench.registry.models import find_model
from recbench.registry.requested import RequestedModel
from recbench.reports.run.run_report import run_report
from recbench.reports.sweep.plot import draw_sweep
from recbench.reports.sweep.points import sweep_document
from recbench.reports.sweep.table import sweep_column_names, sweep_table
from tests.examples import ENVIRONMENT, TASK, a_record, stored
from tests.golden_files import check_golden
from tests.reference_schemas import assert_fits

OWN = """
import numpy as np


class Own:
    def __init__(self, size: int = 1, epochs: int = 2, fails: str = ""):
        self.size, self.epochs, self.fails = size, epochs, fails

    def fit(self, train, context):
        self.kept = np.ones(self.size * 2**17)
        if self.fails == "yes":
            raise RuntimeError("as asked")
        self.counts = np.bincount(train.items, minlength=train.n_items)
        for _ in range(self.epochs):
            context.end_epoch()

    def score(self, users, items):
        return np.where(items % 8 < self.size, self.counts[items], 0).astype(np.float32)
"""


def some_records():
    def one(factors, seed, hr, **changes):
        parameters = {"factors": factors, "epochs": 20}
        return a_record("bpr", seed, hr, hr / 2, parameters=parameters, process_peak_rss_bytes=2**20 * factors * 10,
                        fit_seconds=factors / 10, **changes)  # fmt: skip

    return stored(*[one(8, seed, 0.5) for seed in (0, 1)], *[one(64, seed, 0.6) for seed in (0, 1)],
                  one(512, 0, 0.7, status="failed", error="MemoryError: no room"))  # fmt: skip


def a_report():
    return run_report(TASK, some_records(), ENVIRONMENT, (10,))


def test_the_table_reads_as_accepted(request):
    check_golden("sweep.txt", sweep_table(a_report(), "factors") + "\n", request)


def test_the_document():
    document = sweep_document(a_report(), "factors")
    assert (document["model"], document["parameter"]) == ("bpr", "factors")
    assert [result["value"] for result in document["results"]] == [8, 64, 512]
    assert document["results"][0]["process_peak_rss_bytes"]["mean"] == 2**20 * 80
    assert document["results"][1]["metrics"]["hr@10"]["mean"] == 0.6


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture(tmp_path, ending):
    path = draw_sweep(a_report(), "factors", OutputFile(tmp_path / f"sweep.{ending}"))
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG") if ending == "png" else b"<svg" in content


def test_a_sweep_runs_trials_that_a_run_keeps(recbench, tmp_path):
    (tmp_path / "own_model.py").write_text(OWN)
    base = ("sweep", "--models", "own_model.py:Own", "--task", "synthetic", "--param", "epochs=3")
    done = recbench(*base, "--param", "size=1,8", "--seeds", "1", "--plot", "sweep.svg", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert_fits("sweep", document)
    few, many = document["results"]
    assert (few["value"], many["value"]) == (1, 8)
    assert few["params"] == {"size": 1, "epochs": 3, "fails": ""}
    assert few["metrics"]["hr@10"]["mean"] < many["metrics"]["hr@10"]["mean"]
    assert few["process_peak_rss_bytes"]["mean"] < many["process_peak_rss_bytes"]["mean"]
    assert re.search(r"\[2/2\] Own size=8, seed 0: HR@10", done.stderr)
    assert (tmp_path / "sweep.svg").exists()
    assert len(read_records(str(tmp_path / "results" / "runs")).trials) == 2
    again = recbench("run", "--models", "own_model.py:Own", "--task", "synthetic", "--seeds", "1",
                     "--param", "Own.size=8", "--param", "Own.epochs=3")  # fmt: skip
    assert "1 of 1 trials are kept" in again.stderr
    failed = recbench("sweep", "--models", "own=own_model.py:Own", "--task", "synthetic", "--seeds", "1",
                      "--param", "own.fails=no,yes")  # fmt: skip
    assert failed.returncode == 3
    assert "fails=yes, seed 0: RuntimeError: as asked" in failed.stdout
    assert re.search(r" no +0\.", failed.stdout)


def test_what_is_swept():
    assert parse_sweep(["a=1, 2,1", "bpr.b=x"], ["bpr"]) == ("a", ["1", "2"], {"b": "x"})
    assert parse_sweep(["Mine.a=1,2", "own.py:Mine.b=x"], ["Mine", "own.py:Mine"]) == ("a", ["1", "2"], {"b": "x"})
    for texts, message in {
        ("a",): "is not of the form [MODEL.]NAME=VALUE,VALUE,...",
        ("a=1,,2",): "is not of the form",
        ("=1,2",): "is not of the form",
        ("a=1,2", "a=3"): "gives 'a' twice",
        ("a=1",): "none of these parameters has several values",
        ("a=1,2", "b=1,2"): "a, b have several values",
    }.items():
        with pytest.raises(RecbenchError, match=re.escape(message)):
            parse_sweep([*texts], ["bpr"])


def refused(tmp_path, **changes):
    model = RequestedModel(find_model("own_model.py:Own"))
    request = SweepRequest(
        model=model, parameter="size", values=["1", "01"], task="synthetic", seeds=[0], output=tmp_path / "runs"
    )
    with pytest.raises(RecbenchError) as raised:
        sweep(replace(request, **changes))
    assert not (tmp_path / "runs").exists()
    return str(raised.value)


def test_bad_input_is_noticed_before_anything_is_trained(tmp_path, monkeypatch):
    (tmp_path / "own_model.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    assert "01 is given twice" in refused(tmp_path)
    assert "Unknown parameter of 'Own' 'siz'. Did you mean: size" in refused(tmp_path, parameter="siz")
    assert "A seed occurs twice" in refused(tmp_path, seeds=[1, 1])
    assert "timings would be meaningless" in refused(tmp_path, execution=Execution(threads=4096))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plot", "no/x.png"), "there is no folder no."),
        (("--plot", "x.xyz"), "its ending is of no known kind"),
        (("--models", "bpr"), "--models has 2 items, but this command takes only one: own_model.py:Own, bpr"),
    ],
)
def test_bad_options_are_noticed_before_anything_is_trained(recbench, tmp_path, arguments, message):
    (tmp_path / "own_model.py").write_text(OWN)
    base = ("sweep", "--models", "own_model.py:Own", "--param", "size=1,2", "--task", "synthetic")
    done = recbench(*base, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "results").exists()


def test_the_first_column_also_has_the_name_of_the_hyper_parameter():
    known = sweep_column_names()
    assert column_name("l2", "l2", known) == column_name("L2", "l2", known) == column_name("value", "l2", known)
    # The table has a column of this name, with the same values.
    assert column_name("epochs", "epochs", known) == "epochs"
