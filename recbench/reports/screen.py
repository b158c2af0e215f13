"""The terminal that a table is made for, and texts that fit its width."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, chop_cells

from recbench.text_encoding import READABLE

BOLD: Final = "\x1b[1m"
PLAIN: Final = "\x1b[22m"
"""The only control codes of a screen; those of names are escaped before."""
_COMMAND: Final = re.compile(
    r"(?:^|(?<=[:;] ))(?:recbench|python3?|pip|uv|git|dask|tox) (?:(?![;,.] ).)*(?:(?<![;,.])| \.\.\.)$"
)
"""A command at the end of a line. What ends like a sentence, or has a pause, is prose."""
_SHELL_WORD: Final = re.compile(r"""(?:\$?'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""")
_UNQUOTED: Final = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_INDENT: Final = "  "


FALLBACK_WIDTH: Final = 80
"""The width of a terminal that does not tell its own."""


def terminal_width(descriptor: int) -> int:
    """Returns the columns of a terminal; the variable COLUMNS takes precedence."""
    text = os.environ.get("COLUMNS", "")
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        columns = os.get_terminal_size(descriptor).columns
    except OSError:
        columns = 0
    # The console of Windows goes to the next line after the last column.
    return (columns or FALLBACK_WIDTH) - (os.name == "nt")


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal.

    Attributes:
        width: Columns.
        styled: Whether it shows bold text.
        encoding: What its characters are written in.
    """

    width: int
    styled: bool = False
    encoding: str = "utf-8"

    def shown(self, text: str) -> str:
        """Returns a text as the terminal shows it: characters outside of its encoding are replaced."""
        return text.encode(self.encoding, READABLE).decode(self.encoding)

    @property
    def ellipsis(self) -> str:
        """Stands for the characters that are left out of a text."""
        return "…" if self.shown("…") == "…" else "~"

    def cut(self, text: str, width: int, *, at_end: bool = False) -> str:
        """Returns a text, or as much of it as fits, with an ellipsis in the middle or at the end.

        Args:
            text: One line, as the terminal shows it.
            width: Columns.
            at_end: Whether the end is left out, and not the middle.

        >>> Screen(80).cut("bpr (factors=128, epochs=50)", 14), Screen(80).cut("Bayesian ranking", 9, at_end=True)
        ('bpr (fa…hs=50)', 'Bayesian…')
        """
        if cell_len(text) <= width:
            return text
        if width < 2:
            return self.ellipsis[:width]
        tail = 0 if at_end else (width - 1) // 2
        return _start(text, width - 1 - tail) + self.ellipsis + _start(text[::-1], tail)[::-1]


def wrapped(text: str, screen: Screen) -> list[str]:
    r"""Returns one line of prose as lines that fit the screen.

    A command at its end starts on a line of its own, and continues after a backslash, so that it can be copied.

    >>> wrapped("Compare it: recbench compare main results/runs", Screen(30))
    ['Compare it:', 'recbench compare main \\', '  results/runs']
    """
    text = screen.shown(text)
    if cell_len(text) <= screen.width:
        return [text]
    command = _COMMAND.search(text)
    # Only POSIX shells continue a line after a backslash.
    if command is None or os.name == "nt":
        return filled(text.split(" "), screen.width)
    prose = text[: command.start()].rstrip()
    return [*(filled(prose.split(" "), screen.width) if prose else []), *_command(command[0], screen.width)]


def filled(words: Sequence[str], width: int) -> list[str]:
    """Returns words as lines of at most this many columns; a longer word is broken."""
    lines = [""]
    for word in [part for whole in words for part in _parts(whole, width)]:
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _parts(word: str, width: int) -> list[str]:
    return [word] if cell_len(word) <= width else chop_cells(word, max(width, 2))


def _command(command: str, width: int) -> list[str]:
    lines = [""]
    for word in _SHELL_WORD.findall(command):
        joined = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
        # Two columns are left for the backslash.
        if cell_len(joined) <= width - 2:
            lines[-1] = joined
            continue
        if lines[-1].strip():
            lines[-1] += " \\"
            lines.append(_INDENT)
        *full, lines[-1] = _word_parts(lines[-1] + word, width)
        lines[-1:-1] = full
    return lines


def _word_parts(word: str, width: int) -> Iterator[str]:
    """Yields a word of a command, indented or not, as lines; a quoted word stays whole."""
    while cell_len(word) > width - 2 and _UNQUOTED.fullmatch(word.strip()) and width > 2:
        yield f"{word[: width - 1]}\\"
        word = word[width - 1 :]
    yield word


def _start(text: str, width: int) -> str:
    """Returns as many of the first characters as fit."""
    used = 0
    for number, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:number]
    return text
