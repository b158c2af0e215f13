"""The messages between a run and the process of a trial: a line of JSON each, some followed by bytes.

A run sends ``Prepare``, whose bytes are a class that is sent by value, and then ``Work``. The process answers
``Prepare`` with ``Ready`` or ``Refused``. It reports on ``Work`` with ``Happened``.
It ends with ``Ended``, whose bytes are the file of the ranks; before a full ranking it sends an ``Ended`` that is not
final, so that a full ranking that crashes loses no other result.

A model can write to the pipe of the answers as well. So an answer is data and nothing else, its length is bounded, and
whatever is not an answer is a ``MessageError``.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from recbench.errors import problem_text, shortened
from recbench.records.schema import Environment, ParameterValue, Record
from recbench.records.sources import Sources
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions
from recbench.trials.events import Event, EventKind

MOST_LINE_BYTES: Final = 16 * 2**20
"""The longest line of JSON that is read: about ten times that of a record with 10,000 points of a curve."""
MOST_COUNT: Final = 10**15
MOST_NAME: Final = 40
MOST_REASON: Final = 300
MOST_SHOWN: Final = 60
PIPE_CLOSED: Final = 76
"""The exit code of a trial's process whose model has closed the pipe of the answers."""
_FROM_TRIALS: Final = {EventKind.PHASE, EventKind.MEMORY, EventKind.EPOCH, EventKind.PROGRESS, EventKind.POINT}


class MessageError(ValueError):
    """What came through the pipe is no answer."""


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
        seconds: How long the trial may take; None for no limit.
    """

    task_file: Path
    digest: str
    seed: int
    conditions: Conditions
    seconds: float | None


class Ready(_Message):
    """The model is imported; see ``recbench.registry.hyperparameters.Configuration``.

    Attributes:
        parameters: All hyper-parameters.
        code_version: Hash of the model's code, as far as it is known before training.
        sources: The files that the hash covers.
        search_path: The folders in which modules are looked for.
        environment: What the model runs on, with the versions of the packages that it has imported so far.
        import_seconds: How long the import took.
        integers: Names of the parameters that take integers and no other numbers.
    """

    kind: Literal["ready"] = "ready"
    parameters: dict[str, ParameterValue]
    code_version: str | None
    sources: Sources
    search_path: tuple[str, ...]
    environment: Environment
    import_seconds: FiniteFloat
    integers: tuple[str, ...] = ()


class Refused(_Message):
    """Bad input: the parts of a ``RecbenchError``."""

    kind: Literal["refused"] = "refused"
    message: str
    hint: str


def _of_a_trial(event: Event) -> Event:
    """Checks that a trial's process may send the event.

    Raises:
        ValueError: It may not.
    """
    counts = (event.epoch, event.done, event.total, event.n_train)
    plain = (
        event.kind in _FROM_TRIALS
        and (event.trial, event.worker, event.result) == (None, None, None)
        and len(event.name) <= MOST_NAME
        and event.name.isprintable()
        and all(0 <= count <= MOST_COUNT for count in counts)
        and math.isfinite(event.seconds)
        and (event.loss is None or math.isfinite(event.loss))
        and (event.kind is not EventKind.PROGRESS or event.total > 0)
        and (event.point is not None) == (event.kind is EventKind.POINT)
    )
    if not plain:
        raise ValueError("no event of a trial")
    return event


class Happened(_Message):
    """Something has happened in the trial; its ``trial`` is None."""

    kind: Literal["happened"] = "happened"
    event: Annotated[Event, AfterValidator(_of_a_trial)]


class Ended(_Message):
    """The trial is over, or its full ranking begins.

    Attributes:
        record: Its record.
        size: How many bytes follow: the ranks, as ``recbench.records.ranks_file.ranks_to_bytes`` has them; 0 for none.
        is_final: Whether the trial is over.
    """

    kind: Literal["ended"] = "ended"
    record: Record
    size: Annotated[int, Field(ge=0)]
    is_final: bool = True


Answer = Ready | Refused | Happened | Ended


@cache
def _answers() -> TypeAdapter[Answer]:
    """Returns what reads an answer; made when the first comes, for a trial's process reads none."""
    return TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


class AnswerReader:
    """Cuts what has come through the pipe so far into messages.

    Args:
        most_following: The most bytes that may follow a message.
    """

    def __init__(self, most_following: int) -> None:
        self._most_following = most_following
        self._rest = bytearray()
        self._searched = 0
        self._ended: Ended | None = None

    def feed(self, content: bytes) -> Iterator[tuple[Answer, bytes]]:
        """Yields each message that is whole by now, with the bytes that follow it.

        Raises:
            MessageError: Something else came through the pipe.
        """
        self._rest += content
        while self._ended is not None or (end := self._rest.find(b"\n", self._searched)) >= 0:
            if self._ended is None:
                answer = _read(bytes(self._rest[:end]))
                del self._rest[: end + 1]
                self._searched = 0
                if not isinstance(answer, Ended):
                    yield answer, b""
                    continue
                if answer.size > self._most_following:
                    raise MessageError(f"it announces {answer.size:,} bytes of ranks")
                self._ended = answer
            if len(self._rest) < self._ended.size:
                return
            ended, self._ended = self._ended, None
            following = bytes(self._rest[: ended.size])
            del self._rest[: ended.size]
            yield ended, following
        self._searched = len(self._rest)
        if self._searched > MOST_LINE_BYTES:
            raise MessageError(f"its line is longer than {MOST_LINE_BYTES:,} bytes")


def _read(line: bytes) -> Answer:
    try:
        return _answers().validate_python(json.loads(line))
    except ValidationError as error:
        reason = problem_text(error.errors(include_url=False, include_input=False)[0])
    # Neither UTF-8 nor JSON, nested without end, or numbers of thousands of digits.
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise MessageError(f"it begins with {line[:MOST_SHOWN]!r} ({shortened(reason, MOST_REASON)})")
