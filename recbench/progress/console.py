"""The console for messages to people: standard error. Standard output is for data."""

import os
from functools import cache

from rich.console import Console


@cache
def messages() -> Console:
    """Returns the console for people: standard error as it was at the start, whatever is redirected later."""
    # The descriptor stays open until the process ends.
    own = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    return Console(file=own, highlight=False, soft_wrap=True)


def animated() -> bool:
    """Whether people watch a terminal that can redraw lines."""
    return messages().is_terminal and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
