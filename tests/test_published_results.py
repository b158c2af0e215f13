"""The records in results/ hold nothing of the machine on which they were made but what they name on purpose."""

import re

import pytest

from tests.conftest import ROOT

PATH = re.compile(r"(?<![\w./])/(?:home|mnt|opt|private|root|srv|tmp|usr|Users|var|work)/|\b[A-Za-z]:\\\\")
TEXTS = [file for file in (ROOT / "results").rglob("*") if file.suffix in {".json", ".jsonl", ".md", ".toml"}]


def test_no_published_file_holds_a_path_of_a_machine():
    assert len(TEXTS) > 100
    assert [file.name for file in TEXTS if PATH.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("No module named x (/home/ada/net.py, line 6)", True),
        ('"/usr/lib/libm.so"', True),
        ('"C:\\\\Users\\\\ada"', True),
        ("https://example.org/home/data.zip", False),
        ("recbench/evaluation/usr/", False),
    ],
)
def test_what_is_a_path(text, is_path):
    assert bool(PATH.search(text)) == is_path
