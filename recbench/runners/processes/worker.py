"""A trial's own process: prepares one model, runs one trial, and ends.

Started by ``recbench.runners.processes.worker_process``. It talks through the standard streams that it was given, and
puts others in their place before anything else is imported: whatever a model or its framework prints goes to the
trial's log, and nothing that it reads comes from the run.
"""

import contextlib
import faulthandler
import io
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from recbench.registry.hyperparameters import Configuration
    from recbench.runners.processes.messages import Answer, Work
    from recbench.tasks.task import Task
    from recbench.trials.events import Event


_STREAMS = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
"""As they were before a model had the time to replace them."""


class Channel:
    """The way to the run.

    Args:
        descriptor: Where to write.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pipe = _file_of(descriptor)
        self._owner = os.getpid()

    def send(self, answer: "Answer", following: bytes = b"") -> None:
        """Sends a message, and bytes after it."""
        if os.getpid() != self._owner:
            # The copy of this process that a model has forked, and that has come back from the model's code.
            os._exit(0)
        from recbench.runners.processes.messages import PIPE_CLOSED

        if _file_of(self._descriptor) != self._pipe:
            # A model has closed it. Its number may be that of a file by now, which must not get the message.
            os._exit(PIPE_CLOSED)
        content = memoryview(answer.to_json() + following)
        while content:
            content = content[os.write(self._descriptor, content) :]


def _file_of(descriptor: int) -> tuple[int, int] | None:
    """Returns what identifies the file that a descriptor belongs to; None if it is closed."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        # It is closed: fstat knows no other error.
        return None
    return status.st_dev, status.st_ino


class EventSender:
    """Sends a trial's events to the run; those that only show progress at most ten times a second."""

    SECONDS_BETWEEN = 0.1

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._last = 0.0

    def __call__(self, event: "Event") -> None:
        """Sends an event, unless it only shows progress and the last such event is recent."""
        from recbench.runners.processes.messages import Happened
        from recbench.trials.events import EventKind

        # Points are all sent: a tuning decides by each.
        if event.kind in (EventKind.EPOCH, EventKind.PROGRESS):
            now = time.monotonic()
            if now - self._last < self.SECONDS_BETWEEN:
                return
            self._last = now
        self._channel.send(Happened(event=event))


def main(parent: int) -> None:
    """Serves the process ``parent``, which started this one."""
    from recbench.runners.processes.guardian import guard

    guard(parent)
    channel, commands = Channel(os.dup(1)), os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.argv = [""]
    for stream in _STREAMS:
        # By lines, so that a crash loses none.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)

    if sys.version_info >= (3, 14):
        # The lines of C functions would take the place of what the model printed last.
        faulthandler.enable(c_stack=False)
    else:
        faulthandler.enable()

    from recbench.operating_system.stacks import print_stacks
    from recbench.runners.processes.harness_imports import import_harness

    # The run may ask where a trial hangs before this process knows how long it may take.
    print_stacks(None)
    import_harness()

    from recbench.errors import RecbenchError, describe_error
    from recbench.runners.processes.messages import Refused

    try:
        configuration = _prepare(channel, commands)
        _run(channel, commands, configuration)
    except RecbenchError as error:
        channel.send(Refused(message=error.message, hint=error.hint))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run must learn it
        # A model has changed what recbench needs, or recbench has a bug.
        os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
        channel.send(Refused(message=f"recbench's part of its process ended with {describe_error(error)}", hint=""))
    _end()


def _prepare(channel: Channel, commands: BinaryIO) -> "Configuration":
    from recbench.operating_system.stacks import print_stacks
    from recbench.registry.hyperparameters import import_and_configure
    from recbench.registry.observation import Observation
    from recbench.runners.processes.messages import Prepare, Ready
    from recbench.trials.machine import environment_of

    prepare = Prepare.from_json(_next(commands))
    # The run asks where a trial hangs before it ends it.
    print_stacks(prepare.seconds)
    requested = prepare.with_class(commands.read(prepare.size))
    observation = Observation()
    configuration = import_and_configure(requested, observation)
    channel.send(
        Ready(
            parameters=configuration.parameters,
            code_version=configuration.code_version,
            sources=configuration.sources,
            search_path=configuration.code.search_path,
            environment=environment_of(configuration),
            import_seconds=configuration.import_seconds,
            integers=configuration.integers,
        )
    )
    return configuration


def _run(channel: Channel, commands: BinaryIO, configuration: "Configuration") -> None:
    from recbench.operating_system.stacks import print_stacks
    from recbench.records.ranks_file import ranks_to_bytes
    from recbench.runners.processes.messages import Ended, Work
    from recbench.trials.trial import trial_outcomes

    work = Work.from_json(_next(commands))
    print_stacks(work.seconds)
    for outcome in trial_outcomes(_task(work), configuration, work.seed, work.conditions, EventSender(channel)):
        if outcome.traceback:
            os.write(2, outcome.traceback.encode(errors="backslashreplace"))
        ranks = b"" if outcome.ranks is None else ranks_to_bytes(outcome.ranks)
        # The run ends this process as soon as it knows the end.
        _flush()
        channel.send(Ended(record=outcome.record, size=len(ranks), is_final=outcome.is_final), ranks)


def _task(work: "Work") -> "Task":
    from recbench.errors import RecbenchError
    from recbench.tasks import task_file

    task = task_file.load(work.task_file)
    if task.digest != work.digest:
        raise RecbenchError(
            f"{work.task_file} has changed since the run began: its digest was {work.digest}, and is now "
            f"{task.digest}.",
            "Start the run again.",
        )
    return task


def _next(commands: BinaryIO) -> bytes:
    """Waits for a command; ends the process if there will be none: its run has no more use for it."""
    return commands.readline() or _end()


def _end() -> NoReturn:
    """Ends the process at once: threads that a model has left, or a framework's clearing up, hold nothing up."""
    _flush()
    os._exit(0)


def _flush() -> None:
    from recbench.operating_system.c_library import flush_native_output

    for stream in _STREAMS:
        # A model may have closed it, or put anything in the place of its methods.
        with contextlib.suppress(Exception):
            io.TextIOWrapper.flush(stream)
    flush_native_output()
