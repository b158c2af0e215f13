"""Run a command of the program in the process of the tests, which costs no start of Python."""

import sys
from dataclasses import dataclass

import pytest

from recbench.cli.app import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


class CommandLine:
    """Calls ``recbench.cli.app.main``; what it prints is taken from the descriptors, as a shell would."""

    def __init__(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
        self._capfd, self._monkeypatch = capfd, monkeypatch

    def __call__(self, *arguments: str) -> Outcome:
        from recbench.progress.console import messages

        self._capfd.readouterr()
        # It keeps a copy of the descriptor that was standard error when it was first used.
        messages.cache_clear()
        self._monkeypatch.setattr(sys, "argv", ["recbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        messages.cache_clear()
        printed = self._capfd.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else int(code is not None), printed.out, printed.err)
