"""The run's side of a trial's process: starting it, talking to it, ending it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

import recbench
from recbench.registry.requested import RequestedModel
from recbench.runners.processes.messages import Answer, AnswerReader, Prepare, Ready, Work
from recbench.trials.conditions import Conditions
from recbench.trials.logs import TAIL_LINES
from recbench.trials.machine import library_settings

# The process runs the same recbench as this one, whatever else on the module search path has that name: a file
# recbench.py of the user's, or another install. The search path is handed over, because it depends on how this process
# was started. -P keeps the current folder out of it: a file there must not take a module's place if it does not here.
START = """
import importlib.util, json, sys
own, path, parent = json.loads(sys.argv[1])
spec = importlib.util.spec_from_file_location("recbench", own)
sys.modules["recbench"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["recbench"])
from recbench.runners.processes.worker import main
sys.path[:] = path
main(parent)
"""
READ_BYTES = 2**16
SECONDS_TO_SAY_WHERE = 0.3


class WorkerProcess:
    """A process that prepares one model and then runs one trial of it.

    It is the head of a session of its own: Ctrl-C in a terminal does not reach it, and what it started ends with it.

    Args:
        requested: The model.
        conditions: Threads and device are set in its environment, before it loads any numeric library.
        folder: Its current folder; None for that of this process.

    Attributes:
        requested: The model.
        ready: What it said of the model, once it has.
        start_seconds: How long it took to start and to load the harness, without the import of the model.
        silent: Whether it has closed its end of the pipe, and so will say nothing more.
    """

    def __init__(self, requested: RequestedModel, conditions: Conditions, folder: Path | None = None) -> None:
        self.requested = requested
        self.ready: Ready | None = None
        self.start_seconds = 0.0
        self.silent = False
        self._early = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._reader = AnswerReader()
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-u",  # what a process printed last before it died is in its log
                "-P",
                "-c",
                START,
                json.dumps([recbench.__file__, [path or str(Path.cwd()) for path in sys.path], os.getpid()]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._early,
            env={**os.environ, **library_settings(conditions.threads, conditions.device)},
            cwd=folder,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._commands, self._answers = self._process.stdin, self._process.stdout
        os.set_blocking(self._answers.fileno(), False)
        self._send(Prepare.of(requested), requested.reference.pickled)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def fileno(self) -> int:
        """Where answers can be waited for."""
        return self._answers.fileno()

    def work(self, work: Work) -> None:
        """Lets it run its trial; what it has printed so far becomes the log's beginning."""
        with work.log.open("ab") as log:
            log.write(self.early_output())
        self._send(work)

    def early_output(self) -> bytes:
        """Returns what it printed before it had a log."""
        return os.pread(self._early.fileno(), READ_BYTES, 0)

    def early_tail(self) -> tuple[str, ...]:
        """Returns the last lines of that."""
        return tuple(self.early_output().decode("utf-8", errors="replace").splitlines()[-TAIL_LINES:])

    def answers(self) -> Iterator[tuple[Answer, bytes]]:
        """Yields what has come since it was last asked.

        Raises:
            ValueError: What came is no message.
        """
        while content := self._read():
            for answer, following in self._reader.feed(content):
                if isinstance(answer, Ready):
                    self.ready = answer
                    self.start_seconds = time.monotonic() - self._started - answer.import_seconds
                yield answer, following

    def has_ended(self) -> bool:
        """Whether the process is over; it is left to ``end`` to let go of it."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return self._process.returncode is not None or os.waitid(os.P_PID, self.pid, flags) is not None

    def say_where(self) -> None:
        """Lets it print where each of its threads is."""
        if not self.has_ended():
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(SECONDS_TO_SAY_WHERE)

    def end(self) -> int:
        """Ends it, and all that it started, at once.

        Returns:
            Its exit code; minus the number of the signal, if one ended it.
        """
        if self._process.returncode is None:
            over = self.has_ended()
            with contextlib.suppress(psutil.Error):
                others = [] if over else psutil.Process(self.pid).children(recursive=True)
                for other in others:
                    with contextlib.suppress(psutil.Error):
                        other.kill()
            # Before its id is given back, which could then be another's.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            self._answers.close()
            with contextlib.suppress(OSError):
                self._commands.close()
            self._early.close()
        return self._process.returncode

    def _send(self, message: Prepare | Work, following: bytes = b"") -> None:
        if following:
            # It may be more than the pipe holds while the process still starts.
            threading.Thread(target=self._write, args=(message.to_json() + following,), daemon=True).start()
        else:
            self._write(message.to_json())

    def _write(self, content: bytes) -> None:
        # A process that is gone is noticed by its missing answer.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._commands.write(content)
            self._commands.flush()

    def _read(self) -> bytes:
        try:
            content = os.read(self._answers.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        self.silent = not content
        return content
