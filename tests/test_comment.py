"""The comment of a pull request: its order, its width, what changed, and commands that work in another clone."""

import os
import re
import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from recbench.experiments.comparison import compare
from recbench.records.schema import SCORES_OF_FILE, Status
from recbench.records.sources import Sources
from recbench.records.target import parse_target
from recbench.reports.compare.accepted_regressions import Allowance
from recbench.reports.compare.changes import changes_of
from recbench.reports.compare.comment import comment
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import gate
from recbench.reports.compare.matching import match_groups
from recbench.reports.compare.policy import Policy
from recbench.reports.formats import Format
from recbench.reports.view import View
from tests.command_line import CommandLine
from tests.examples import ENVIRONMENT, a_set, a_trial, some_trials, write
from tests.test_baselines import git

LONG = ["recommenders.sequential.transformers:BidirectionalEncoder (layers=2, heads=4)" + end for end in ("", "x")]
STYLES = """
body { margin: 0; padding: 16px; box-sizing: border-box; width: 830px; overflow-wrap: break-word;
  font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0 }
pre { padding: 16px; overflow: auto }
"""
"""As GitHub shows a comment, as far as it decides where lines break."""
LINES_OF_CELLS = """() => [...document.querySelectorAll("th, td")].map((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const tops = [...range.getClientRects()].map((one) => Math.round(one.top));
  return [cell.textContent, new Set(tops).size];
})"""


def report(base, current, allow=(), command="recbench gate base now"):
    policy = Policy()
    allowances = [Allowance(parse_target(target), "half the memory", "--allow") for target in allow]
    comparison = compare_records(a_set("base", *base), a_set("now", *current), policy.measures, resamples=200)
    return gate(comparison, policy, command, allowances)


@pytest.fixture(scope="module")
def wide():
    """A report with long names, every kind of verdict, and an accepted regression."""
    names = [*LONG, "bpr|<b>*_`", "gone", "broken", "unsure", "same", "popularity"]
    skills = [0.3, 0.6, 0.3, None, 0.5, 0.46, 0.5, 0.2]
    base = [some_trials(name, 0.2 if name == "popularity" else 0.5, n=250) for name in names]
    current = [
        some_trials(name, skill, n=250, luck=int(name == "unsure"))
        for name, skill in zip(names, skills, strict=True)
        if skill is not None and name != "broken"
    ]
    broken = [a_trial("broken", 0, n=250, status=Status.FAILED, error="ValueError: " + "x" * 200)]
    return report(base, [*current, broken, some_trials("new", 0.5, n=250)], ["bpr|<b>*_`:hr"])


def test_the_order_is_that_of_a_reviewer(wide):
    text = comment(wide, Format.MARKDOWN)
    sections = [
        "**Gate FAILED",
        "**What changed**",
        "| model",
        "Unchanged: ",
        "**Is this intended?**",
        "**Repeat",
        "<det",
    ]
    positions = [text.index(section) for section in sections]
    assert positions == sorted(positions)
    assert "Unchanged: same, popularity (no change of more than 0.005)." in text
    assert "\n- New: new\n- Missing: gone\n" in text
    shown = text.partition("<details>")[0]
    assert "| same" not in shown
    assert "| same" in text


def test_rows_have_at_most_100_characters_and_no_line_breaks_beside_a_sign(wide):
    text = comment(wide, Format.MARKDOWN)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert max(map(len, rows)) <= 100
    assert "\u00a0±\u00a0" in text
    assert not re.search(r" ±|± ", text)
    assert not re.search(r"[-+] regressed|[-+] improved", text)
    # Names that are cut stay distinct, and are told in full.
    cut = {name.strip(): name for name in re.findall(r"^\| ([^|]*\u2026[^|]*?) *\|", text, re.MULTILINE)}
    assert len(cut) == 3
    assert all(f"\n- {short}: " in text for short in cut)
    (accepted,) = [row for row in rows if "accepted" in row]
    assert accepted.startswith("| bpr\u2026")
    assert accepted.endswith("| regressed, accepted |")
    assert "HR@10" in accepted
    assert "- Accepted: bpr\\|" in text


