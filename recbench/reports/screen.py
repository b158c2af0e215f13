"""The terminal that a table is made for, and texts that fit its width."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from recbench.text_encoding import READABLE

BOLD: Final = "\x1b[1m"
PLAIN: Final = "\x1b[22m"
"""The only control codes of a screen; those of names are escaped before."""
_COMMAND: Final = re.compile(
    r"(?:^|(?<=[:;] ))(?:recbench|python3?|pip|uv|git|dask|tox) (?:(?![;,.] ).)*(?:(?<![;,.])| \.\.\.)$"
)
"""A command at the end of a line. What ends like a sentence, or has a pause, is prose."""
_SHELL_WORD: Final = re.compile(r"""(?:\$?'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""")
_SEGMENT: Final = re.compile(r"""\$'(?:\\.|[^'\\])*'|'[^']*'|"(?:\\.|[^"\\])*"|(?:\\.|[^\s'"\\])+""")
_UNIT: Final = re.compile(r"\\[0-7]{1,3}|\\.|.")
"""What no line may end within: a character, or an escape."""
NARROWEST_FOR_COMMANDS: Final = 16
"""Columns. On a narrower terminal, commands are broken like prose."""
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
        # Not a terminal, or one that does not tell its size.
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
    if command is None or os.name == "nt" or screen.width < NARROWEST_FOR_COMMANDS:
        return filled(text.split(" "), screen.width)
    prose = text[: command.start()].rstrip()
    return [*(filled(prose.split(" "), screen.width) if prose else []), *_command(command[0], screen.width)]


def filled(words: Sequence[str], width: int) -> list[str]:
    """Returns words as lines of at most this many columns; a longer word is broken."""
    lines: list[str] = []
    for word in [chunk for whole in words for chunk in _parts(whole, width)]:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _parts(word: str, width: int) -> list[str]:
    """Returns a word in chunks that fit; a character that is wider than the terminal is a chunk of its own."""
    chunks = []
    while cell_len(word) > width:
        chunk = _start(word, width) or word[0]
        chunks.append(chunk)
        word = word[len(chunk) :]
    return [*chunks, word] if word or not chunks else chunks


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
        if cell_len(lines[-1] + word) > width - 2:
            lines[-1:] = _broken_word(word, width, lines[-1])
        else:
            lines[-1] += word
    return lines


def _broken_word(word: str, width: int, line: str) -> list[str]:
    """Returns a word of a command in parts that the shell joins: quotes are closed before each end of a line."""
    lines = [line]
    for segment in _SEGMENT.finditer(word):
        opening, ending = _quotes(segment[0])
        lines[-1] += opening
        for unit in _UNIT.findall(segment[0][len(opening) : len(segment[0]) - len(ending)]):
            if cell_len(f"{lines[-1]}{unit}{ending}") > width - 1:
                lines[-1] += f"{ending}\\"
                lines.append(opening)
            lines[-1] += unit
        lines[-1] += ending
    return lines


def _quotes(segment: str) -> tuple[str, str]:
    """Returns the quotes around a part of a word; empty texts for none."""
    return next(((opening, opening[-1]) for opening in ("$'", "'", '"') if segment.startswith(opening)), ("", ""))


def _start(text: str, width: int) -> str:
    """Returns as many of the first characters as fit."""
    used = 0
    for number, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:number]
    return text
