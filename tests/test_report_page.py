"""The report page: what it shows, and that it needs nothing but itself."""

import base64
import csv
import gzip
import html
import io
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from pydantic import TypeAdapter

from recbench.experiments.report import expanded, render_report
from recbench.records.ranks_file import ranks_to_bytes
from recbench.records.schema import CurvePoint, Status, TaskIdentity
from recbench.reports.cells import NO_FIGURE
from recbench.reports.html.bibtex import bibtex
from recbench.reports.html.charts.curves_chart import mean_curve
from recbench.reports.html.report_page import PageSources, report_page, task_sections
from recbench.reports.html.section_report import section_report
from recbench.reports.plots.styles import DARK, LIGHT, MARKERS, style
from recbench.reports.run.document_types import ReportDocument
from tests.command_line import CommandLine
from tests.examples import DIGEST, a_curve, a_set, a_trial, some_trials, with_ranks, write
from tests.hostile_text import HARMLESS, HOSTILE, check_visible, same_html
from tests.test_hostile_text import trials_of

OTHER_TASK = TaskIdentity(name="other", digest="sha256:" + "cd" * 32)


def sources(*trials, history=()):
    return PageSources([a_set("runs", *trials)], None, history, {"models.bpr:Model": "bpr"}, ())


def twelve_models(**changes):
    return [some_trials(f"model-{number}", 0.3 + 0.02 * number, luck=number, **changes) for number in range(12)]


class Links(HTMLParser):
    """All addresses of a page, and its text by element."""

    def __init__(self, page):
        super().__init__()
        self.addresses, self.ids, self.tags = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]


def downloads(page):
    """The files inside a page, by name."""
    files = {}
    for address, name in re.findall(r'<a href="data:[^"]*;base64,([^"]*)" download="([^"]*)"', page):
        content = base64.b64decode(address)
        files[name.removesuffix(".gz")] = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    return files


def test_the_page_needs_nothing_but_itself():
    page = report_page(sources(*twelve_models(n=100, curve=a_curve(0.1, 0.3, 0.4))))
    links = Links(page)
    assert len(links.addresses) > 50
    assert all(address.startswith(("#", "data:")) for address in links.addresses), links.addresses
    assert {address[1:] for address in links.addresses if address.startswith("#")} <= set(links.ids)
    assert len(links.ids) == len(set(links.ids))
    assert not {"iframe", "img", "object", "embed", "base"} & set(links.tags)
    assert "@import" not in page
    assert "url(" not in page
    assert len(page.encode()) < 300_000
    assert page == report_page(sources(*twelve_models(n=100, curve=a_curve(0.1, 0.3, 0.4))))


def test_the_tables_have_the_figures_of_the_ranks():
    (section,) = task_sections(sources(some_trials("bpr", 0.42), some_trials("mf", 0.6), some_trials("ease", 0.6)))
    quality, cost = section.tables
    assert [row.name for row in quality.rows] == ["mf", "ease", "bpr"]
    first, last = quality.rows[0].cells[0], quality.rows[-1].cells[0]
    assert (first.mark, last.mark) == ("best", "")
    assert re.fullmatch(r"±\xa00\.0\d{3} \[0\.5\d\d,\xa00\.6\d\d\]", first.detail)
    assert section.findings[0].startswith("Best by HR@10: mf and ease, 0.")
    assert [column.title for column in cost.columns][:3] == ["training time, s", "CPU time, s", "interactions/s"]
    (matrix, _) = section.matrices
    differences = [[cell.difference for cell in row] for row in matrix.cells]
    assert differences[0][1] == "+.0000"
    assert differences[0][2].replace("+", "−") == differences[2][0]
    assert [cell.result for cell in matrix.cells[0]] == ["none", "equal", "better"]
    assert [cell.result for cell in matrix.cells[2]] == ["worse", "worse", "none"]


