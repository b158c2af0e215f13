"""One hostile name goes through every verb and every format: it is shown, and never executed or interpreted."""

import importlib
import inspect
import json
import logging
import pkgutil
import shlex
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
import typer.main

import recbench.reports
from recbench.cli import app as program
from recbench.data.statistics import statistics
from recbench.evaluation.metric import Measure, custom_metric
from recbench.evaluation.metric_names import measures_at, parse_measure
from recbench.output_files import OutputFile
from recbench.records.benchmark_timings import Timing, Timings
from recbench.records.cost_values import EnergyValue
from recbench.records.schema import Revision, Status, TaskIdentity
from recbench.records.suite_folder import SuiteRecords
from recbench.reports.compare.benchmark_timings import compare_timings
from recbench.reports.compare.benchmark_timings_table import timings_table
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import decide_verdicts, gate
from recbench.reports.compare.gate_table import gate_table
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import compare_table
from recbench.reports.formats import Format
from recbench.reports.plots.histograms import plot_histograms
from recbench.reports.plots.speed_quality import speed_quality
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.plots.speed_quality_plot import draw_speed_quality
from recbench.reports.run.cost_table import cost_table
from recbench.reports.run.measures_table import measures_table
from recbench.reports.run.metrics_table import metrics_table
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.replicas import replicas_report, replicas_table
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.suite.suite_report import suite_report
from recbench.reports.suite.table import suite_table
from recbench.reports.sweep.plot import draw_sweep
from recbench.reports.sweep.table import sweep_table
from recbench.reports.tuning.plots import draw_history, draw_importance
from recbench.reports.tuning.table import tuning_table
from recbench.tuning.past import Budget, End, PastTrial
from recbench.tuning.result import ModelTuning
from recbench.tuning.spaces import Choices
from tests.examples import DIGEST, ENVIRONMENT, TASK, a_set, some_serving, some_trials, write
from tests.hostile_text import HARMLESS, HOSTILE, PRINTABLE, SAME, check_shown, check_visible, same_markdown, texts_of


def trials_of(name, skill=0.5, **changes):
    """Trials in which every text is that name."""
    of_it = {
        "n": 60,
        "parameters": {name: name},
        "reference": name,
        "environment": ENVIRONMENT.model_copy(update={"cpu": name, "os": name, "python": name}),
        "revision": Revision(sha=name, dirty=True, reasons=(name,)),
        "device": name,
        "serving": some_serving(),
        "energy": EnergyValue(sensors=("rapl",), fit_joules=1.0, score_joules=2.0, grams_per_kwh=3.0, country=name),
    } | changes
    failed = some_trials(f"{name}2", **of_it | {"seeds": 1, "status": Status.FAILED, "error": name})
    return [*some_trials(name, skill, **of_it), *failed]


def tables_of(name):
    """Every table of a report, as a function of its format."""
    task = TASK | {"name": name, "waivers": [name]}
    report = run_report(task, [*trials_of(name), *some_trials("bpr", n=60)], ENVIRONMENT, (10,))
    swept = [trial for value in (name, "b") for trial in some_trials(name, n=60, parameters={name: value})]
    sides = a_set(name, trials_of(name)), a_set(f"{name}2", trials_of(name, 0.42))
    comparison = compare_records(*sides, measures_at(("hr", "recall"), (10,)))
    space = {name: Choices(choices=(name,))}
    past = (PastTrial(0, End.FAILED, {name: name}, 1.0, error=name, log=name),)
    timings = Timings(Path(name), name, (Timing(name, 0.5, 1e6),))
    command = shlex.join(["recbench", "compare", name]).replace("\n", " ")
    return {
        "run_table": lambda form: run_table(report, form),
        "pairs_table": lambda form: pairs_table(report, form),
        "cost_table": lambda form: cost_table(report, form),
        "metrics_table": lambda form: metrics_table(report, form),
        "measures_table": lambda form: measures_table(report, [OWN(name)], form),
        "sweep_table": lambda form: sweep_table(run_report(task, swept, ENVIRONMENT, (10,)), name, form),
        "tuning_table": lambda form: tuning_table([ModelTuning(name, space, past)], Budget(20, 60), form),
        "compare_table": lambda form: compare_table(decide_verdicts(comparison, Policy(), command), form),
        "gate_table": lambda form: gate_table(gate(comparison, Policy(), command), form),
        "replicas_table": lambda form: replicas_table(replicas_report([report, report], name), form),
        "suite_table": lambda form: suite_table(a_suite_report(name), form),
        "timings_table": lambda form: timings_table(compare_timings(timings, timings), form),
    }


def a_suite_report(name):
    tasks = [TaskIdentity(name=f"{name}{digit}", digest=f"sha256:{digit * 64}") for digit in "123"]
    trials = [
        trial for task in tasks for model in (name, f"{name}4") if (task, model) != (tasks[2], name)
        for trial in some_trials(model, n=60, seeds=1, task=task)
    ]  # fmt: skip
    source = SuiteRecords(name, Path(name), None, tuple(trials))
    return suite_report(name, [source], measures_at(("hr",), (10,))[0], resamples=50)


