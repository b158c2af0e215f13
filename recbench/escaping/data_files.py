"""Text in files for other programs: CSV and JSON."""

import json
import re
from typing import Any, Final

from recbench.escaping.terminal import INVISIBLE, one_line

_FORMULA: Final = re.compile(r"\s*[=@]|\s*[+-](?![\d.,]+(e[+-]?\d+)?( ?%)?$)", re.IGNORECASE)
"""How a text begins that a spreadsheet computes. A signed number is a number there too."""
_IN_JSON: Final = re.compile(rf"{INVISIBLE.pattern}|#(?=#\w*\[)")
"""What a terminal or the log of a CI system would interpret; in JSON it can only be within a string."""


def csv_cell(value: object) -> object:
    r"""Returns the value of a cell of a CSV file; numbers and None are unchanged.

    A text becomes one line, so that each line of the file is a row. A text that a spreadsheet would take for a formula,
    such as ``=HYPERLINK(...)``, gets an apostrophe, which spreadsheets take for "this is text". JSON keeps all text
    exactly.

    >>> csv_cell("a,b"), csv_cell("=1+1"), csv_cell("-0.0772"), csv_cell("a\nb"), csv_cell(-1.5)
    ('a,b', "'=1+1", '-0.0772', 'a b', -1.5)
    """
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if _FORMULA.match(text) else text


def json_text(document: Any, *, ascii_only: bool = False) -> str:
    r"""Renders a JSON document, numbers in full precision; a byte of a path that is not UTF-8 becomes ``\udce9``.

    Text is exact when it is read back. Characters that a terminal would execute or hide are written as ``\u001b``.

    Args:
        document: Objects, lists, texts and finite numbers.
        ascii_only: Write every other character in this way.
    """
    text = json.dumps(document, indent=2, ensure_ascii=ascii_only, allow_nan=False)
    return _IN_JSON.sub(_json_escape, text).encode("utf-8", "backslashreplace").decode("utf-8")


def _json_escape(match: re.Match[str]) -> str:
    return "\\u0023" if match[0] == "#" else json.dumps(match[0])[1:-1]