def test_a_reader_may_choose_columns(wide):
    text = comment(wide, Format.MARKDOWN, View(columns=("model", "verdict"), has_options=True))
    assert re.search(r"\| model +\| verdict +\|", text)
    assert "[-" not in text


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed: apt-get install chromium")
def test_no_cell_has_more_than_two_lines_in_a_browser(wide):
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment(wide, Format.MARKDOWN))
    page = f"<!DOCTYPE html><meta charset=utf-8><style>{STYLES}</style>{body.replace('<details>', '<details open>')}"
    with driver.sync_playwright() as started:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        tab = browser.new_page(viewport={"width": 830, "height": 900})
        tab.set_content(page)
        lines = tab.evaluate(LINES_OF_CELLS)
        sizes = tab.evaluate("() => [...document.querySelectorAll('table')].map((one) => one.scrollWidth)")
        if picture := os.environ.get("RECBENCH_PICTURE_OF_COMMENT"):
            tab.screenshot(path=picture, full_page=True)
        browser.close()
    assert len(lines) > 40
    assert not [cell for cell in lines if cell[1] > 2]
    assert max(sizes) <= 830 - 32


def changes(base=None, current=None):
    sides = (a_set(name, [a_trial("bpr", 0, n=20, **(fields or {}))]) for name, fields in (("a", base), ("b", current)))
    (match,) = match_groups(*sides)
    return [f"{change.kind}: {change.detail}" for change in changes_of(match)]


def test_what_changed_is_told_by_the_names_of_the_project():
    old = Sources(modules={"shop/net.py": "1", "shop/old.py": "1"}, data={"items.csv": "1"}, named={"a.txt": "1"})
    new = Sources(modules={"shop/net.py": "2"}, late_modules={"shop/new.py": "1"}, data={"items.csv": "2"})
    packages = {f"p{number}": "1" for number in range(7)}
    assert changes(
        {"sources": old, "parameters": {"a": 1, "b": None}, "code_version": "sha256:1"},
        {
            "sources": new,
            "parameters": {"a": [2, 3], "c": "x"},
            "code_version": "sha256:2",
            "recbench_version": "0.2.0",
        },
    ) == [
        "hyper-parameters: a 1 -> [2, 3], b none -> absent, c absent -> x",
        "code: shop/net.py, shop/new.py (new), shop/old.py (gone)",
        "data: a.txt (gone), items.csv",
        "versions: recbench 0.1.0 -> 0.2.0",
    ]
    assert changes() == []
    assert changes({"code_version": "sha256:1"}, {"code_version": "sha256:2"}) == ["code: the source of the class"]
    # An older record lists no files.
    assert changes({"code_version": "sha256:1"}, {"code_version": "sha256:2", "sources": new}) == [
        "code: files that one of the records does not list"
    ]
    assert changes({"reference": "a:B"}, {"reference": "c:D"}) == ["class: a:B, c:D"]
    before = ENVIRONMENT.model_copy(update={"packages": packages})
    after = ENVIRONMENT.model_copy(update={"packages": dict.fromkeys(packages, "2"), "python": "3.13.0"})
    assert changes({"environment": before}, {"environment": after}) == [
        "versions: Python 3.12.1 -> 3.13.0, p0 1 -> 2, p1 1 -> 2, p2 1 -> 2, p3 1 -> 2, and 3 more packages"
    ]


def test_equal_changes_are_told_once_and_their_absence_too():
    sources = [Sources(modules={"net.py": version}) for version in "12"]
    base, current = (
        [some_trials(name, skill, n=250, sources=model_sources, seeds=2) for name in ("bpr", "ncf")]
        for model_sources, skill in zip(sources, (0.5, 0.3), strict=True)
    )
    assert "**What changed**\n\n- Code of bpr, ncf: net.py\n\n" in comment(report(base, current), Format.MARKDOWN)
    same = [some_trials(name, 0.3, n=250, sources=sources[0], seeds=2) for name in ("bpr", "ncf")]
    line = "- No change of hyper-parameters, code, data or versions, as far as the records show"
    assert f"{line}: bpr, ncf\n" in comment(report(base, same), Format.MARKDOWN)
    assert f"{line}.\n" in comment(report(base, base), Format.MARKDOWN)
    assert f"<p><strong>What changed</strong></p>\n\n<ul>\n<li>{line[2:]}.</li>" in comment(
        report(base, base), Format.HTML
    )


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return CommandLine(capfd, monkeypatch)


