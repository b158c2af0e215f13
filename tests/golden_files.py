"""Accepted outputs, as files: how a test holds to them, and how a change is accepted."""

import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
LONG_NUMBER = re.compile(r"-?\d+\.\d{11,}(e-?\d+)?")


def check_golden(name: str, text: str, request: pytest.FixtureRequest) -> None:
    """Fails unless ``text`` is what the file ``name`` holds; ``--accept-golden`` rewrites the file.

    Numbers in full precision are compared to 11 significant digits: which kernels a processor gets from the numeric
    libraries decides about their last ones.
    """
    path = GOLDEN / name
    if request.config.getoption("--accept-golden"):
        path.write_text(text, encoding="utf-8")
    assert _shortened(text) == _shortened(path.read_text(encoding="utf-8"))


def _shortened(text: str) -> str:
    return LONG_NUMBER.sub(lambda match: f"{float(match[0]):.11g}", text)
