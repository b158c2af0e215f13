"""A copy of this process that is killed at a chosen write, as by ``kill -9``."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

WRITES = ("replace", "rename", "fsync", "unlink", "mkdir", "rmdir", "truncate")
"""The functions of ``os`` through which files change their place or reach the disk."""


def killed_at_each_write(does: Callable[[], object]) -> Iterator[int]:
    """Runs a function in children: one that is killed before its first write, one before its second, and so on.

    Yields the number of the write after each child that was killed, so that the caller can look at the files.
    The last child ends by itself. Nothing is yielded for it.
    """
    number = 0
    while _is_killed(does, number):
        yield number
        number += 1
    assert number, "it writes nothing"


def _is_killed(does: Callable[[], object], number: int) -> bool:
    child = os.fork()
    if child == 0:
        left = number

        def counted(call):
            def instead(*arguments, **options):
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return call(*arguments, **options)

            return instead

        for name in WRITES:
            setattr(os, name, counted(getattr(os, name)))
        code = 1
        with suppress(BaseException):
            does()
            code = 0
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "it failed"
        return False
    return True
