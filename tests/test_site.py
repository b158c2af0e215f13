"""The site of all results: its files, what is in the feed, and what counts as a regression."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.experiments.report import accepted_lines
from recbench.experiments.site import render_site
from recbench.records.history import Accepted, append
from recbench.records.history_metrics import HR
from recbench.reports.compare.policy import Policy
from recbench.reports.html.site import site_pages
from recbench.reports.regressions import regressions
from recbench.reports.trend import trends
from tests.command_line import CommandLine
from tests.examples import DIGEST, some_trials, write
from tests.hostile_text import HARMLESS, HOSTILE, same_html
from tests.test_report_page import Links, sources

ATOM = "{http://www.w3.org/2005/Atom}"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def accepted(day, hr, model="bpr", label="main", parameters="abc", seeds=3):
    """The lines of one acceptance."""
    return [
        Accepted(
            accepted_at=START + timedelta(days=day), label=label, task="toy", digest=DIGEST, model=model,
            parameters=parameters, threads=1, device="auto", seed=seed, hr=hr + seed / 1000, ndcg=hr / 2,
            hr_interval=None, interactions_per_second=1e6, sha="0" * 40,
        )
        for seed in range(seeds)
    ]  # fmt: skip


def found(*lines):
    history = [line for acceptance in lines for line in acceptance]
    return [
        (regression.trend.model, regression.after.label, round(regression.old.mean - regression.new.mean, 3))
        for regression in regressions(trends(history, [HR]), HR, Policy())
    ]


def test_a_regression_is_a_drop_beyond_the_minimum_effect_and_beyond_what_seeds_explain():
    assert found(accepted(0, 0.5), accepted(1, 0.47)) == [("bpr", "main", 0.03)]
    assert found(accepted(0, 0.5), accepted(1, 0.496)) == []
    assert found(accepted(0, 0.5), accepted(1, 0.53)) == []
    # One seed on each side: their assumed spread explains .008.
    assert found(accepted(0, 0.5, seeds=1), accepted(1, 0.493, seeds=1)) == []
    assert found(accepted(0, 0.5, seeds=1), accepted(1, 0.49, seeds=1)) == [("bpr", "main", 0.01)]


def test_an_acceptance_is_compared_with_the_one_it_replaced():
    # Of another label, or another model: nothing was replaced.
    assert found(accepted(0, 0.5), accepted(1, 0.4, label="nightly"), accepted(2, 0.3, model="ncf")) == []
    two = [*accepted(0, 0.5), *accepted(0, 0.3, parameters="def")]
    assert found(two, accepted(1, 0.4), accepted(1, 0.3, parameters="def")) == [("bpr", "main", 0.1)]
    # It is not known which of the two a third one replaced; of a single one, it is.
    assert found(two, accepted(1, 0.2, parameters="new")) == []
    assert found(accepted(0, 0.5), accepted(1, 0.2, parameters="new")) == [("bpr", "main", 0.3)]
    later = found(accepted(0, 0.5), accepted(1, 0.4), accepted(2, 0.45), accepted(3, 0.3))
    assert [drop for _, _, drop in later] == [0.15, 0.1]


def test_conditions_are_compared_whatever_their_text():
    # Beside another number of threads, a text names the threads; alone, it does not.
    fast = [line.model_copy(update={"threads": 4}) for line in accepted(0, 0.6)]
    assert found([*accepted(0, 0.5), *fast], accepted(1, 0.3)) == [("bpr", "main", 0.2)]

    # Two classes of one name have the same text, and regressions of their own.
    def of_class(lines, name):
        return [line.model_copy(update={"reference": name}) for line in lines]

    both = [line for day in (0, 1) for name in "ab" for line in of_class(accepted(day, 0.5 - day / 10), name)]
    assert found(both) == [("bpr", "main", 0.1)] * 2
    identifiers = [element.text for element in feed_of(both).iter(f"{ATOM}id")]
    assert len(identifiers) == len(set(identifiers))


def test_the_page_of_the_history_does_not_subtract_labels():
    history = [line for day in range(4) for line in accepted(day, 0.5 - day % 2 / 10, label="ab"[day % 2])]
    page = site_pages({}, history)["history.html"]
    assert re.findall(r'data-label="change">([^<]*)<', page) == ["+0.0000", "+0.0000", "", ""]
    assert page.count('class="curve') == 2


def test_the_page_of_the_history_tells_configurations_apart():
    def with_factors(lines, factors):
        values = {"hyperparameters": {"factors": factors, "epochs": 5}, "reference": "bpr"}
        return [line.model_copy(update=values) for line in lines]

    small = with_factors(accepted(0, 0.3, parameters="def"), 8)
    both = [*with_factors(accepted(0, 0.5), 64), *small]
    assert "hyper-parameters" not in site_pages({}, small)["history.html"]
    page = site_pages({}, both)["history.html"]
    assert re.findall(r'data-label="hyper-parameters">([^<]*)<.*?data-label="HR@10">([^<]*)<', page) == [
        ("factors=8", "0.3010"),
        ("factors=64", "0.5010"),
    ]


def test_tracked_runs_are_no_baselines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [
        line.model_copy(update={"is_run": True, "label": ""})
        for line in [*accepted(0, 0.5), *accepted(1, 0.3, model="ncf")]
    ]
    write(tmp_path / "results" / "runs", some_trials("bpr", n=60))
    append([*runs, *accepted(2, 0.4)])
    lines, damaged = accepted_lines()
    assert ([line.model for line in lines], damaged) == (["bpr"] * 3, [])
    assert "fell" not in render_site().files["feed.xml"]
    assert "ncf" not in render_site().files["history.html"]


def test_all_links_of_a_site_lead_to_its_own_files():
    history = [*accepted(0, 0.5), *accepted(1, 0.4)]
    files = site_pages({"one": sources(some_trials("bpr", n=60)), "two": sources(some_trials("ncf", n=60))}, history)
    assert list(files) == ["pages/one.html", "pages/two.html", "index.html", "history.html", "feed.xml"]
    for name, content in files.items():
        links = Links(content)
        for address in links.addresses:
            target, _, anchor = address.partition("#")
            if address.startswith("data:"):
                continue
            path = re.sub(r"^pages/\.\./", "", f"{name.rpartition('/')[0]}/{target}".lstrip("/")) if target else name
            assert path in files, (name, address)
            assert not anchor or f'id="{anchor}"' in files[path], (name, address)
    assert files == site_pages(
        {"one": sources(some_trials("bpr", n=60)), "two": sources(some_trials("ncf", n=60))}, history
    )


def feed_of(history):
    return ElementTree.fromstring(site_pages({}, history)["feed.xml"])


def test_the_feed_holds_the_regressions_and_keeps_their_identifiers():
    before = [*accepted(0, 0.5), *accepted(1, 0.4)]
    feed = feed_of(before)
    assert [element.tag.removeprefix(ATOM) for element in feed][:3] == ["title", "id", "updated"]
    assert feed.findtext(f"{ATOM}updated") == "2026-03-02T12:00:00+00:00"
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title").startswith("bpr on toy: HR@10 fell from 0.5010 to 0.4010 (label main, rev")
    later = feed_of([*before, *accepted(2, 0.3)]).findall(f"{ATOM}entry")
    assert len(later) == 2
    assert later[1].findtext(f"{ATOM}id") == entry.findtext(f"{ATOM}id") != later[0].findtext(f"{ATOM}id")
    assert feed_of([]).findall(f"{ATOM}entry") == []


def test_names_in_the_history_are_shown_and_never_interpreted():
    def files_of(name):
        lines = [*accepted(0, 0.5, model=name, label=name), *accepted(1, 0.4, model=name, label=name)]
        return site_pages({}, [line.model_copy(update={"task": name}) for line in lines])

    hostile, plain = files_of(HOSTILE), files_of(HARMLESS)
    for name in ("index.html", "history.html"):
        same_html(*(re.sub(r'aria-label="[^"]*"', "", files[name]) for files in (hostile, plain)))
    titles = [ElementTree.fromstring(files["feed.xml"]).find(f"{ATOM}entry/{ATOM}title") for files in (hostile, plain)]
    assert "<img src=x onerror=alert(1)>" in titles[0].text
    assert len(list(titles[0])) == 0


def test_the_feed_is_xml_whatever_a_name_holds():
    name = "a\ufffe\uffff\x00 ]]> <b>"
    titles = [
        element.text for element in feed_of([*accepted(0, 0.5, model=name), *accepted(1, 0.4, model=name)]).iter()
    ]
    assert any("a??\\u0000 ]]> <b> on toy: HR@10 fell" in (title or "") for title in titles)


def test_the_verb_writes_all_results_of_a_project(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NothingToCompareError, match="There are no records in results"):
        render_site()
    write(tmp_path / "results" / "runs", some_trials("bpr", n=60), some_trials("ncf", 0.6, n=60))
    write(tmp_path / "results" / "runs" / "replaced", some_trials("bpr", 0.1, n=60))
    command = CommandLine(capfd, monkeypatch)
    assert command("baseline", "accept", "results/runs", "--force").code == 0
    done = command("site", "-o", "public")
    assert (done.code, done.out) == (0, "public/index.html written, with 5 more files\n")
    pages = sorted(path.relative_to(tmp_path / "public").as_posix() for path in (tmp_path / "public").rglob("*.*"))
    assert pages == [
        "feed.xml", "history.html", "index.html", "pages/baselines-toy-best.html", "pages/baselines-toy-main.html",
        "pages/runs.html",
    ]  # fmt: skip
    # Pages of two folders have the same name; one folder that is named twice has one page.
    write(tmp_path / "runs", some_trials("mf", n=60))
    done = command("site", "results/runs", "runs", "./results/runs/", "main", "-o", "public")
    assert done.out == "public/index.html written, with 5 more files\n"
    assert (tmp_path / "public" / "pages" / "runs-2.html").exists()
    (tmp_path / "public" / "history.html").write_text("mine")
    before = {path: path.read_bytes() for path in (tmp_path / "public").rglob("*.*")}
    refused = command("site", "-o", "public")
    assert refused.code == 2
    assert "history.html exists and was not written by recbench" in refused.err
    assert before == {path: path.read_bytes() for path in (tmp_path / "public").rglob("*.*")}
    assert command("site", "-o", "public", "--force").code == 0
    (tmp_path / "results" / "history.jsonl").write_text("damaged\n")
    assert "line 1 is not an accepted record" in command("site", "-o", "public").err
    with pytest.raises(RecbenchError, match="nowhere"):
        render_site(["nowhere"])


def test_the_list_names_each_page_under_its_task():
    files = site_pages({"one": sources(some_trials("bpr", n=60)), "two": sources(some_trials("mf", n=60))}, [])
    assert list(files) == ["pages/one.html", "pages/two.html", "index.html", "feed.xml"]
    listed = re.findall(
        r'<li><a href="(pages/.*?)#task-1">runs</a>: .*? HR@10 of (\w+): 0\.\d{4}\.</li>', files["index.html"]
    )
    assert listed == [("pages/one.html", "bpr"), ("pages/two.html", "mf")]