def OWN(name):  # noqa: N802
    return Measure(custom_metric(lambda ranks: ranks.better < 5, name))


def test_every_table_is_tried():
    table_names = set()
    for module in pkgutil.walk_packages(recbench.reports.__path__, "recbench.reports."):
        loaded = importlib.import_module(module.name)
        table_names |= {
            name
            for name, function in inspect.getmembers(loaded, inspect.isfunction)
            if name.endswith("_table") and function.__module__ == loaded.__name__ and not name.startswith("_")
        }
    assert table_names - {"render_table", "screen_table", "models_table"} == set(tables_of(HARMLESS))
    assert set(SAME) == {form.value for form in Format}


@pytest.fixture(scope="module")
def tables():
    # As long as the hostile one: the full names of models whose name is cut stand below a table.
    return tables_of(HOSTILE), tables_of(HARMLESS * 70)


@pytest.mark.parametrize("form", Format)
def test_a_table_keeps_its_shape_in_every_format(tables, form):
    for name in tables[0]:
        shown, plain = (functions[name](form) for functions in tables)
        check_visible(shown)
        SAME[form.value](shown, plain)


def verbs_of(command, path=()):
    """Yields every verb of the program, however deep: its words and its command."""
    for name, below in getattr(command, "commands", {}).items():
        yield from verbs_of(below, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


PROGRAM = typer.main.get_command(program.app)
VERBS = dict(verbs_of(PROGRAM))
PLAUSIBLE = {"run": "records", "base": "records", "current": "other"}


@pytest.fixture
def invoke(tmp_path, monkeypatch, capfd):
    """Runs the program in this process, in a folder deep below; returns its exit code and what it printed."""
    folder = tmp_path / "a" / "b" / "c" / "project"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(program, "app", PROGRAM)
    log = logging.getLogger("recbench")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["recbench", *words])
        log.handlers[:] = []
        code = 0
        try:
            program.main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capfd.readouterr()
        assert code in (0, 1, 2, 3, 4), (words, out, err)
        for text in (out, err):
            assert "Traceback" not in text, words
            check_shown(text)
        outside = {path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(folder)}
        assert all(path.is_relative_to(tmp_path / "home") for path in outside), outside
        return code, out, err

    return run


def arguments_of(command, hostile_too):
    """Returns what a verb requires: plausible values, of which none names a model, or hostile ones."""
    words = []
    for param in command.params:
        if param.required:
            value = HOSTILE if hostile_too else PLAUSIBLE.get(param.name, PLAUSIBLE.get(max(param.opts, key=len), "x"))
            words += [value] if param.param_type_name == "argument" else [max(param.opts, key=len), value]
        elif "--task" in param.opts:
            # The default task would be fetched.
            words += ["--task", "synthetic"]
    return words


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_option_of_every_verb_shows_what_it_was_given(invoke, verb):
    command = VERBS[verb]
    write(Path("records"), some_trials("bpr", seeds=1))
    write(Path("other"), some_trials("bpr", 0.4, seeds=1))
    hostile = arguments_of(command, hostile_too=True)
    if hostile:
        invoke(*verb, *hostile)
    words = arguments_of(command, hostile_too=False)
    for param in command.params:
        option = max(param.opts, key=len)
        if param.param_type_name == "option" and not param.is_flag:
            given = [HOSTILE if before == option else word for before, word in zip(["", *words], words, strict=False)]
            invoke(*verb, *given, *([] if option in words else [option, HOSTILE]))


MODEL = f'''
class Own:
    """{HOSTILE!r}"""

    def __init__(self, text={HOSTILE!r}, epochs: int = 1):
        self.text = text

    def fit(self, train, context):
        raise ValueError(self.text)

    def score(self, users, items):
        return items
'''
FILE = "a|<b>`c`$d$ [e](f) \x1b[31m\u202e\n::error::x 'q' ; @g #1.csv"
"""A file may be called so on Linux."""
LABEL = PRINTABLE.translate({ord(character): " " for character in "=:,/\\[]"})[:80].strip()
"""A label holds none of these, and no more."""


def hostile_records(folder, skill, name=HOSTILE, **changes):
    """Records that somebody may send: every text in them is the name, but the task's, which names a folder."""
    of_it = {"task": TaskIdentity(name="toy", digest=DIGEST), "n": 60, "seeds": 1} | changes
    return write(folder, trials_of(name, skill, **of_it), some_trials("bpr", skill, n=60, seeds=1))


