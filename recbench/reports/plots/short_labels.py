"""Names of models as the labels of a picture: numbers rounded, and the middle of long names left out."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Final
from unicodedata import east_asian_width

_NUMBER: Final = re.compile(r"(?<==)-?\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+)(?=[,)\]]|$)")
"""The value of a hyper-parameter with many digits, in a name such as ``bpr (learning_rate=0.07135956343263965)``."""
_LARGE: Final = 1e6
_DIGITS: Final = (3, 4, 6, 9)


def short_labels(names: Sequence[str], most: int | None = None) -> list[str]:
    """Returns a label for each name; labels of different names differ if at all possible.

    Args:
        names: The names of the models.
        most: The most columns of a label; None for any number.

    >>> short_labels(["bpr (rate=0.07135956)", "bpr (rate=0.0713999)", "ease"], 30)
    ['bpr (rate=0.07136)', 'bpr (rate=0.0714)', 'ease']
    >>> short_labels(["ease (l2=1320.0)"])
    ['ease (l2=1320)']
    """
    labels = list(names)
    for digits in _DIGITS:
        labels = [_rounded(name, digits) for name in names]
        if len(set(labels)) == len(set(names)):
            break
    return labels if most is None else [_shortened(label, most) for label in labels]


def _rounded(name: str, digits: int) -> str:
    def in_digits(match: re.Match[str]) -> str:
        value = float(match[0])
        # All digits before the point: 1320 is no longer than 1.32e+03.
        before = len(f"{abs(value):.0f}") if abs(value) < _LARGE else 0
        return f"{value:.{max(digits, before)}g}"

    return _NUMBER.sub(in_digits, name)


def _shortened(label: str, most: int) -> str:
    if _columns(label) <= most:
        return label
    tail = (most - 1) // 3
    return f"{_start(label, most - 1 - tail)}…{_start(label[::-1], tail)[::-1]}"


def _start(text: str, most: int) -> str:
    """Returns the longest start of a text that has at most so many columns."""
    widths = accumulate(map(_columns, text))
    return text[: sum(width <= most for width in widths)]


def _columns(text: str) -> int:
    """Returns how many columns a text takes in a terminal: Chinese, Japanese and Korean characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
