"""The process in which a model is checked. Started by ``recbench.selftest.model_process``.

It talks through the standard streams that it was given, and puts others in their place: what a model prints is
discarded, and nothing that it reads comes from the self-test.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from recbench.errors import RecbenchError
from recbench.runners.processes.guardian import guard

if TYPE_CHECKING:
    from recbench.selftest.messages import Answer
    from recbench.selftest.model_contract import ModelUnderTest

MOST_CHARACTERS = 2_000
"""Longer details are cut off: a model may put anything into its errors."""


class Channel:
    """The way to the self-test.

    Args:
        descriptor: Where to write.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._owner = os.getpid()

    def send(self, answer: "Answer") -> None:
        """Sends a message."""
        if os.getpid() != self._owner:
            # The copy of this process that a model has forked, and that has come back from the model's code.
            os._exit(0)
        content = memoryview(answer.to_json())
        while content:
            content = content[os.write(self._descriptor, content) :]


def main(parent: int) -> NoReturn:
    """Serves the process ``parent``, which started this one."""
    # It forks, so nothing that starts threads may be imported before.
    guard(parent)

    from recbench.runners.processes.messages import Prepare
    from recbench.selftest.messages import Begin, Imported, Refused
    from recbench.selftest.model_contract import ModelUnderTest

    channel, commands = Channel(os.dup(1)), os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.argv = [""]
    try:
        prepare = Prepare.from_json(_next(commands))
        tested = ModelUnderTest.load(prepare.with_class(commands.read(prepare.size)))
        channel.send(Imported())
        begin = Begin.model_validate_json(_next(commands))
        _check(tested, begin.task_file, begin.digest, begin.threads, channel)
    except RecbenchError as error:
        channel.send(Refused(message=error.message, hint=error.hint))
    os._exit(0)


def _check(tested: "ModelUnderTest", path: Path, digest: str, threads: int, channel: Channel) -> None:
    from recbench.selftest.messages import AllMade, Made, Step
    from recbench.selftest.model_contract import model_contract
    from recbench.tasks import task_file

    task = task_file.load(path)
    if task.digest != digest:
        raise RecbenchError(f"{path} has changed since the self-test began.", "Start the self-test again.")
    made = 0
    for check in model_contract(tested, task, threads, lambda name: channel.send(Step(name=name))):
        made += 1
        channel.send(Made(check=check.shortened(MOST_CHARACTERS)))
    channel.send(AllMade(checks=made))


def _next(commands: BinaryIO) -> bytes:
    """Waits for a command; ends the process if there will be none."""
    return commands.readline() or os._exit(0)
