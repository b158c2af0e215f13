"""A terminal for tests: what a person sees on it, and what is bold. Nothing here uses the functions under test."""

import fcntl
import os
import pty
import struct
import sys
import termios
import threading
from collections.abc import Callable

import pyte

from recbench.progress.console import messages

LINES = 400


def on_terminal(width: int, call: Callable[[], object]) -> str:
    """Returns what a function writes to standard output and standard error, which are one terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, width, 0, 0))
    written: list[bytes] = []
    reader = threading.Thread(target=_read, args=(master, written))
    reader.start()
    kept = [os.dup(1), os.dup(2)]
    before = sys.stdout
    sys.stdout.flush()
    try:
        os.dup2(slave, 1)
        os.dup2(slave, 2)
        os.close(slave)
        messages.cache_clear()
        with open(1, "w", encoding="utf-8", closefd=False) as stream:
            sys.stdout = stream
            call()
    finally:
        sys.stdout = before
        descriptor = messages().file.fileno()
        for number, descriptor_before in enumerate(kept, start=1):
            os.dup2(descriptor_before, number)
            os.close(descriptor_before)
        # The reader ends when nothing holds the terminal any more.
        os.close(descriptor)
        messages.cache_clear()
    reader.join(timeout=30)
    os.close(master)
    return b"".join(written).decode("utf-8")


def shown(text: str, width: int) -> list[str]:
    """Returns the lines of a terminal that got this text; bold text is between ``<`` and ``>``."""
    screen = pyte.Screen(width, LINES)
    pyte.Stream(screen).feed(text)
    lines = []
    for number in range(LINES):
        row, line, bold = screen.buffer[number], "", False
        for column in range(width):
            character = row[column]
            if character.bold is not bold:
                line += "<" if character.bold else ">"
                bold = character.bold
            line += character.data
        lines.append(line.rstrip() + (">" if bold else ""))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _read(master: int, written: list[bytes]) -> None:
    try:
        while part := os.read(master, 65536):
            written.append(part)
    except OSError:
        # Linux says so when the terminal is closed.
        return
