"""A program that the server of ``tests/program_server.py`` has forked, for tests that end it or read what it prints."""

import contextlib
import os
import select
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.program_client import read_number, request


class ForkedProgram:
    """A program that the server has forked, used like ``subprocess.Popen`` in text mode.

    Attributes:
        pid: Its process id.
        stdout: Its output, unless it goes into a file.
        stderr: Its messages, likewise.
        returncode: Its exit code, or minus the number of the signal that ended it; None while it is not known.
    """

    def __init__(
        self,
        path: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        program: str,
        log: Path | None,
    ) -> None:
        self.returncode: int | None = None
        with contextlib.ExitStack() as closed_here:
            nothing = closed_here.enter_context(Path(os.devnull).open())
            if log is None:
                (own_output, output), (own_messages, messages) = os.pipe(), os.pipe()
                self.stdout = os.fdopen(own_output, encoding="utf-8")
                self.stderr = os.fdopen(own_messages, encoding="utf-8")
                closed_here.callback(os.close, output)
                closed_here.callback(os.close, messages)
            else:
                output = messages = closed_here.enter_context(log.open("ab")).fileno()
            self._connection = socket.socket(socket.AF_UNIX)
            streams = [nothing.fileno(), output, messages]
            self.pid = request(self._connection, path, arguments, str(folder), environment, streams, program)

    def poll(self) -> int | None:
        """Returns its exit code if it has ended."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; returns its exit code.

        Raises:
            TimeoutError: It took longer.
        """
        if self.returncode is None:
            self._connection.settimeout(timeout)
            self.returncode = read_number(self._connection)
            self._connection.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Waits for its end; returns the rest of its output and of its messages."""
        texts = ["", ""]

        def read(number: int) -> None:
            with (self.stdout, self.stderr)[number] as stream:
                texts[number] = stream.read()

        readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(2)]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
            assert not reader.is_alive()
        return texts[0], texts[1]

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)
