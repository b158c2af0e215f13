"""Tables on a terminal: golden screens of an emulator.

To accept a change: pytest tests/test_screens.py --accept-golden
"""

import importlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

pytest.importorskip("pty")
pytest.importorskip("pyte")

from wcwidth import wcswidth

import recbench.experiments.run
import recbench.experiments.sweep
import recbench.experiments.tune
import recbench.tasks.replicas
from recbench.cli.app import main
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_command
from recbench.records.history import Accepted
from recbench.records.schema import Status
from recbench.reports.column_choice import column_names
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.formats import Format
from recbench.reports.run.metrics_table import metrics_table
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.screen import Screen, wrapped
from recbench.reports.screen_table import screen_table
from recbench.reports.view import View
from recbench.tuning.past import Budget, End, PastTrial
from recbench.tuning.result import ModelTuning
from recbench.tuning.spaces import Choices
from tests.examples import DIGEST, ENVIRONMENT, TASK, some_trials, write
from tests.golden_files import check_golden
from tests.hostile_text import HOSTILE, check_visible
from tests.terminals import on_terminal, shown

WIDTHS = (60, 80, 100, 120, 200)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MODELS = {"popularity": 0.2, "bpr": 0.53, "implicit-bpr": 0.54, "itemknn": 0.45, "ease": 0.49}


def five_models(**changes):
    short = {"epochs": 1, "fit_seconds": 0.0004, "interactions_per_second": 1.4e8}
    return [
        trial
        for name, skill in MODELS.items()
        for trial in some_trials(name, skill, n=60, **(short if name == "popularity" else {}), **changes)
    ]


