"""What a gate leaves for a pipeline: annotations, JUnit XML, the summary of a job, and a message to a web hook."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest

from recbench.errors import RecbenchError
from recbench.reports.compare.annotations import SHOWN, annotations
from recbench.reports.compare.junit import junit_xml
from recbench.reports.compare.summary import gate_summary
from recbench.webhook import Webhook
from tests.command_line import CommandLine
from tests.examples import some_trials, write
from tests.hostile_text import HOSTILE, check_visible
from tests.test_comment import LONG, report
from tests.test_comment import wide as wide  # a fixture

FEW = {"n": 250, "seeds": 2}


def test_annotations_name_each_changed_model_once(wide):
    lines = annotations([wide, wide])
    assert [re.match(r"::(\w+) title=recbench%3A ([\w.]+)", line).groups() for line in lines] == [
        ("error", "recommenders.sequential.transformers"),
        ("error", "broken"),
        ("error", "gone"),
        ("warning", "bpr"),
        ("notice", "recommenders.sequential.transformers"),
        ("notice", "unsure"),
        ("notice", "new"),
    ]
    assert "BidirectionalEncoder (layers=2%2C heads=4)::recommenders.sequential.transformers:Bidirectional" in lines[0]
    assert "(95 %25 -0." in lines[0]
    assert "Accepted: half the memory (--allow)" in lines[3]
    assert lines[5].endswith("::HR@10 inconclusive (-0.0187)%0ANDCG@10 inconclusive (-0.0183)")


def test_no_name_ends_an_annotation_and_no_more_are_written_than_shown():
    base = [some_trials(name, 0.5, **FEW) for name in (HOSTILE, *map(str, range(SHOWN + 1)))]
    lines = annotations([report(base, [some_trials(group[0].record.model, 0.3, **FEW) for group in base])])
    assert len(lines) == SHOWN
    assert all(line.count("\n") == 0 and line.startswith("::error title=recbench%3A ") for line in lines)
    check_visible("".join(lines))
    title = lines[0].removeprefix("::error title=").partition("::")[0]
    assert not re.search(r"[:,]|%(?!3A|2C|25|0A)", title)
    assert lines[-1] == "::error title=recbench%3A 3 more models::8, 9, 10"
    (alone,) = annotations([report([some_trials("a", 0.5, **FEW)], [some_trials("b", 0.5, **FEW)])])[:1]
    assert alone.startswith("::error title=recbench::no model of CURRENT could be compared")


def test_junit_has_a_test_for_each_model_and_metric(wide):
    root = ElementTree.fromstring(junit_xml([wide, wide]))
    assert (root.tag, [suite.get("id") for suite in root]) == ("testsuites", ["0", "1"])
    suite = root[0]
    # What the schemas of Ant and Jenkins ask for, in this order.
    assert {"name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"} <= set(
        suite.keys()
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
    tags = [child.tag for child in suite]
    cases = suite.findall("testcase")
    assert tags == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
    assert all(set(case.keys()) == {"name", "classname", "time"} for case in cases)
    models = [model.label for model in wide.decided.comparison.models]
    by_metric = {case.get("name"): case for case in cases if not case.get("name").endswith("throughput")}
    assert set(by_metric) == {f"{name} {metric}" for name in models for metric in ("HR@10", "NDCG@10")}
    failed = {name for name, case in by_metric.items() if case.find("failure") is not None}
    assert failed == {
        f"{LONG[0]} HR@10",
        *(f"{name} {metric}" for name in ("gone", "broken") for metric in ("HR@10", "NDCG@10")),
    }
    skipped = {name: case.find("skipped").text for name, case in by_metric.items() if case.find("skipped") is not None}
    assert set(skipped) == {"bpr|<b>*_` HR@10", "new HR@10", "new NDCG@10"}
    assert "half the memory" in skipped["bpr|<b>*_` HR@10"]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(cases)), str(len(failed)))
    failure = by_metric[f"{LONG[0]} HR@10"].find("failure")
    assert failure.get("type") == "regressed"
    assert "baseline 0.4373, current 0.2693" in failure.text


def test_junit_is_xml_whatever_a_model_is_called():
    name = HOSTILE + "\x00\x0b\ufffe\ud800]]>"
    base, current = ([some_trials("bpr", skill, label=label, **FEW)] for skill, label in ((0.5, "x"), (0.3, "x")))
    made = report(base, current)
    (model,) = made.decided.comparison.models
    object.__setattr__(model, "label", name)
    text = junit_xml([made])
    assert ElementTree.fromstring(text.encode()).find(".//testcase").get("name").startswith("pop|<img src=x")
    assert not re.search("[\x00\x0b\ufffe\ud800]", text)


def test_the_summary_has_a_picture_of_the_changed_models(wide):
    text = gate_summary([wide])
    chart = text.partition("```mermaid\n")[2].partition("\n```")[0].splitlines()
    assert chart[1] == "xychart-beta horizontal"
    labels = re.findall(r'"([^"]*)"', chart[3])
    bars = [float(value) for value in chart[5].removeprefix("  bar [").removesuffix("]").split(", ")]
    assert len(labels) == len(bars) == 8
    assert labels[2:4] == ["recommenders.sequenti... baseline 0.4373", "recommenders.sequentia... current 0.5400"]
    assert labels[4] == "bpr??b??_? baseline 0.4373"
    assert bars[4:6] == [0.4373, 0.2693]
    assert all(len(label) <= 40 and re.fullmatch(r"[\w .,@+=()/?-]*", label) for label in labels)
    assert "mermaid" not in gate_summary([report([], [some_trials("new", 0.5, **FEW)])])


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    write(Path("before"), some_trials("bpr", 0.5, **FEW))
    write(Path("after"), some_trials("bpr", 0.3, **FEW))
    return CommandLine(capfd, monkeypatch)


def test_files_are_written_and_those_of_others_are_kept(command):
    files = {"--junit": "gate.xml", "--annotations": "a/annotations.txt", "--summary": "gate.md"}
    words = [word for pair in files.items() for word in pair]
    for _ in range(2):
        assert command("gate", "before", "after", *words).code == 1
    assert ElementTree.parse("gate.xml").getroot().get("name") is None
    assert Path("a/annotations.txt").read_text().splitlines()[1].startswith("::error title=recbench%3A bpr::bpr HR@10")
    assert "```mermaid" in Path("gate.md").read_text()
    Path("junit.xml").write_text("<testsuites/>\n")
    done = command("gate", "before", "after", "--junit", "junit.xml")
    assert (done.code, done.out) == (2, "")
    assert "junit.xml exists and was not written by recbench" in done.err
    assert "--force" not in done.err


class Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("Authorization"), json.loads(body)))
        if self.server.status is None:
            self.server.release.wait(10)
            return
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def server(status):
    made = HTTPServer(("127.0.0.1", 0), Answers)
    made.asked, made.status, made.release = [], status, threading.Event()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made, f"http://me:pass%20word@127.0.0.1:{made.server_port}/hook?key=hidden"
    finally:
        made.release.set()
        made.shutdown()
        made.server_close()


def test_a_web_hook_gets_the_document(command):
    with server(204) as (made, url):
        done = command("gate", "before", "after", "--notify", url, "--json")
    ((path, authorization, document),) = made.asked
    assert (done.code, path, authorization) == (1, "/hook?key=hidden", "Basic bWU6cGFzcyB3b3Jk")
    assert document.pop("text") == document["headline"]
    assert document == json.loads(done.out)
    assert "Warning" not in done.err


@pytest.mark.parametrize(
    ("status", "problem"), [(500, "HTTP 500"), (302, "HTTP 302"), (None, "no answer within 0.3 s")]
)
def test_a_web_hook_that_fails_is_one_warning(command, monkeypatch, status, problem):
    monkeypatch.setattr(Webhook.post, "__defaults__", (0.3,))
    with server(status) as (made, url):
        done = command("gate", "before", "after", "--notify", url)
    assert (done.code, len(made.asked)) == (1, 1)
    (line,) = [line for line in done.err.splitlines() if "Warning" in line]
    assert line == f"Warning: --notify: 127.0.0.1 did not take the message: {problem}."
    assert not re.search("hidden|word|me:", done.err + done.out)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/hidden",
        "hidden",
        "",
        "http://",
        "http://a:b:hidden",
        "http://[hidden",
        "http://a b",
    ],
)
def test_what_is_no_address_is_refused_before_anything_else(command, url):
    done = command("gate", "before", "nowhere", "--notify", url)
    assert (done.code, done.out) == (2, "")
    assert "--notify" in done.err
    assert "nowhere" not in done.err
    assert "hidden" not in done.err
    with pytest.raises(RecbenchError) as refused:
        Webhook.read(url)
    assert "hidden" not in repr(refused.value)


def test_no_secret_of_an_address_is_shown():
    hook = Webhook.read("https://user:hidden@example.org:8443/hidden?hidden#x")
    assert (repr(hook), hook.url) == ("Webhook(host='example.org')", "https://example.org:8443/hidden?hidden")
    assert Webhook.read("http://nowhere.invalid/hidden").post({}).count("hidden") == 0
