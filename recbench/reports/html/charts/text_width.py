"""How wide a text is, without a browser: the widths of Helvetica, which most sans-serif fonts follow."""

import unicodedata
from typing import Final

_WIDTHS: Final = {
    "'": 191, "ijl": 222, "|": 260, " !,./:;I[\\]ft": 278, "()-`r": 333, "{}": 334, "\"": 355, "*": 389, "^": 469,
    "Jckvsxyz": 500, "#$0123456789?_abdeghnopquL": 556, "+<=>~": 584, "FTZ": 611, "&ABEKPSVXY": 667, "CDHNRUw": 722,
    "GOQ": 778, "Mm": 833, "%": 889, "W": 944, "@…": 1015,
}  # fmt: skip
_OF_CHARACTER: Final = {character: width for characters, width in _WIDTHS.items() for character in characters}
_OTHER, _WIDE = 650, 1000


def text_width(text: str, size: float) -> float:
    """Returns the width of a text in pixels.

    Args:
        text: One line.
        size: Size of the font in pixels.
    """
    return size / 1000 * sum(map(_width, text))


def _width(character: str) -> int:
    if character in _OF_CHARACTER:
        return _OF_CHARACTER[character]
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
