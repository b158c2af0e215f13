"""The run's side of a trial's process: starting it, talking to it, ending it."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from recbench.operating_system.pipes import incoming_pipe
from recbench.operating_system.process_tree import ProcessTree
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment
from recbench.runners.limits import MemoryWatch
from recbench.runners.processes.messages import Answer, AnswerReader, MessageError, Prepare, Ready, Work
from recbench.runners.processes.output_pipe import OutputPipe
from recbench.runners.processes.starting import start_command
from recbench.temporary_files import own_temporary_folder
from recbench.trials.machine import library_settings

SECONDS_BETWEEN_LOOKS: Final = 0.1
MOST_BYTES_OF_A_CASE: Final = 64
"""More than the ranks of a case take: ten numbers of 32 bits, compressed or not."""
MOST_BYTES_BESIDE: Final = 2**16
MOST_READS: Final = 16
"""How often the answers of a running process are read in a row, about 1 MB: then other trials and limits are due."""


class WorkerProcess:
    """A process that prepares one model and then runs one trial of it.

    Ctrl-C in a terminal does not reach it, and what it started ends with it.

    Args:
        requested: The model.
        assignment: What its trial will be run on. Threads and device are set in its environment, before it loads any
            numeric library.

    Attributes:
        requested: The model.
        ready: What it said of the model, once it has.
        start_seconds: How long it took to start and to load the harness, without the import of the model.
        answers_pipe: Where its answers can be waited for.
    """

    def __init__(self, requested: RequestedModel, assignment: Assignment) -> None:
        self.requested = requested
        self.ready: Ready | None = None
        self.start_seconds = 0.0
        self._most_memory = assignment.limits.memory_bytes
        conditions = assignment.conditions
        self._output = OutputPipe()
        self._reader = AnswerReader(MOST_BYTES_BESIDE + MOST_BYTES_OF_A_CASE * assignment.task.n_cases)
        self._temporary_folder = contextlib.ExitStack()
        temporary = self._temporary_folder.enter_context(own_temporary_folder())
        self._started = self._looked = time.monotonic()
        self._tree = ProcessTree(
            start_command("recbench.runners.processes.worker"),
            {**os.environ, **library_settings(conditions.threads, conditions.device), **temporary},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output.writer,
            cwd=assignment.folder,
        )
        self._output.close_writer()
        self._memory = MemoryWatch(self._tree.process.pid)
        process = self._tree.process
        assert process.stdin is not None
        assert process.stdout is not None
        self._commands, self._answers = process.stdin, process.stdout
        self.answers_pipe = incoming_pipe(self._answers)
        self._send(Prepare.of(requested, assignment.limits.seconds), requested.reference.pickled)

    @property
    def peak_bytes(self) -> int:
        """The most memory of it and its children that has been seen; 0 if nobody has looked."""
        return self._memory.peak_bytes

    def work(self, work: Work) -> None:
        """Lets it run its trial."""
        self._send(work)

    def log_to(self, path: Path) -> None:
        """Writes what it prints to a file; what it has printed so far becomes the beginning."""
        self._output.move_to(path)

    def output_tail(self) -> tuple[str, ...]:
        """Returns the last lines that it has printed; all that it has printed is read once it has been ended."""
        return self._output.tail()

    def beyond_memory(self) -> str | None:
        """Says how much memory it and its children use, if that is more than the limit.

        It looks ten times a second at most, however often it is called.
        """
        now = time.monotonic()
        limit = self._most_memory
        if limit is None or now - self._looked < SECONDS_BETWEEN_LOOKS:
            return None
        self._looked = now
        if (used := self._memory.look(limit)) <= limit:
            return None
        return f"used {used / 2**20:,.0f} MiB of memory; the limit is {limit / 2**20:,.0f} MiB"

    def answers(self) -> Iterator[tuple[Answer, bytes]]:
        """Yields what has come since it was last asked; a part of it, if a running process writes without end.

        Raises:
            MessageError: What came is no message.
        """
        reads = 0
        while (reads < MOST_READS or self._tree.has_ended()) and (content := self.answers_pipe.read()):
            reads += 1
            for answer, following in self._reader.feed(content):
                if isinstance(answer, Ready):
                    if self.ready is not None:
                        raise MessageError("it says again that the model is imported")
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
        self._output.close()
        self._temporary_folder.close()
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
