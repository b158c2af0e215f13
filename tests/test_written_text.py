"""Text and names are the same on every system: encodings, line ends, and the separators of paths."""

import ast
import io
import os
import re
import sys
from pathlib import Path

import pytest

import recbench
from recbench.cli.shared.terminal import emit
from recbench.registry.code_version import source_code
from recbench.registry.models import find_model

SOURCES = sorted(Path(recbench.__file__).parent.rglob("*.py"))


def keywords(call):
    return {keyword.arg for keyword in call.keywords}


def writes_text(call):
    name = getattr(call.func, "attr", "")
    modes = [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    return name == "write_text" or (name == "open" and any(mode in ("w", "x", "w+") for mode in modes))


def test_encoding_and_line_ends_are_named():
    calls = [
        (source, node)
        for source in SOURCES
        # Only these are parsed, to save time.
        if {b"write_text", b"open"} & set(re.findall(rb"\w+", text := source.read_bytes()))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and writes_text(node)
    ]
    assert len(calls) > 5
    assert not [f"{source}:{node.lineno}" for source, node in calls if not {"encoding", "newline"} <= keywords(node)]


@pytest.mark.parametrize(
    ("chosen", "expected"), [(None, "0.5 ± 0.1 ≤ 1\n".encode()), ("cp1252", b"0.5 \xb1 0.1 ? 1\n")]
)
def test_redirected_output_is_utf_8_unless_the_user_chose_otherwise(monkeypatch, chosen, expected):
    written = io.BytesIO()
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    if chosen:
        monkeypatch.setenv("PYTHONIOENCODING", chosen)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252", newline="\n"))
    emit("0.5 ± 0.1 ≤ 1")
    assert written.getvalue() == expected


def test_line_ends_do_not_change_the_version_of_code(tmp_path):
    versions = set()
    for name, end in (("unix", b"\n"), ("windows", b"\r\n")):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "net.py"
        file.write_bytes(end.join([b"class Net:", b"    rate = 1", b""]))
        versions.add(source_code("net", file).version)
    assert len(versions) == 1
    file.write_bytes(b"class Net:\n    rate = 2\n")
    assert source_code("net", file).version not in versions


def test_records_name_a_model_file_alike(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sep", "\\")
    Path("shop\\net.py").write_text("", encoding="utf-8")
    assert find_model("shop\\net.py:Net").target == "shop/net.py:Net"