def test_downloads_hold_all_figures():
    page = report_page(sources(some_trials("bpr", 0.42, parameters={"rate": 0.0123456789}), some_trials("bpr", 0.6)))
    files = downloads(page)
    assert list(files) == ["toy.csv", "toy-pairs.csv", "toy.json", "toy.bib"]
    rows = list(csv.DictReader(io.StringIO(files["toy.csv"])))
    # The page rounds hyper-parameters in names; the files do not.
    assert "bpr (rate=0.0123)" in page
    assert any("rate=0.0123456789" in row["model"] for row in rows)
    document = json.loads(files["toy.json"])
    assert document["task"]["digest"] == DIGEST
    assert len(document["results"]) == len(rows) == 2
    assert len(list(csv.DictReader(io.StringIO(files["toy-pairs.csv"])))) == len(document["pairs"])
    TypeAdapter(ReportDocument).validate_json(files["toy.json"], strict=True)
    assert document["task"] == {
        "name": "toy", "digest": DIGEST, "n_users": 1200, "n_items": None, "n_train": 56_000, "n_cases": 1200,
    }  # fmt: skip
    assert files["toy.bib"].startswith("@misc{recbench-toy,\n")
    assert "2 configurations; 6 trials; " in files["toy.bib"]


def test_a_citation_counts_and_has_a_key_of_its_own():
    report = section_report([a_set("runs", some_trials("bpr", n=60, seeds=1))])

    def citation(name):
        return bibtex(report, TaskIdentity(name=name, digest=DIGEST))

    assert "1 configuration; 1 trial; " in citation("toy")
    keys = [citation(name).split(",")[0] for name in ("toy 1", "日本", "中国", "тест-1")]
    assert keys == [
        "@misc{recbench-toy-1", "@misc{recbench-cf2abf0c", "@misc{recbench-f0e95216", "@misc{recbench-1-bc0576e1",
    ]  # fmt: skip


def test_curves_cohorts_history_and_commands(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "runs", some_trials("bpr", seeds=2, curve=a_curve(0.1, 0.3, 0.5)), some_trials("ncf", 0.6))
    command = CommandLine(capfd, monkeypatch)
    assert command("baseline", "accept", "runs", "--force").code == 0
    assert command("report", "runs", "-o", "page.html").out == "page.html written\n"
    page = (tmp_path / "page.html").read_text()
    assert "HR@10 during training" in page
    assert "Final values: bpr: 0.5000 after 3 s." in page
    assert re.search(r"<figcaption>bpr: 0\.\d{4} on \d{4}-\d\d-\d\d \(main\)</figcaption>", page)
    commands = html.unescape(re.search(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)[1]).splitlines()
    assert commands == [
        "recbench run --models models.ncf:Model --task toy --param ncf.epochs=20 --param ncf.factors=64 --seeds 3 "
        "--threads 1 -o runs",
        "recbench run --models models.bpr:Model --task toy --param bpr.epochs=20 --param bpr.factors=64 --seeds 2 "
        "--threads 1 --curve all -o runs",
    ]
    assert command("report", "runs", "-o", "page.html").code == 0
    (tmp_path / "page.html").write_text(page.replace("bpr", "edited"))
    assert "was edited after recbench wrote it" in command("report", "runs", "-o", "page.html").err
    assert command("report", "nowhere").code == 2


def test_the_final_value_of_a_curve_is_the_mean_of_the_ends():
    # One seed stops early, with the figure that the other has later.
    curves = [a_curve(0.1, 0.5), a_curve(0.1, 0.2, 0.3, 0.4)]
    points = mean_curve(curves, "hr@10")
    assert [(seconds, round(value, 4)) for seconds, value in points] == [(1.0, 0.1), (2.0, 0.35), (3.0, 0.45)]
    trials = [a_trial("bpr", seed, n=60, curve=curve) for seed, curve in enumerate(curves)]
    assert "Final values: bpr: 0.4500 after 3 s." in report_page(sources(trials))
    # Points every five epochs, and at an end of its own for each seed.
    apart = [
        [CurvePoint(epoch=epoch, fit_seconds=float(epoch), metrics={"hr@10": hr}) for epoch, hr in ((5, 0.3), end)]
        for end in ((7, 0.44), (8, 0.46))
    ]
    assert mean_curve(apart, "hr@10") == ((5.0, 0.3), (7.5, pytest.approx(0.45)))
    assert mean_curve(apart, "ndcg@10") == ()


