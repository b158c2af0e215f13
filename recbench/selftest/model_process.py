"""A model's own process during a self-test: whatever the model does, the self-test goes on and says so."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.operating_system.endings import describe_ending
from recbench.operating_system.pipes import incoming_pipe, wait_for_pipes
from recbench.operating_system.process_tree import ProcessTree
from recbench.registry.requested import RequestedModel
from recbench.runners.processes.messages import Prepare
from recbench.runners.processes.starting import start_command
from recbench.selftest.check import Check
from recbench.selftest.messages import AllMade, Answer, AnswerReader, Begin, Imported, Made, Refused, Step
from recbench.tasks.task import Task
from recbench.temporary_files import own_temporary_folder
from recbench.trials.machine import library_settings

SECONDS_BETWEEN_LOOKS = 0.1
ENDS = "the model's process comes to the end of the checks"
"""The name of the check that fails if it does not."""


class _LostError(Exception):
    """The process does not answer as it must; the message says how."""


class ModelProcess:
    """A process that imports a model and checks it. The import begins at once.

    Args:
        requested: The model.
        threads: Threads of each fit.
        seconds: See the attribute.

    Attributes:
        requested: The model.
        seconds: How long a step may take: the import, or a fit with what is checked of it.
    """

    def __init__(self, requested: RequestedModel, threads: int, seconds: float) -> None:
        self.requested = requested
        self._threads, self.seconds = threads, seconds
        self._step, self._since = "import", time.monotonic()
        self._reader = AnswerReader()
        self._temporary_folder = contextlib.ExitStack()
        temporary = self._temporary_folder.enter_context(own_temporary_folder())
        self._tree = ProcessTree(
            start_command("recbench.selftest.worker"),
            {**os.environ, **library_settings(threads, "cpu"), **temporary},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._tree.process.stdin is not None
        assert self._tree.process.stdout is not None
        self._commands, self._stream = self._tree.process.stdin, self._tree.process.stdout
        self._pipe = incoming_pipe(self._stream)
        self._send(Prepare.of(requested, seconds).to_json() + requested.reference.pickled)

    def await_import(self) -> None:
        """Waits until the model is imported.

        Raises:
            RecbenchError: It cannot be imported, rejects its parameters, ends its process, or takes too long.
        """
        try:
            for answer in self._answers():
                if isinstance(answer, Imported):
                    return
        except _LostError as error:
            raise RecbenchError(
                f"Model {self.requested.title!r} cannot be checked: {error}.",
                "Correct the model, or use a longer --timeout.",
            ) from error

    def checks(self, task: Task, path: Path, announce: Callable[[str], None]) -> Iterator[Check]:
        """Yields each check when it is made; a failed one at last, if the process does not make all of them.

        Args:
            task: The task.
            path: Its file.
            announce: Receives the name of each step.

        Raises:
            RecbenchError: The task's file has changed.
        """
        made = 0
        self._since = time.monotonic()
        self._send(Begin(task_file=path.resolve(), digest=task.digest, threads=self._threads).to_json())
        try:
            for answer in self._answers():
                match answer:
                    case Step():
                        self._step, self._since = answer.name, time.monotonic()
                        announce(answer.name)
                    case Made():
                        made += 1
                        yield answer.check
                    case AllMade() if answer.checks == made:
                        return
                    case _:
                        raise _LostError("its process sent messages in the wrong order")
        except _LostError as error:
            yield Check(ENDS, False, str(error))

    def end(self) -> None:
        """Ends the process, and all that it started."""
        self._tree.kill()
        self._stream.close()
        # What was not sent is lost with the process.
        with contextlib.suppress(OSError):
            self._commands.close()
        self._temporary_folder.close()

    def _answers(self) -> Iterator[Answer]:
        """Yields what the process answers, and waits for it.

        Raises:
            RecbenchError: The process refuses its input.
            _LostError: It is over, takes too long, or sends something else.
        """
        while True:
            over = self._tree.has_ended()
            if over:
                self._pipe.finish()
            while content := self._pipe.read():
                yield from self._read(content)
                self._check_time()
            if over:
                how, _ = describe_ending(self._tree.kill())
                raise _LostError(f"its process ended with {how} in step {self._step!r}, before the checks were over")
            self._check_time()
            wait_for_pipes([self._pipe], SECONDS_BETWEEN_LOOKS)

    def _read(self, content: bytes) -> Iterator[Answer]:
        try:
            for answer in self._reader.feed(content):
                if isinstance(answer, Refused):
                    raise RecbenchError(answer.message, answer.hint)
                yield answer
        except (ValueError, RecursionError) as error:
            raise _LostError(f"what its process sent in step {self._step!r} cannot be read") from error

    def _check_time(self) -> None:
        if time.monotonic() - self._since > self.seconds:
            raise _LostError(f"step {self._step!r} took longer than {self.seconds:g} s (--timeout)")

    def _send(self, content: bytes) -> None:
        # A process that is gone is noticed by its missing answer.
        with contextlib.suppress(OSError, ValueError):
            self._commands.write(content)
            self._commands.flush()
