"""What models and their frameworks print goes to a file, not between the harness's own lines.

Frameworks write past ``sys.stdout`` and ``sys.stderr``, so the file descriptors themselves are redirected.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def output_to(path: Path | None) -> Iterator[None]:
    """Appends everything that is written to standard output and standard error to ``path``; with None, discards it."""
    _flush()
    saved = [os.dup(1), os.dup(2)]
    try:
        redirect(path or Path(os.devnull))
        yield
    finally:
        _flush()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


def redirect(path: Path) -> None:
    """Appends everything that is written to standard output and standard error to ``path`` from now on."""
    # Windows would turn line feeds of binary output into two bytes.
    binary = getattr(os, "O_BINARY", 0)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | binary, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A model may have closed it, or put anything in its place; what is written may go nowhere.
        with contextlib.suppress(Exception):
            stream.flush()