@pytest.fixture(scope="module")
def report():
    return run_report(TASK, five_models(), ENVIRONMENT, (10,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two folders of records and a history."""
    folder = tmp_path_factory.mktemp("screens")
    write(folder / "base", five_models())
    write(folder / "now", *[some_trials(name, skill - 0.1, n=60) for name, skill in MODELS.items()])
    line = {"label": "main", "task": "toy", "digest": DIGEST, "model": "bpr", "parameters": "ab" * 8, "threads": 1,
            "device": "cpu", "hr_interval": (0.4, 0.6), "interactions_per_second": 4.3e6, "sha": "0" * 40}  # fmt: skip
    lines = [
        Accepted(**line, seed=seed, accepted_at=datetime(2026, 1, day, tzinfo=UTC), hr=0.5 + day / 100, ndcg=0.3)
        for day in (1, 2)
        for seed in range(3)
    ]
    (folder / "results").mkdir()
    history = folder / "results" / "history.jsonl"
    history.write_text("".join(f"{accepted.model_dump_json(by_alias=True)}\n" for accepted in lines))
    return folder


@pytest.fixture
def recbench_on(monkeypatch, folder):
    """Runs the program on a terminal of a width; returns what it wrote."""
    monkeypatch.chdir(folder)
    for name in ("COLUMNS", "NO_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def run(width, *arguments):
        monkeypatch.setattr(sys, "argv", ["recbench", *arguments])

        def call():
            with pytest.raises(SystemExit):
                main()

        written = on_terminal(width, call)
        check_width(written, width)
        return written

    return run


def check_width(written, width):
    for line in ESCAPE.sub("", written).replace("\r\n", "\n").split("\n"):
        assert wcswidth(line.split("\r")[-1]) <= width, line


def a_run(report, folder="runs"):
    trials = [trial for summary in report.summaries for trial in summary.trials]
    return SimpleNamespace(report=report, failed=[], trials=trials, folder=folder, task=SimpleNamespace(name="toy"))


@pytest.fixture
def screens_of(monkeypatch, report, recbench_on, tmp_path):
    """The command line whose output is a golden file, by the name of the file."""
    # Before the functions that it imports are replaced: it keeps those that it imports first.
    importlib.import_module("recbench.experiments.replicated")
    monkeypatch.setattr(recbench.experiments.run, "run", lambda request, progress: a_run(report))
    monkeypatch.setattr(recbench.tasks.replicas, "replica_names", lambda task: [])
    swept = run_report(
        TASK,
        [t for n in (8, 64) for t in some_trials("bpr", n / 100, n=60, parameters={"factors": n, "epochs": 20})],
        ENVIRONMENT,
        (10,),
    )
    monkeypatch.setattr(
        recbench.experiments.sweep, "sweep", lambda request, progress: SimpleNamespace(run=a_run(swept))
    )
    past = (PastTrial(0, End.FAILED, {"factors": 8}, 1.5, error="no room", log="a.log"),)
    tuned = [ModelTuning("bpr", {"factors": Choices(choices=(8, 16))}, past), ModelTuning("popularity", {}, ())]
    result = SimpleNamespace(models=tuned, budget=Budget(20, 60), settings={}, failed_searches=[], without_setting=[],
                             storage=tmp_path / "a.db")  # fmt: skip
    monkeypatch.setattr(recbench.experiments.tune, "tune", lambda request, progress: result)
    return {
        "run": ("run", "--models", "bpr", "--task", "toy"),
        "compare": ("compare", "base", "now"),
        "gate": ("gate", "base", "now"),
        "sweep": ("sweep", "--models", "bpr", "--param", "factors=8,64"),
        "tune": ("tune", "--models", "bpr", "--task", "toy"),
        "history": ("history",),
    }


@pytest.mark.parametrize("verb", ["run", "compare", "gate", "sweep", "tune", "history"])
def test_screens_read_as_accepted(verb, screens_of, recbench_on, request):
    screens = []
    for width in WIDTHS:
        screens += [f"=== {width} columns", *shown(recbench_on(width, *screens_of[verb]), width)]
    check_golden(f"screen-{verb}.txt", "\n".join(screens) + "\n", request)


def test_the_default_table_at_80_columns(screens_of, recbench_on):
    lines = shown(recbench_on(80, *screens_of["run"]), 80)
    rows = [line for line in lines if line.split(" ")[0] in MODELS]
    assert len(rows) == 5
    assert [line for line in lines if line.startswith("model ")] == [next(line for line in lines if "HR@10 " in line)]
    assert "status" not in "\n".join(lines)
    assert all(re.search(r" <?\.\d{4} \[\.\d{3}, \.\d{3}\]>? ", row) for row in rows)
    assert [row.split()[0] for row in rows if "<" in row] == ["implicit-bpr"]
    assert sum(row.endswith("k/s   2.10      20") for row in rows) == 4
    assert rows[0].endswith(" -  .0004       1")
    assert len([line for line in lines if line.startswith("Next: ")]) == 1


def test_a_tiny_terminal(screens_of, recbench_on):
    for arguments in [*screens_of.values(), ("list", "bpr"), ("data", "list"), ("task", "list")]:
        text = " ".join(shown(recbench_on(20, *arguments), 20))
        # Only a verb that has the option names it.
        assert ("--columns NAME" in text) == (arguments in screens_of.values())
    for arguments in (screens_of["run"], ("list",)):
        assert recbench_on(1, *arguments)


def test_a_terminal_without_colour_gets_no_code(screens_of, recbench_on, monkeypatch):
    for name, value in (("TERM", "dumb"), ("NO_COLOR", "1")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            written = recbench_on(80, *screens_of["run"])
        table = written[written.index("model ") : written.index("Next: ")]
        assert "\x1b" not in table
        assert "* .5" in table
        assert "*: best" in table


def test_columns_and_sort(screens_of, recbench_on, report, recbench, tmp_path):
    chosen = ("--columns", "Model,speed,HR@10,status", "--sort", "fit s")
    lines = shown(recbench_on(60, *screens_of["run"], *chosen), 60)
    at = next(n for n, line in enumerate(lines) if line.startswith("model "))
    assert lines[at].split() == ["model", "speed", "HR@10", "status"]
    assert lines[at + 2].split()[0] == "popularity"
    plain = run_table(report, Format.MARKDOWN, view=View(("hr@10", "model"), "hr@10")).splitlines()
    rows = [line.split("|")[3].strip() for line in plain if line.startswith("| ") and "HR@10" not in line]
    assert rows == ["implicit-bpr", "bpr", "ease", "itemknn", "popularity"]
    for form in (Format.JSON, Format.CSV):
        assert run_table(report, form, view=View(("model",), "hr@10")) == run_table(report, form)
    # A throughput without a meaning comes last.
    by_speed = run_table(report, Format.TEXT, view=View(("model",), "speed")).splitlines()
    assert by_speed[by_speed.index("popularity") + 1] == ""


def test_an_unknown_column_is_refused_before_anything_is_trained(screens_of, recbench_on, monkeypatch):
    monkeypatch.setattr(recbench.experiments.run, "run", pytest.fail)
    for option in ("--columns", "--sort"):
        text = " ".join(shown(recbench_on(200, *screens_of["run"], option, "hr10"), 200))
        assert f"Unknown column of {option} 'hr10'. Did you mean: hr@10, full-hr@10" in text
    for verb in ("compare", "gate", "history", "sweep", "tune"):
        text = " ".join(shown(recbench_on(200, *screens_of[verb], "--sort", "modle"), 200))
        assert "Unknown column of --sort 'modle'. Did you mean: model" in text or verb in ("history", "sweep")
        assert "Unknown column of --sort 'modle'." in text
    with pytest.raises(RecbenchError, match="names the column 'fit' twice"):
        column_names(["fit", "fit s"], ["model", "fit"], "--columns")


def test_a_column_without_figures_is_told(report):
    text = run_table(report, Format.TEXT, view=View(("model", "full-hr@10"), screen=Screen(80)))
    assert "This table has no figures for: full-hr@10." in text
    assert "popularity" in text


def test_the_interval_of_a_pair_is_explained_as_it_is_shown(report):
    wide, narrow = (pairs_table(report, Format.TEXT, screen) for screen in (None, Screen(80)))
    assert "95 %: its interval" in wide
    assert "[ ]: its 95 % confidence interval" in " ".join(narrow.split())
    assert "95 %:" not in narrow


def test_status_is_shown_if_a_trial_is_not_done():
    trials = [*some_trials("bpr", n=60), *some_trials("ncf", n=60, seeds=1, status=Status.FAILED, error="no")]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    lines = run_table(report, Format.TEXT, view=View(screen=Screen(80))).splitlines()
    last = [line.split()[-1] for line in lines if line.startswith(("model", "bpr", "ncf "))]
    assert last == ["status", "done", "failed"]


NAMES = {"hostile": HOSTILE, "long": "x" * 200, "wide": "長い名前" * 50, "marks": "e\u0301" * 100}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_are_shown_and_never_interpreted(name):
    names = [f"{name}1", f"{name}2", f"{name[:50]}3"]
    trials = [trial for model in names for trial in some_trials(model, n=60)]
    report = run_report(TASK | {"name": name}, trials, ENVIRONMENT, (10,))
    for width in (2, 20, 60, 80, 200):
        for styled in (False, True):
            view = View(screen=Screen(width, styled))
            tables = [run_table(report, Format.TEXT, view=view), metrics_table(report, Format.TEXT, view.screen)]
            for table in [*tables, pairs_table(report, Format.TEXT, view.screen)]:
                check_width(table, width)
                check_visible(ESCAPE.sub("", table))
    rows = run_table(report, Format.TEXT, view=View(("model", "hr@10"), screen=Screen(80))).splitlines()
    at = next(n for n, line in enumerate(rows) if line.startswith("-----"))
    # Each is a row, and no two look alike.
    assert len({line.split("  ")[0] for line in rows[at + 1 : at + 4]}) == 3


def test_the_best_looks_get_room_first():
    columns = [
        text_column("model", ["a" * 30, "b"], cut=Cut.MIDDLE),
        Column("hr", (Look("HR", ["0.5000 (wide)", ""]),),
               (Look("HR", [".50 [1]", ""], rank=2), Look("HR", [".50", ""], rank=1))),
        Column("fit", (Look("fit", ["1.00", "2.00"], rank=3),)),
    ]  # fmt: skip
    for width in range(1, 60):
        table = screen_table(columns, Screen(width))
        assert max(map(len, table.lines)) <= width
    assert "fit" in table.lines[0]
    assert table.wide
    assert "a" * 30 in table.lines[2]
    narrow = screen_table(columns, Screen(21))
    assert (narrow.wide, narrow.lines[0].split()) == (False, ["model", "HR"])
    assert narrow.left_out == ["fit"]
    assert narrow.lines[2].endswith(".50 [1]")
    assert narrow.lines[3].split() == ["b", "-"]


def test_a_command_can_be_copied():
    line = "Next: compare with the baseline: recbench compare main 'a folder/of mine' --metrics hr@10,ndcg@10"
    lines = wrapped(line, Screen(30))
    assert max(map(len, lines)) <= 30
    at = lines.index("recbench compare main \\")
    assert "".join(row.removesuffix("\\").lstrip() if row.endswith("\\") else row.lstrip() for row in lines[at:]) == (
        "recbench compare main 'a folder/of mine' --metrics hr@10,ndcg@10"
    )
    # The shell reads back what it is given, wherever lines end.
    words = ["recbench", "compare", "it's a \x1b folder " * 5, "x" * 90, "", "長い名前" * 9, "--columns=a,b"]
    for width in (16, 20, 33, 80):
        lines = wrapped(shell_command(words), Screen(width))
        check_width("\n".join(lines), width)
        echoed = subprocess.run(
            ["bash", "-c", "printf '%s\\0' " + "\n".join(lines)], capture_output=True, encoding="utf-8", check=True
        )
        assert echoed.stdout.split("\0")[:-1] == words
    # Prose is none, whatever it starts with.
    assert wrapped("Warning: recbench runs from /a; another one is in /b.", Screen(30)) == [
        "Warning: recbench runs from",
        "/a; another one is in /b.",
    ]
