"""The report page in a real browser: it sorts, it fits, it asks for nothing, and it can be heard and typed."""

import csv
import os
import shutil
from pathlib import Path

import pytest

from recbench.reports.cells import NO_FIGURE
from recbench.reports.html.report_page import report_page
from tests.examples import a_curve, some_trials
from tests.hostile_text import HOSTILE
from tests.test_hostile_text import trials_of
from tests.test_report_page import OTHER_TASK, sources

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")

WIDTHS = (390, 600, 800, 1000, 1400)
OVERLAPS = """() => [...document.querySelectorAll("svg.chart")].flatMap((svg) => {
  if (!svg.checkVisibility()) return [];
  const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const across = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5;
  const meet = (a, b) => across(a, b) && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  return boxes.flatMap(([name, a], i) => boxes.slice(i + 1).filter(([, b]) => meet(a, b)).map(([b]) => [name, b]));
})"""
"""Texts of a chart that overlap; boxes of texts have two pixels of free room above and below."""
BROKEN_WORDS = """() => [...document.querySelectorAll("table.data td b, table.data thead button")].flatMap((one) => {
  const text = one.firstChild, words = one.checkVisibility() && text ? [...text.data.matchAll(/\\S+/g)] : [];
  return words.map((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1 ? word[0] : "";
  }).filter(Boolean);
})"""
"""Words and numbers in cells and headers that are on two lines."""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5 && one.checkVisibility())
  .map((one) => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="session")
def browser():
    with playwright.sync_playwright() as driver:
        # In a container the user is root, for whom chromium has no sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page with everything: 12 models, curves, two tasks, a failed trial, hostile names."""
    curve = a_curve(0.1, 0.2, 0.4)
    models = [
        some_trials(
            f"model-{number}", 0.5 + 0.01 * number, seeds=2, n=60, luck=number, curve=curve, fit_seconds=1.0 + number
        )
        for number in range(6)
    ]
    weak = [
        some_trials(name, hr, seeds=2, n=60, fit_seconds=0.001) for name, hr in (("popularity", 0.2), ("random", 0.1))
    ]
    hostile = [trial for name in (HOSTILE, "n" * 200) for trial in trials_of(name, seeds=2, curve=curve)]
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report_page(sources(*models, *weak, hostile, some_trials("bpr", n=60, task=OTHER_TASK))))
    return file


@pytest.fixture
def opened(browser, page_file):
    """Opens the page; afterwards, checks that it asked for nothing and that no script failed."""
    contexts = []

    def open_page(**settings):
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **settings})
        page, requests, problems = context.new_page(), [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.goto(page_file.as_uri())
        contexts.append((context, requests, problems))
        return page

    yield open_page
    for context, requests, problems in contexts:
        context.close()
        assert [url for url in requests if not url.startswith(("file:", "blob:", "data:"))] == []
        assert [url for url in requests if url.startswith("file:")] == [page_file.as_uri()]
        assert problems == []


def names(page, table=0):
    return page.locator("table.data").nth(table).locator("tbody th").all_inner_texts()


def figures(page, column):
    cells = page.locator("table.data").first.locator(f"tbody tr td:nth-child({column + 1}) b").all_inner_texts()
    return [float(cell) if cell != NO_FIGURE else None for cell in cells]


def test_a_click_or_a_key_on_a_header_sorts_the_rows(opened):
    page = opened()
    table = page.locator("table.data").first
    written = names(page)
    assert figures(page, 1)[0] == max(value for value in figures(page, 1) if value is not None)
    table.get_by_role("button", name="NDCG@10").click()
    values = figures(page, 2)
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    # Rows without a figure stay last in both orders.
    assert values[: len(known)] == known
    assert table.locator("th[aria-sort]").all_inner_texts() == ["NDCG@10"]
    page.keyboard.press("Enter")
    assert [value for value in figures(page, 2) if value is not None] == known[::-1]
    assert figures(page, 2)[-1] is None
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    table.get_by_role("button", name="model", exact=True).press("Space")
    assert names(page) != written
    assert sorted(names(page)) == sorted(written)


def test_every_width_has_room_for_everything_in_light_and_in_dark(opened):
    page = opened(java_script_enabled=True)
    page.locator("details:not([open]) summary").evaluate_all("(all) => all.forEach((one) => one.click())")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(TOO_WIDE) == [], width
        assert page.evaluate(OVERLAPS) == [], width
        assert page.evaluate(BROKEN_WORDS) == [], width
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_axe_finds_no_violation(opened):
    source = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = opened()
    page.evaluate(source)
    for scheme, width in (("light", 1400), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        result = page.evaluate("axe.run({resultTypes: ['violations']})")
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in result["violations"]] == []
        assert len(result["passes"]) > 20


def test_a_download_is_unpacked(opened):
    page = opened()
    with page.expect_download() as begun:
        page.get_by_role("link", name="toy-pairs.csv").click()
    assert begun.value.suggested_filename == "toy-pairs.csv"
    rows = list(csv.DictReader(begun.value.path().read_text().splitlines()))
    assert len({row["first"] for row in rows}) > 5


def test_the_page_works_without_scripts(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("table.data").first.is_visible()
    link = page.locator("table.data tbody th a").first
    link.click()
    assert page.locator(":target h4").inner_text() == link.inner_text()
