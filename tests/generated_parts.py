"""Parts of the documentation that are made from the code.

A page marks such a part with ``<!-- generated: NAME -->`` before it and ``<!-- end of NAME -->`` after it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

PART = re.compile(r"(?P<start><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<end><!-- end of (?P=name) -->)", re.DOTALL)


def with_current_parts(text: str, generators: Mapping[str, Callable[[], str]]) -> str:
    """Returns a page with its generated parts as the code makes them now."""
    return PART.sub(lambda part: f"{part['start']}\n{generators[part['name']]().strip()}\n\n{part['end']}", text)


def names_of_parts(text: str) -> list[str]:
    """Returns the names of the generated parts of a page."""
    return [part["name"] for part in PART.finditer(text)]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table; a ``|`` in a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Returns text as inline code; nothing for no text."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Returns the text of a docstring or of a help as one line of Markdown in which nothing is markup but code."""
    text = re.sub(r"'(recbench [^']+)'", r"`\1`", " ".join(text.replace("``", "`").split()))
    pieces = re.split(r"(`[^`]+`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([\\*_<\[\]])", r"\\\1", piece) for piece in pieces)