def test_verbs_show_records(invoke):
    """Each verb that reads records, in the order in which a project uses them."""
    base, current = hostile_records(Path("base"), 0.5), hostile_records(Path("now"), 0.42)
    for verb in ("compare", "gate"):
        for form in Format:
            code, out, _ = invoke(verb, str(base), str(current), "--format", form.value)
            assert code in (0, 1, 3)
            assert "img" in out
    assert invoke("baseline", "accept", str(base), "--force")[0] == 0
    assert sum("pop" in path.name for path in Path("results/baselines/toy/main").iterdir()) == 2
    for words in (["list"], ["list", "--json"], ["render"], ["release", "v1.0"]):
        code, out, _ = invoke("baseline", *words)
        assert code == 0
    assert "img" in invoke("history")[1]
    for words in (["history"], ["baseline", "list"]):
        assert HOSTILE in texts_of(json.loads(invoke(*words, "--json")[1]))
    assert invoke("plot", str(base), "-o", "p.svg")[0] == 0
    assert "svg" in ElementTree.parse("p.svg").getroot().tag


FORMULA = "$\\frac{$ & _x_ <b>\x1b[31m"
"""No formula of matplotlib, and no text of TeX."""


def test_pictures_draw_names_as_they_are(tmp_path, monkeypatch):
    """Also where the user's own settings leave all text to TeX."""
    monkeypatch.setitem(matplotlib.rcParams, "text.usetex", True)
    output = OutputFile(tmp_path / "p.svg", force=True)
    past = tuple(PastTrial(number, end, {}, 1.0, score=0.5) for number, end in enumerate(End))
    swept = [trial for value in (FORMULA, "b") for trial in some_trials(FORMULA, n=60, parameters={FORMULA: value})]
    report = run_report(TASK | {"name": FORMULA}, swept, ENVIRONMENT, (10,))
    trade_off = speed_quality([a_set("x", some_trials(FORMULA, n=60))], parse_measure("hr@10"), Cost.THROUGHPUT)
    for draw in (
        lambda: draw_speed_quality(trade_off, output),
        lambda: draw_history(ModelTuning(FORMULA, {}, past), output),
        lambda: draw_importance(FORMULA, {FORMULA: 0.5, "b": 0.5}, output),
        lambda: draw_sweep(report, FORMULA, output),
        lambda: plot_histograms(FORMULA, statistics(np.arange(9) % 3, np.arange(9) % 4), output),
    ):
        draw()
        assert "svg" in ElementTree.parse(output.path).getroot().tag


@pytest.mark.parametrize("verb", ["leaderboard", "baseline render"])
def test_pages_keep_their_shape(invoke, verb):
    pages = {}
    for name in (HARMLESS, HOSTILE):
        shown = hostile_records(Path("results/baselines/toy/main"), 0.5, name)
        words = ["leaderboard", str(shown)] if verb == "leaderboard" else verb.split()
        assert invoke(*words, "--force")[0] == 0
        (page,) = Path("results").glob("*.md")
        pages[name] = page.read_text(encoding="utf-8")
        for path in [*shown.iterdir(), page]:
            path.unlink()
    check_visible(pages[HOSTILE])
    same_markdown(pages[HOSTILE], pages[HARMLESS])


def test_the_commands_of_a_page_are_read_back_by_a_shell(invoke):
    name = PRINTABLE
    hostile_records(Path("x y's"), 0.5, name, task=TaskIdentity(name=name, digest=DIGEST))
    for path in Path("x y's").glob("toy--*"):
        path.unlink()
    assert invoke("leaderboard", "x y's")[0] == 0
    (page,) = Path("results").glob("*.md")
    block = page.read_text(encoding="utf-8").partition("## How it is made")[2].replace(" \\\n", "")
    run, again = (shlex.split(line) for line in block.split("\n") if line.startswith("recbench "))
    # Two models, whose records name the same class.
    assert run[:6] == ["recbench", "run", "--models", f"{name},{name}", "--task", name]
    assert f"{name}.{name}={name}" in run
    assert run[run.index("--device") + 1] == name
    assert again == ["recbench", "leaderboard", "x y's"]


def test_verbs_show_models_and_their_values(invoke):
    Path("own.py").write_text(MODEL, encoding="utf-8")
    code, out, _ = invoke("list", "own.py:Own")
    assert code == 0
    assert "img" in out
    small = ("--task", "synthetic", "--seeds", "1", "--in-process")
    for form in Format:
        run = ("run", "--models", f"{LABEL}=popularity,own.py:Own", *small, "--format", form.value)
        code, out, err = invoke(*run)
        assert (code, "img" in out) == (3, True), err


def test_verbs_show_files_of_ratings(invoke):
    rows = "".join(f"u{user},i{item},{user + item}\n" for user in range(30) for item in range(user % 7, 40))
    Path(FILE).write_text("user,item,timestamp\n" + rows, encoding="utf-8")
    for words in (["data", "info", FILE], ["task", "build", "own", "--ratings", FILE], ["task", "show", "own"]):
        assert invoke(*words)[0] in (0, 2)
    for words in (["task", "list"], ["data", "list"], ["clean", "--older-than", "0d"]):
        assert invoke(*words)[0] in (0, 2)
    Path(FILE).write_text(f"user,item,timestamp\n{HOSTILE},x\n", encoding="utf-8")
    for words in (["data", "info", FILE], ["task", "build", "other", "--ratings", FILE]):
        assert invoke(*words)[0] == 2