def repeat(text):
    return text.partition("**Repeat the comparison**\n\n```\n")[2].partition("\n```")[0].splitlines()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_comparison_can_be_repeated_elsewhere(command, tmp_path, tmp_path_factory):
    Path("net.py").write_text("class Net:\n    def __init__(self, depth: int = 2, width: int = 8):\n        pass\n")
    own = {"reference": "net.py:Net", "parameters": {"depth": 3, "width": 8}, "n": 100}
    builtin = {"reference": "recbench_models.popularity:Popularity", "parameters": {}, "n": 100}
    write(tmp_path / "results/baselines/toy/main", some_trials("Net", **own), some_trials("popularity", 0.2, **builtin))
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "accepted")
    sha = git(tmp_path, "rev-parse", "HEAD").strip()
    elsewhere = tmp_path_factory.mktemp("runner")
    write(elsewhere / "records", some_trials("Net", 0.1, **own), some_trials("popularity", 0.2, **builtin))
    (elsewhere / "gate.toml").write_text("floor = 0.01\n")
    base = "HEAD:results/baselines/toy/main"
    done = command(
        "gate", base, str(elsewhere / "records"), "--policy", str(elsewhere / "gate.toml"), "--format", "markdown"
    )
    assert done.code == 1
    assert str(elsewhere) not in done.out
    train = "recbench run --models net.py:Net,popularity --task toy --seeds 3 --param Net.depth=3 -o results/runs"
    same = f"recbench gate {sha[:12]}:results/baselines/toy/main results/runs --policy gate.toml"
    assert repeat(done.out) == [train, same]
    assert f"{same} --allow Net:hr@10 'REASON'\n" in done.out
    assert 'commit `"Net:hr@10" = "REASON"` in `results/accepted-regressions.toml`' in done.out
    # A folder of the project keeps its name; a label needs no training.
    shutil.copytree(elsewhere / "records", "runs/now")
    assert repeat(compare("main", tmp_path / "runs/now").gate().table("markdown")) == [
        train.replace("results/runs", "runs/now"),
        "recbench gate main runs/now",
    ]
    assert repeat(compare("runs/now", "main").gate().table("markdown")) == ["recbench gate runs/now main"]


def test_further_configurations_and_records_without_a_model(command, tmp_path):
    def repeated(*trials):
        write(tmp_path / "base", some_trials("popularity", 0.2, n=100))
        shutil.rmtree("now", ignore_errors=True)
        write(tmp_path / "now", *trials)
        return repeat(compare("base", "now").gate().table("markdown"))

    deep = some_trials("Net", n=100, parameters={"depth": 9}, label="deep", reference="a.b:Net", seeds=1, threads=2)
    wide = some_trials("Net", n=100, parameters={"width": 9}, reference="a.b:Net", seeds=1, threads=2)
    later = [a_trial("Own", seed, n=100, parameters={}, reference="own.py:Own", device="cpu") for seed in (4, 5)]
    assert repeated(deep, wide, later) == [
        "recbench run --models a.b:Net --task toy --seeds 1 --param Net.width=9 --threads 2 -o now",
        "recbench run --models deep=a.b:Net --task toy --seeds 1 --param deep.depth=9 --threads 2 -o now",
        "recbench run --models own.py:Own --task toy --seeds 2 --seed 4 --device cpu -o now",
        "recbench gate base now",
    ]
    scored = some_trials("Net", n=100, reference=SCORES_OF_FILE, seeds=1)
    assert repeated(scored) == ["recbench gate base now"]
