"""The console for messages to people: standard error. Standard output is for data."""

import os
import sys
from collections.abc import Callable
from functools import cache

from rich.console import Console

from recbench.text_encoding import READABLE


@cache
def messages() -> Console:
    """Returns the console for people: standard error as it was at the start, whatever is redirected later."""
    try:
        # The descriptor stays open until the process ends.
        descriptor = os.dup(2)
    except OSError:
        # No file handle is free. What the system refused must be said all the same.
        descriptor = 2
    own = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors=READABLE, closefd=False)
    return Console(file=own, highlight=False, soft_wrap=True)


def animated() -> bool:
    """Whether people watch a terminal that can redraw lines."""
    return messages().is_terminal and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


Write = Callable[[str, str | None], None]
"""Writes a line in a style of rich; None for the plain style."""


def write_message(text: str, style: str | None) -> None:
    """Writes a line for people. Its text is shown as it is and never interpreted as markup."""
    messages().print(text, style=style, markup=False)


def write_nothing(text: str, style: str | None) -> None:
    """Writes nothing."""


def in_notebook() -> bool:
    """Whether this code runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
