r"""Text that people read as plain characters: in a terminal, in the log of a CI job, in a cell of any table.

A character without a glyph of its own is shown as ``\u001b``. This covers control characters (ANSI and OSC codes start
with one), marks that reverse the direction of text, and characters of no width, which make two names look alike.
"""

import re
from typing import Final

from recbench.errors import shortened
from recbench.text_encoding import readable

MOST_CHARACTERS: Final = 4_000
"""The most characters of a text in one line."""

_INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""All that Unicode calls a control, a format character without a glyph, a line separator, or ignorable; a fixed list,
because each version of Python knows another Unicode."""
INVISIBLE: Final = re.compile(f"[{_INVISIBLE}]")
"""A character that terminals execute, or do not show; line feed and tab are none."""
_BREAKS: Final = re.compile("\r\n|[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_CI_COMMAND: Final = re.compile(r"^(\s*)(?=::)|(?<=#)(?=#\w*\[)", re.MULTILINE)
"""Where a line would be a command of a CI system: ``::error::`` and ``##[error]`` on GitHub, ``##vso[`` on Azure."""


def one_line(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""Returns the text as one line of printable characters.

    A line break or a tab becomes a space; see ``terminal_text`` for other characters.

    Args:
        text: Any text.
        most: The most characters, before escapes; the middle of a longer text is left out.

    >>> one_line("pop\n\x1b[31mred\u202e")
    'pop \\u001b[31mred\\u202e'
    >>> one_line("x" * 5_000_000, 60)
    'xxxxxxxxxxxxxxxxxxxxxx[... 4,999,956 more ...]xxxxxxxxxxxxxxxxxxxxxx'
    """
    return _visible(_BREAKS.sub(" ", readable(shortened(text, most))))


def terminal_text(text: str) -> str:
    r"""Returns text of any number of lines that a terminal only shows, and a CI system does not execute.

    - An invisible character becomes ``\u001b``, and a byte that is not UTF-8 ``\xe9``.
    - A line that would be a command of a CI system gets a backslash.

    >>> print(terminal_text("a\x1b[2Jb\n::error::c"))
    a\u001b[2Jb
    \::error::c
    """
    return _CI_COMMAND.sub(r"\g<1>\\", _visible(readable(text).replace("\r\n", "\n")))


def unicode_escape(character: str) -> str:
    r"""Returns ``\u001b`` for a character, or ``\U000e0041``: an escape that Python and TOML read back.

    >>> unicode_escape("\x1b")
    '\\u001b'
    """
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _visible(text: str) -> str:
    return INVISIBLE.sub(lambda match: unicode_escape(match[0]), text)