def test_records_of_several_tasks_have_a_section_each(tmp_path):
    write(tmp_path / "runs", some_trials("bpr"), some_trials("ncf", 0.6), some_trials("bpr", 0.3, task=OTHER_TASK))
    page = render_report([str(tmp_path / "runs")]).text
    assert re.findall(r"<h2 [^>]*>(.*?)</h2>", page) == ["Task other", "Task toy"]
    assert "2 tasks. Figures of different tasks cannot be compared." in page
    # The same record twice is one record; the same configuration in two runs is shown twice.
    both = render_report([str(tmp_path / "runs"), str(tmp_path / "runs")]).text
    assert both == page
    assert expanded(["runs", str(tmp_path / "runs"), f"{tmp_path}/./runs", "main"]) == [
        "runs", str(tmp_path / "runs"), "main",
    ]  # fmt: skip
    write(tmp_path / "later", some_trials("bpr", 0.45))
    assert f"bpr ({tmp_path / 'later'})" in render_report([str(tmp_path / "runs"), str(tmp_path / "later")]).text


def test_failed_trials_and_records_without_ranks_are_shown(tmp_path):
    failed = some_trials("bpr", status=Status.FAILED, error="ValueError: boom\nTraceback")
    page = report_page(sources(failed))
    assert "No trial has ranks, so there are no figures of quality." in page
    assert "bpr, seeds 0, 1, 2: ValueError: boom" in page
    assert "Failed: bpr (3 of 3 trials)." in page
    # An interrupted trial has no error.
    stopped = [*some_trials("mf", 0.5), a_trial("mf", 3, status=Status.INTERRUPTED)]
    late = some_trials("ncf", status=Status.TIMED_OUT, error="x")
    (section,) = task_sections(sources(failed, stopped, late))
    assert section.findings[-3:] == (
        "Failed: bpr (3 of 3 trials).", "Timed out: ncf (3 of 3 trials).", "Interrupted: mf (1 of 4 trials).",
    )  # fmt: skip
    assert "Quality against cost" not in page
    beside = report_page(sources(failed, some_trials("ncf", 0.6)))
    assert "HR@10 of ncf: 0." in beside
    assert "significantly better" not in beside
    folder = write(tmp_path / "runs", some_trials("bpr"), some_trials("ncf", 0.6), some_trials("mf", 0.55))
    ranks = sorted(folder.glob("*.npz"))
    ranks[0].unlink()
    ranks[3].write_bytes(b"damaged")
    of_other = with_ranks(some_trials("mf", 0.2)[2], users=np.arange(1200, dtype=np.int32)[::-1].copy())
    ranks[8].write_bytes(ranks_to_bytes(of_other.ranks))
    shown = render_report([str(folder)])
    assert len(shown.warnings) == 3
    for path in (ranks[0], ranks[3], ranks[8].with_suffix(".json")):
        assert str(path) in "".join(shown.warnings)
    assert shown.text.count("No trial has ranks") == 1
    (section,) = task_sections(PageSources([a_set("runs", some_trials("bpr"))], None, (), {}, ()))
    assert section.tables[0].rows[0].cells[0].text != NO_FIGURE


def test_trials_with_other_cases_are_not_compared():
    odd = with_ranks(some_trials("ncf", 0.6, seeds=1)[0], users=np.arange(1, 1201, dtype=np.int32))
    (section,) = task_sections(sources(some_trials("bpr", seeds=1), [odd]))
    assert section.notes[0].startswith("runs/ncf-0.json has other cases than the first record of its task.")
    assert [row.cells[0].text == NO_FIGURE for row in section.tables[0].rows] == [False, True]


