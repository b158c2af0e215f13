"""CONTRIBUTING: the files that it names exist."""

import re

from tests.conftest import ROOT

PATH = re.compile(r"(?<![\w./-])(?:recbench|models|tests|docs|examples|benchmarks|results)/[\w./-]*")
PLACEHOLDERS = re.compile(r"NAME|VERB|OWNER|TEST\b")


def named_paths(name):
    text = re.sub(r"```.*?```", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
    return {
        path
        for quoted in re.findall(r"`([^`\n]+)`", text)
        for path in PATH.findall(quoted)
        if not PLACEHOLDERS.search(path)
    }


def test_what_contributing_names_exists():
    paths = named_paths("CONTRIBUTING.md")
    assert len(paths) > 30
    assert not {path for path in paths if not (ROOT / path).exists()}


def test_there_are_six_walks():
    walks = re.findall(r"^### Add a (\w+)$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    assert walks == ["metric", "split", "format", "verb", "model", "runner"]
