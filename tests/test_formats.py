"""Every table in every format: nothing that a model is called leaves its cell."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from recbench.evaluation.metric import Measure, custom_metric
from recbench.evaluation.metric_names import measures_at, parse_measure
from recbench.reports.cells import Strong, escape
from recbench.reports.compare.benchmark_timings_table import timings_table
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import decide_verdicts, gate
from recbench.reports.compare.gate_table import gate_table
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import compare_table
from recbench.reports.formats import Format
from recbench.reports.rendering import render_table
from recbench.reports.run.measures_table import measures_table
from recbench.reports.run.metrics_table import metrics_table
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.sweep.table import sweep_table
from recbench.reports.tuning.table import tuning_table
from recbench.tuning.past import Budget
from recbench.tuning.result import ModelTuning
from tests.examples import ENVIRONMENT, TASK, a_set, some_trials
from tests.test_compare_tables import timings

NASTY = "<b>|x&y_%$#{}~^`\\</td>"
"""What a file of one's own may be called."""

TRIALS = [*some_trials(NASTY, 0.6), *some_trials("bpr")]
REPORT = run_report(TASK, TRIALS, ENVIRONMENT, (10,))
SWEPT = run_report(
    TASK,
    [trial for n in (8, 16) for trial in some_trials(NASTY, 0.5 + n / 100, parameters={"factors": n})],
    ENVIRONMENT,
    (10,),
)
BOTH = a_set("<base>", some_trials(NASTY)), a_set("now", some_trials(NASTY, 0.42))
COMPARISON = compare_records(*BOTH, measures_at(("hr", "recall"), (10,)))
MEASURES = [parse_measure("recall@5"), Measure(custom_metric(lambda ranks: ranks.better < 5, NASTY))]

TABLES = {
    "run": lambda form: run_table(REPORT, form),
    "pairs": lambda form: pairs_table(REPORT, form),
    "metrics": lambda form: metrics_table(REPORT, form),
    "measures": lambda form: measures_table(REPORT, MEASURES, form),
    "sweep": lambda form: sweep_table(SWEPT, "factors", form),
    "tuning": lambda form: tuning_table([ModelTuning(NASTY, {}, (), None)], Budget(20, 60), form),
    "compare": lambda form: compare_table(decide_verdicts(COMPARISON, Policy(), f"recbench compare '{NASTY}'"), form),
    "gate": lambda form: gate_table(gate(COMPARISON, Policy(), "recbench gate"), form),
    "timings": lambda form: timings_table(timings(), form),
}


class Tags(HTMLParser):
    """The tags of a page, and whether each is closed in its turn."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_every_format(name, form):
    text = TABLES[name](form)
    assert text
    if form is Format.JSON:
        json.loads(text)
    if form is Format.CSV:
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1
        assert name in ("sweep", "timings") or any(NASTY in cell for row in rows for cell in row)
    if form is Format.HTML:
        tags = Tags()
        tags.feed(text)
        assert tags.open == []
        assert "b" not in tags.seen
        assert {"table", "th", "td"} <= tags.seen
    if form is Format.LATEX:
        assert "\\begin{tabular}" in text
        assert "<b>" not in text
        assert "x&y" not in text
        assert all(line.startswith(("%", " ", "\\")) for line in text.splitlines() if line)
    if form is Format.MARKDOWN:
        # Commands and the line of a file are code, which is shown as it is.
        assert "<b>" not in re.sub(r"```.*?```|``.*?``", "", text, flags=re.DOTALL)


def test_text_that_would_leave_its_cell():
    assert escape("a|b\n<c>`d`", Format.MARKDOWN) == "a\\|b &lt;c>&#96;d&#96;"
    assert escape("p <0.05", Format.MARKDOWN) == "p <0.05"
    assert escape("a & b_c\n%d\u2028e", Format.LATEX) == r"a \& b\_c \%d e"
    assert escape("<a title='x'>&", Format.HTML) == "&lt;a title=&#x27;x&#x27;&gt;&amp;"
    assert escape("<a|b>", Format.TEXT) == "<a|b>"


def test_what_is_the_best_stands_out():
    def first(form):
        return render_table([[Strong("a|<b>")]], ["x"], "l", form)

    assert "* a|<b>" in first(Format.TEXT)
    assert "**a\\|&lt;b>**" in first(Format.MARKDOWN)
    assert r"\textbf{a\textbar{}\ensuremath{<}b\ensuremath{>}}" in first(Format.LATEX)
    assert "<td><strong>a|&lt;b&gt;</strong></td>" in first(Format.HTML)
    assert first(Format.CSV).splitlines()[1] == "a|<b>"


def test_formats_of_the_run_table_for_notebooks_and_papers():
    page = run_table(REPORT, Format.HTML)
    assert page.startswith("<p>Task <strong>toy</strong> <code>sha256:abababababab</code>: 1,200 users")
    assert "<td>bpr</td>" in page
    assert "<li>95 %: confidence interval over users" in page
    paper = run_table(REPORT, Format.LATEX)
    assert paper.startswith("% Task \\textbf{toy}")
    assert "\\bfseries 0." in paper
