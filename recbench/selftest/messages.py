"""The messages between the self-test and the process of a model, a line of JSON each.

The self-test sends ``Prepare`` of ``recbench.runners.processes.messages``, and then ``Begin``. The process answers with
``Imported`` or ``Refused``, then with ``Step`` and ``Made``, and with ``AllMade`` in the end.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from recbench.selftest.check import Check

MOST_BYTES = 2**20
"""A longer line comes from the model, and not from the self-test."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)

    def to_json(self) -> bytes:
        """Returns the message as one line."""
        return json.dumps(self.model_dump(mode="json")).encode() + b"\n"


class Begin(_Message):
    """Check the model.

    Attributes:
        task_file: The frozen task.
        digest: What its digest must be.
        threads: Threads of each fit.
    """

    task_file: Path
    digest: str
    threads: int


class Imported(_Message):
    """The model is imported, and its constructor takes its hyper-parameters."""

    kind: Literal["imported"] = "imported"


class Refused(_Message):
    """Bad input: the parts of a ``RecbenchError``."""

    kind: Literal["refused"] = "refused"
    message: str
    hint: str


class Step(_Message):
    """A step begins."""

    kind: Literal["step"] = "step"
    name: str


class Made(_Message):
    """A check was made."""

    kind: Literal["made"] = "made"
    check: Check


class AllMade(_Message):
    """The checks are over.

    Attributes:
        checks: How many were made.
    """

    kind: Literal["all-made"] = "all-made"
    checks: int


Answer = Imported | Refused | Step | Made | AllMade
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


class AnswerReader:
    """Cuts what has come through the pipe so far into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, content: bytes) -> Iterator[Answer]:
        """Yields each message that is whole by now.

        Raises:
            ValueError: Something else came through the pipe.
        """
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            yield _ANSWERS.validate_python(json.loads(line))
        if len(self._rest) > MOST_BYTES:
            raise ValueError("a line has no end")
