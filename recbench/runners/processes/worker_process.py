"""The run's side of a trial's process: starting it, talking to it, ending it."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from recbench.operating_system import ProcessTree, incoming_pipe
from recbench.registry.requested import RequestedModel
from recbench.runners.processes.messages import Answer, AnswerReader, Prepare, Ready, Work
from recbench.runners.processes.shared_output import SharedOutput
from recbench.runners.processes.starting import start_command
from recbench.trials.conditions import Conditions
from recbench.trials.logs import TAIL_LINES
from recbench.trials.machine import library_settings


class WorkerProcess:
    """A process that prepares one model and then runs one trial of it.

    Ctrl-C in a terminal does not reach it, and what it started ends with it.

    Args:
        requested: The model.
        conditions: Threads and device are set in its environment, before it loads any numeric library.
        seconds: How long its import and its trial may take, each; None for no limit.
        folder: Its current folder; None for that of this process.

    Attributes:
        requested: The model.
        ready: What it said of the model, once it has.
        start_seconds: How long it took to start and to load the harness, without the import of the model.
        answers_pipe: Where its answers can be waited for.
    """

    def __init__(
        self, requested: RequestedModel, conditions: Conditions, seconds: float | None, folder: Path | None = None
    ) -> None:
        self.requested = requested
        self.ready: Ready | None = None
        self.start_seconds = 0.0
        self._early = SharedOutput()
        self._reader = AnswerReader()
        self._started = time.monotonic()
        self._tree = ProcessTree(
            start_command("recbench.runners.processes.worker"),
            {**os.environ, **library_settings(conditions.threads, conditions.device)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._early.writer,
            cwd=folder,
        )
        process = self._tree.process
        assert process.stdin is not None
        assert process.stdout is not None
        self._commands, self._answers = process.stdin, process.stdout
        self.answers_pipe = incoming_pipe(self._answers)
        self._send(Prepare.of(requested, seconds), requested.reference.pickled)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._tree.process.pid

    def work(self, work: Work) -> None:
        """Lets it run its trial; what it has printed so far becomes the log's beginning."""
        with work.log.open("ab") as log:
            log.write(self.early_output())
        self._send(work)

    def early_output(self) -> bytes:
        """Returns what it printed before it had a log."""
        return self._early.start()

    def early_tail(self) -> tuple[str, ...]:
        """Returns the last lines of that."""
        return tuple(self.early_output().decode("utf-8", errors="replace").splitlines()[-TAIL_LINES:])

    def answers(self) -> Iterator[tuple[Answer, bytes]]:
        """Yields what has come since it was last asked.

        Raises:
            ValueError: What came is no message.
        """
        while content := self.answers_pipe.read():
            for answer, following in self._reader.feed(content):
                if isinstance(answer, Ready):
                    self.ready = answer
                    self.start_seconds = time.monotonic() - self._started - answer.import_seconds
                yield answer, following

    def has_ended(self) -> bool:
        """Whether the process is over. If it is, ``answers`` yields all that it sent."""
        over = self._tree.has_ended()
        if over:
            self.answers_pipe.finish()
        return over

    def say_where(self) -> None:
        """Lets it print where each of its threads is."""
        self._tree.await_stacks()

    def end(self) -> int:
        """Ends it, and all that it started, at once.

        Returns:
            Its exit code; minus the number of the signal, if one ended it.
        """
        code = self._tree.kill()
        self._answers.close()
        # What was not sent is lost with the process.
        with contextlib.suppress(OSError):
            self._commands.close()
        self._early.close()
        return code

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
