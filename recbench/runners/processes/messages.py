"""The messages between a run and the process of a trial: a line of JSON each, some followed by bytes.

A run sends ``Prepare``, whose bytes are a class that is sent by value, and then ``Work``. The process answers
``Prepare`` with ``Ready`` or ``Refused``. It reports on ``Work`` with ``Happened``.
It ends with ``Ended``, whose bytes are the file of the ranks.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from recbench.records.schema import ParameterValue, Record
from recbench.records.sources import Sources
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions
from recbench.trials.events import Event


class _Message(BaseModel):
    """JSON by Python's own module, which keeps paths that are not UTF-8; pydantic's refuses them."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> bytes:
        """Returns the message as one line."""
        return json.dumps(self.model_dump(mode="json", by_alias=True)).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """Reads what ``to_json`` wrote.

        Raises:
            ValueError: The line is no such message.
        """
        return cls.model_validate(json.loads(line))


class Prepare(_Message):
    """Import the model, and check its parameters.

    Attributes:
        requested: The model, without a class that is sent by value.
        size: How many bytes follow: that class; 0 for none.
        seconds: How long the import may take; None for no limit.
    """

    requested: RequestedModel
    size: int
    seconds: float | None

    @classmethod
    def of(cls, requested: RequestedModel, seconds: float | None) -> Self:
        """Returns the message for a model; ``requested.reference.pickled`` is to be sent after it."""
        bare = replace(requested, reference=replace(requested.reference, pickled=b""))
        return cls(requested=bare, size=len(requested.reference.pickled), seconds=seconds)

    def with_class(self, pickled: bytes) -> RequestedModel:
        """Returns the model, given the bytes that followed the message."""
        return replace(self.requested, reference=replace(self.requested.reference, pickled=pickled))


class Work(_Message):
    """Run a trial.

    Attributes:
        task_file: The frozen task.
        digest: What its digest must be.
        seed: The trial's seed.
        conditions: What it is run under.
        log: The file for all that is printed.
        seconds: How long the trial may take; None for no limit.
    """

    task_file: Path
    digest: str
    seed: int
    conditions: Conditions
    log: Path
    seconds: float | None


class Ready(_Message):
    """The model is imported; see ``recbench.registry.hyperparameters.Configuration``.

    Attributes:
        parameters: All hyper-parameters.
        code_version: Hash of the model's code, as far as it is known before training.
        sources: The files that the hash covers.
        search_path: The folders in which modules are looked for.
        packages: Versions of the packages that the model has imported so far.
        import_seconds: How long the import took.
    """

    kind: Literal["ready"] = "ready"
    parameters: dict[str, ParameterValue]
    code_version: str | None
    sources: Sources
    search_path: tuple[str, ...]
    packages: dict[str, str]
    import_seconds: float


class Refused(_Message):
    """Bad input: the parts of a ``RecbenchError``."""

    kind: Literal["refused"] = "refused"
    message: str
    hint: str


class Happened(_Message):
    """Something has happened in the trial; its ``trial`` is None."""

    kind: Literal["happened"] = "happened"
    event: Event


class Ended(_Message):
    """The trial is over.

    Attributes:
        record: Its record.
        size: How many bytes follow: the ranks, as ``recbench.records.store.ranks_to_bytes`` has them; 0 for none.
    """

    kind: Literal["ended"] = "ended"
    record: Record
    size: int


Answer = Ready | Refused | Happened | Ended
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


class AnswerReader:
    """Cuts what has come through the pipe so far into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, content: bytes) -> Iterator[tuple[Answer, bytes]]:
        """Yields each message that is whole by now, with the bytes that follow it.

        Raises:
            ValueError: Something else came through the pipe.
        """
        self._rest += content
        while (end := self._rest.find(b"\n")) >= 0:
            answer = _ANSWERS.validate_python(json.loads(self._rest[:end]))
            size = answer.size if isinstance(answer, Ended) else 0
            if len(self._rest) < end + 1 + size:
                return
            following = bytes(self._rest[end + 1 : end + 1 + size])
            del self._rest[: end + 1 + size]
            yield answer, following