@pytest.mark.parametrize("name", [HOSTILE, "n" * 200, "名" * 200], ids=["hostile", "long", "wide"])
def test_names_are_shown_and_never_interpreted(name):
    def page_of(model_name):
        curve = a_curve(0.1, 0.2)
        trials = [*trials_of(model_name, curve=curve), *some_trials("bpr", n=60, curve=curve)]
        return report_page(replace(sources(trials), problems=(model_name,)))

    page, plain = page_of(name), page_of(HARMLESS)
    check_visible(re.sub(r'href="data:[^"]*"', "", page))
    # Attributes that hold a name differ, and nothing else: no element, no attribute, no comment is new. In charts, the
    # labels have other places, and so lines that lead to them.
    charts = re.compile(r'(<svg class="(?:chart|small)[^>]*>)(.*?)</svg>', re.DOTALL)
    attributes = re.compile(r'(?<= )(?:href|download|title|aria-label|data-[a-z]+)="[^"]*"')
    same_html(*(attributes.sub("", charts.sub(r"</svg>", markup)) for markup in (page, plain)))
    for _, inside in charts.findall(page):
        assert set(re.findall(r"<[^\s>]*", inside)) <= {
            "<path",
            "<use",
            "<title",
            "</title",
            "</use",
            "<text",
            "</text",
        }
    if name is HOSTILE:
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert "\\u001b[31mred" in page
    else:
        assert name in page


def test_many_configurations_are_shown_and_only_the_best_are_compared(monkeypatch):
    for module in ("run.best_compared", "html.section"):
        monkeypatch.setattr(f"recbench.reports.{module}.MOST_COMPARED", 20)
    trials = [some_trials(f"configuration-{number:028}", 0.5, seeds=1, n=40, luck=number) for number in range(30)]
    (section,) = task_sections(sources(*trials))
    assert len(section.tables[0].rows) == 30
    assert any("Only the best 20 of 30 configurations are compared" in note for note in section.notes)
    assert (len(section.matrices[0].models), section.matrices[0].n_left_out) == (16, 4)
    # 20 long labels at one place do not fit. Those that are there do not overlap: the test in the browser looks.
    assert any("No room for the labels of" in note for note in section.speed_quality.notes)


def luminance(colour):
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(first_colour, second_colour):
    """Of WCAG 2."""
    a, b = (float(luminance(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (first_colour, second_colour))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What the three kinds of colour blindness do to linear RGB: Machado, Oliveira and Fernandes (2009), severity 1."""
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(linear):
    xyz = np.clip(np.array(TO_XYZ) @ np.clip(linear, 0, 1) / [0.9505, 1, 1.089], 1e-9, None)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(("colours", "ground"), [(LIGHT, "#ffffff"), (DARK, "#14181d")], ids=["light", "dark"])
def test_colours_are_distinct_for_colour_blind_readers(colours, ground):
    assert all(contrast(colour, ground) >= 3 for colour in colours)
    seen = {"nothing": np.eye(3), **{name: np.array(matrix) for name, matrix in DEFICIENCIES.items()}}
    for name, matrix in seen.items():
        for first_colour, second_colour in itertools.combinations(colours, 2):
            distance = np.linalg.norm(lab(matrix @ luminance(first_colour)) - lab(matrix @ luminance(second_colour)))
            assert distance > 30, (name, first_colour, second_colour, distance)


def test_42_models_have_different_styles():
    assert len({style(number) for number in range(len(LIGHT) * len(MARKERS))}) == 42
    neighbours = [(style(number), style(number + 1)) for number in range(60)]
    assert all(
        first_style.colour != second_style.colour and first_style.marker != second_style.marker
        for first_style, second_style in neighbours
    )
