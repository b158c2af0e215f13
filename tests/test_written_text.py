"""Text has the same bytes on every system: its encoding and its line ends are named where it is written."""

import ast
from pathlib import Path

import recbench

SOURCES = sorted(Path(recbench.__file__).parent.rglob("*.py"))


def keywords(call):
    return {one.arg for one in call.keywords}


def writes_text(call):
    name = getattr(call.func, "attr", "")
    modes = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return name == "write_text" or (name == "open" and any(mode in ("w", "x", "w+") for mode in modes))


def test_encoding_and_line_ends_are_named():
    calls = [
        (source, node)
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_bytes()))
        if isinstance(node, ast.Call) and writes_text(node)
    ]
    assert len(calls) > 5
    assert not [f"{source}:{node.lineno}" for source, node in calls if not {"encoding", "newline"} <= keywords(node)]
