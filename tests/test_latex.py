"""Tables for papers: what the source says, and what a compiler of LaTeX makes of it."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from recbench.evaluation.metric_names import measures_at
from recbench.records.schema import Status
from recbench.reports.cells import Strong
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import decide_verdicts
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import compare_table
from recbench.reports.formats import Format
from recbench.reports.latex_tabular import latex_tabular
from recbench.reports.pages.leaderboard import LeaderboardSources
from recbench.reports.pages.leaderboard_latex import leaderboard_latex
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.spread import Spread
from recbench.reports.view import View
from tests.examples import ENVIRONMENT, TASK, a_set, some_trials

NASTY = "a--b|<c>%$#{}~^\\[x]"


def the_rows(source):
    """The rows of a table: what its cells hold, without the spaces that line them up."""
    body = source.partition("\\midrule\n")[2].partition("\n\\bottomrule")[0]
    return [[cell.strip() for cell in line.removesuffix("\\\\").split("&")] for line in body.splitlines()]


def test_figures_are_columns_of_siunitx_and_marks_are_superscripts():
    rows = [
        ["mf", Strong("0.5557 ± 0.0015"), "0.542-0.570", "5,859,613 † ?", "+0.0012***"],
        ["als", "= 0.5 ± 0.0014", "", "12.25", "-0.0320"],
        ["[knn]", "-", "n/a", "", ""],
        ["random", "▽ 10.1001", "", Strong("never"), "+0.1000 *"],
    ]
    source = latex_tabular(rows, ["model", "HR@10", "95 %", "interactions/s", "difference"], "lrrrr")
    spec = re.search(r"\\begin\{tabular\}\{(.*)\}\n", source)[1]
    assert re.findall(r"table-format=([+\d.]+)", spec) == ["2.4", "1.4", "7.2", "+1.4"]
    assert re.sub(r"S\[.*?\](?=[S@r]|$)", "S", spec) == "lS@{\\,}SrSS"
    assert "table-space-text-pre={$\\pm$\\,}" in spec
    assert "table-space-text-post={$^{\\ensuremath{\\bigtriangledown}}$}" in spec
    assert the_rows(source) == [
        [
            "mf",
            "\\bfseries 0.5557",
            "{$\\pm$\\,} 0.0015",
            "0.542--0.570",
            "5859613{$^{\\dag{} ?}$}",
            "+0.0012{$^{***}$}",
        ],
        ["als", "0.5", "{$\\pm$\\,} 0.0014{$^{=}$}", "", "12.25", "-0.0320"],
        ["{[}knn]", "{-}", "", "n/a", "", ""],
        ["random", "10.1001", "{$^{\\ensuremath{\\bigtriangledown}}$}", "", "{\\textbf{never}}", "{+0.1000 *}"],
    ]


def test_a_run_and_a_comparison_mark_the_best_and_what_is_significant():
    run = run_table(a_report(), Format.LATEX)
    best, level, below = (row for row in the_rows(run) if row[0] in ("mf", "bpr", "random"))
    assert best[1].startswith("\\bfseries 0.")
    assert level[2].endswith("{$^{=}$}")
    assert below[2].endswith("{$^{\\ensuremath{\\bigtriangledown}}$}")
    assert "% bold: best; =: not significantly different from the best" in run
    compared = compare_table(a_comparison(), Format.LATEX)
    better, worse = the_rows(compared)[:2]
    assert (better[0], worse[0]) == ("mf", "bpr")
    assert better[4].startswith("\\bfseries")
    assert not better[2].startswith("\\bfseries")
    assert re.fullmatch(r"\+0\.\d{4}\{\$\^\{\*\*\*\}\$\}", better[6])
    assert worse[2].startswith("\\bfseries")
    assert "* p \\ensuremath{<} 0.05, ** p \\ensuremath{<} 0.01" in compared


def test_a_paper_gets_columns_about_time_only_if_asked():
    report = a_report()
    short = replace(report, summaries=tuple(replace(s, fit_seconds=Spread.of([0.0004])) for s in report.summaries))
    run = run_table(short, Format.LATEX)
    for text in ("interactions/s", "fit s", "epochs", "status", "stands for the throughput", "too short to time."):
        assert text not in run.replace("% Seeds", "")
    shown = View(("model", "hr@10", "speed", "fit", "epochs", "status"))
    asked = run_table(short, Format.LATEX, view=shown)
    assert all(text in asked for text in ("interactions/s", "fit s", "epochs", "status", "stands for the throughput"))
    assert "speed" not in compare_table(a_comparison(), Format.LATEX)
    compared = compare_table(a_comparison(), Format.LATEX, View(("model", "metric", "difference", "speed")))
    assert "% speed: median throughput of current / baseline." in compared
    assert "1.00x" in compared


def a_report():
    broken = some_trials("broken", seeds=1, status=Status.FAILED, error=f"{NASTY}\n\\end{{tabular}}")
    models = {"mf": 0.6, "bpr": 0.599, NASTY: 0.5, "popularity": 0.3, "random": 0.1}
    trials = [trial for name, skill in models.items() for trial in some_trials(name, skill)]
    return run_report(TASK, [*trials, *broken], ENVIRONMENT, (10,))


def a_leaderboard():
    trials = [*some_trials("bpr", 0.6, parameters={"l2": 1320.0}), *some_trials("bpr", parameters={"l2": 5.0})]
    return LeaderboardSources("records", trials, None, None, {}, {}, defaults={"models.bpr:Model": {"l2": 5.0}})


def test_a_leaderboard_has_a_table_for_each_part():
    source = leaderboard_latex(a_leaderboard())
    accuracy, cost = source.split("\\begin{tabular}")[1:]
    assert [row[0] for row in the_rows(accuracy)] == [row[0] for row in the_rows(cost)] == ["bpr (l2=1320)", "bpr"]
    assert the_rows(accuracy)[0][1].startswith("\\bfseries 0.")
    assert [row[1] for row in the_rows(cost)] == ["20", "20"]
    assert "% bold: best" in source


def a_comparison():
    base = a_set("base", [*some_trials("mf", 0.5), *some_trials("bpr", 0.5), *some_trials("gone", seeds=1)])
    current = a_set("current", [*some_trials("mf", 0.6), *some_trials("bpr", 0.42), *some_trials(NASTY)])
    return decide_verdicts(compare_records(base, current, measures_at(("hr",), (10,))), Policy(), "recbench compare")


DOCUMENT = r"""\documentclass{article}
\usepackage[landscape,paperwidth=60cm,margin=1cm]{geometry}
\usepackage{booktabs,siunitx}
\begin{document}
%s
\end{document}
"""


def the_compiler():
    """The command that compiles LaTeX; or why there is none."""
    if shutil.which("pdftotext") is None:
        return "pdftotext is not installed (Debian: poppler-utils)"
    if shutil.which("pdflatex"):
        has_package = subprocess.run(["kpsewhich", "siunitx.sty"], capture_output=True).returncode == 0
        return ["pdflatex", "-interaction=nonstopmode", "-halt-on-error"] if has_package else "siunitx is not installed"
    return ["tectonic", "--only-cached"] if shutil.which("tectonic") else "neither pdflatex nor tectonic is installed"


def test_latex_can_be_compiled_and_its_figures_read_back(tmp_path):
    compiler = the_compiler()
    if isinstance(compiler, str):
        pytest.skip(f"{compiler}; what is needed: texlive-latex-recommended, texlive-science, poppler-utils")
    tables = {
        run_table(a_report(), Format.TEXT): run_table(a_report(), Format.LATEX),
        compare_table(a_comparison(), Format.TEXT): compare_table(a_comparison(), Format.LATEX),
        "": leaderboard_latex(a_leaderboard()),
    }
    (tmp_path / "paper.tex").write_text(DOCUMENT % "\n\n".join(tables.values()), encoding="utf-8")
    done = subprocess.run([*compiler, "paper.tex"], cwd=tmp_path, capture_output=True, text=True)
    if compiler[0] == "tectonic" and "cache" in done.stderr:
        pytest.skip("tectonic has not cached its packages, and tests use no network")
    assert done.returncode == 0, done.stdout + done.stderr
    pages = subprocess.run(["pdftotext", "-layout", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, text=True)
    # The fonts have other shapes for some characters; the text is the same.
    shown = pages.stdout.translate(str.maketrans("\u2212\u2013\u02dc\u02c6\u2018", "- ~^`")).splitlines()
    for plain in tables:
        for line in plain.splitlines():
            if figures := re.findall(r"\b0\.\d{3,4}\b", line.partition("  ")[2]):
                model = re.match(r"\S+", line)[0]
                assert any(
                    shown_line.split()[:1] == [model]
                    and figures == re.findall(r"\b0\.\d{3,4}\b", shown_line)[: len(figures)]
                    for shown_line in shown
                ), (line, pages.stdout)
    assert any(re.match(r"bpr \(l2=1320\) +0\.5814 ± 0\.0025 ", line) for line in shown), pages.stdout
