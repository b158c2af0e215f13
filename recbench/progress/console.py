"""The console for messages to people: standard error. Standard output is for data."""

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import IO, Any, cast

from rich.console import Console
from rich.text import Text

from recbench.errors import shortened
from recbench.escaping.terminal import one_line, terminal_text
from recbench.progress.tolerant_stream import TolerantStream
from recbench.reports.screen import Screen, terminal_width, wrapped
from recbench.text_encoding import READABLE

MOST_LINES, MOST_CHARACTERS = 200, 1000
"""Lines of a message, and characters of each of its lines."""


class MessageConsole(Console):
    """A console that shows text as it is, at a length that a person reads.

    No character of a text is a control code, markup, or the name of an emoji.
    """

    def print(self, *objects: Any, **settings: Any) -> None:
        """Prints texts, and what else rich can render."""
        super().print(
            *(
                Text(self._fitted(_shown(renderable))) if isinstance(renderable, str) else renderable
                for renderable in objects
            ),
            **settings,
        )

    def print_labelled(self, label: str, text: str, style: str) -> None:
        """Prints a text after a label of a style of its own."""
        shown = Text(self._fitted(_shown(f"{label} {text}")))
        shown.stylize(style, 0, len(label))
        super().print(shown)

    def _fitted(self, text: str) -> str:
        """Returns a text whose lines a terminal need not break inside of words."""
        if not self.file.isatty():
            return text
        screen = Screen(terminal_width(self.file.fileno()))
        return "\n".join(part for line in text.split("\n") for part in wrapped(line, screen))


def _shown(text: str) -> str:
    """Returns a text as it is printed: a name or a value in it may be of any size, and hold any character."""
    lines = text.split("\n", MOST_LINES)
    more = f"\n[... {lines.pop().count(chr(10)) + 1:,} more lines ...]" if len(lines) > MOST_LINES else ""
    return terminal_text("\n".join(shortened(line, MOST_CHARACTERS) for line in lines) + more)


@cache
def messages() -> MessageConsole:
    """Returns the console for people: standard error as it was at the start, whatever is redirected later."""
    try:
        # The descriptor stays open until the process ends.
        descriptor: int | None = os.dup(2)
    except OSError as error:
        # No file handle is free: what the system refused must be said all the same. Where standard error is closed, its
        # number may become that of any other file.
        descriptor = None if error.errno == errno.EBADF else 2
    own = cast(IO[str], TolerantStream(descriptor, READABLE))
    return MessageConsole(file=own, highlight=False, soft_wrap=True)


def animated() -> bool:
    """Whether people watch a terminal that can redraw lines."""
    return messages().is_terminal and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


Write = Callable[[str, str | None], None]
"""Writes a line in a style of rich; None for the plain style."""


def write_message(text: str, style: str | None = None) -> None:
    """Writes one line for people, whatever the names in it hold."""
    messages().print(one_line(text), style=style)


def write_nothing(text: str, style: str | None) -> None:
    """Writes nothing."""


def in_notebook() -> bool:
    """Whether this code runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
