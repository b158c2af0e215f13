"""The link to a process in another interpreter: starting it, asking it, and checking all that it answers.

``recbench.foreign.host`` is the other side, and says how messages look. An answer is data and nothing else: its length
is bounded, an array has the ``.npy`` format without Python objects, and whatever is not an answer is an error.
"""

import builtins
import contextlib
import json
import math
import os
import secrets
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from recbench.errors import RecbenchError, problem_text, shortened
from recbench.foreign import host
from recbench.foreign.interpreter import OLDEST, broken_interpreter, too_old
from recbench.requirements import install_command_of

MOST_LINE_BYTES: Final = 16 * 2**20
MOST_NOISE_BYTES: Final = 2**20
MOST_HEADER_BYTES: Final = 10_000
SECONDS_TO_START: Final = 60
CLOCK_TOLERANCE: Final = 0.05
"""Seconds by which the clocks of two processes on one machine may differ."""
PROCESS: Final = "the process of the model's interpreter"
"""Stands in errors, which records keep: unlike the path of the interpreter, it tells nothing about the machine."""


class ForeignError(Exception):
    """The process in the other interpreter has ended, or has sent something that is no answer."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")
    array: bool = False


class Done(_Answer):
    """A request is done; further fields depend on the request."""

    kind: Literal["done"]
    opened: list[tuple[str, int, int]] = []

    @property
    def fields(self) -> dict[str, Any]:
        """The further fields."""
        return self.model_extra or {}


class Raised(_Answer):
    """The model has raised an exception."""

    kind: Literal["raised"]
    types: list[str]
    message: str


class Epoch(_Answer):
    """The model has ended a pass over the train rows."""

    kind: Literal["epoch"]
    loss: float | None
    seconds: FiniteFloat


class Report(_Answer):
    """The model has reported facts."""

    kind: Literal["report"]
    facts: dict[str, bool | int | float | str | None]


Answer = Done | Raised | Epoch | Report
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


class Connection:
    """A process in another interpreter.

    Args:
        interpreter: The path of the Python program.

    Attributes:
        interpreter: The same.
        python: Its version of Python.
        opened: Takes the files that the process opens, with the flags of ``os.open`` and the time in ns.

    Raises:
        RecbenchError: The interpreter cannot be used.
    """

    def __init__(self, interpreter: str) -> None:
        self.interpreter = interpreter
        self.opened: Callable[[object, int, int], None] = lambda path, flags, when: None  # noqa: ARG005
        try:
            self._process = subprocess.Popen(
                [interpreter, "-I", str(Path(host.__file__).resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_threads_of_other_libraries()},
            )
        except OSError as error:
            raise broken_interpreter(interpreter, f"it cannot be started: {error.strerror}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._commands: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self.close = weakref.finalize(self, _end, self._process)
        """Ends the process at once; called at the latest when Python ends."""
        self.python = self._greet()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def request(
        self,
        kind: str,
        arrays: Mapping[str, npt.NDArray[Any]] | None = None,
        on_event: Callable[[Epoch | Report], dict[str, Any] | None] | None = None,
        most_bytes: int = 0,
        **fields: Any,
    ) -> tuple[Done, npt.NDArray[Any] | None]:
        """Sends a request and waits for its end.

        Args:
            kind: What to do.
            arrays: The arrays that go with it.
            on_event: Called for what comes before the end; returns the answer to it, if it needs one.
            most_bytes: The largest array that may come back.
            fields: The other fields of the request.

        Raises:
            ForeignError: The process has ended, or what it sent is no answer.
            Exception: What the model raised: of the same class if that is builtin, else of a class of the same name.
        """
        self._send({"kind": kind, **fields}, arrays or {})
        while True:
            answer = self._receive()
            if isinstance(answer, Epoch | Report):
                if on_event is None:
                    raise ForeignError(f"{PROCESS} sent {answer.kind!r} as the answer to {kind!r}")
                if (reply := on_event(answer)) is not None:
                    self._send(reply, {})
                continue
            if isinstance(answer, Raised):
                raise _same_exception(answer.types, answer.message)
            for path, flags, when in answer.opened:
                self.opened(path, flags, when)
            return answer, self._read_array(most_bytes) if answer.array else None

    def _greet(self) -> str:
        """Exchanges versions; returns that of Python."""
        token = secrets.token_hex(16).encode()
        has_hung = threading.Event()

        def give_up() -> None:
            has_hung.set()
            self._process.kill()

        timer = threading.Timer(SECONDS_TO_START, give_up)
        timer.start()
        try:
            self._write(token + b"\n")
            line = self._line_after(token)
        finally:
            timer.cancel()
        if line is None:
            self.close()
            what = f"it gave no answer within {SECONDS_TO_START} s" if has_hung.is_set() else None
            raise broken_interpreter(self.interpreter, what)
        try:
            hello = json.loads(line)
            version, python, problem = int(hello["version"]), str(hello["python"]), str(hello["problem"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.close()
            raise broken_interpreter(self.interpreter, "its answer cannot be read") from error
        if version != host.VERSION:
            self.close()
            raise broken_interpreter(
                self.interpreter, f"it speaks version {version} of recbench's protocol, and this is {host.VERSION}"
            )
        numbers = tuple(int(part) for part in python.split(".")[:2] if part.isdigit())
        if numbers < OLDEST:
            self.close()
            raise broken_interpreter(self.interpreter, too_old(shortened(python, 40)))
        if problem:
            self.close()
            raise RecbenchError(
                f"The interpreter {self.interpreter} (Python {shortened(python, 40)}) cannot import numpy: "
                f"{shortened(problem, 300)}.",
                f"Install it: {install_command_of(self.interpreter, 'numpy')}",
            )
        return shortened(python, 40)

    def _line_after(self, token: bytes) -> bytes | None:
        """Returns the rest of the line in which the token stands: start-up code may have printed something before."""
        seen = 0
        while line := self._answers.readline(MOST_NOISE_BYTES):
            before, separator, after = line.partition(token)
            if separator:
                return after
            seen += len(before)
            if seen > MOST_NOISE_BYTES:
                break
        return None

    def _send(self, content: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        try:
            self._commands.write(json.dumps({**content, "arrays": list(arrays)}).encode() + b"\n")
            for array in arrays.values():
                np.lib.format.write_array(host.NoFile(self._commands), np.ascontiguousarray(array), allow_pickle=False)
            self._commands.flush()
        except (OSError, ValueError) as error:
            raise self._ended() from error

    def _write(self, content: bytes) -> None:
        # A process that is gone is noticed by its missing answer.
        try:
            self._commands.write(content)
            self._commands.flush()
        except OSError:
            return

    def _receive(self) -> Answer:
        line = self._answers.readline(MOST_LINE_BYTES)
        if not line.endswith(b"\n"):
            if len(line) < MOST_LINE_BYTES:
                raise self._ended()
            raise self._nonsense("a line without end")
        try:
            return _ANSWERS.validate_python(json.loads(line))
        except ValidationError as error:
            reason = problem_text(error.errors(include_url=False, include_input=False)[0])
        # Neither UTF-8 nor JSON, nested without end, or numbers of thousands of digits.
        except (ValueError, RecursionError) as error:
            reason = str(error)
        raise self._nonsense(f"{line[:60]!r} ({shortened(reason, 200)})")

    def _read_array(self, most_bytes: int) -> npt.NDArray[Any]:
        try:
            version = np.lib.format.read_magic(self._answers)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, is_fortran, dtype = read(self._answers, max_header_size=MOST_HEADER_BYTES)
        except (ValueError, EOFError, OSError) as error:
            raise self._nonsense(f"an array that cannot be read ({shortened(str(error), 200)})") from error
        if dtype.hasobject or dtype.kind not in "fiub":
            raise self._nonsense(f"an array of {'Python objects' if dtype.hasobject else dtype}, and not of numbers")
        size = math.prod(shape) * dtype.itemsize
        if size > most_bytes:
            raise self._nonsense(f"an array of the shape {shape}, which is larger than any answer")
        content = self._answers.read(size)
        if len(content) != size:
            raise self._ended()
        return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")

    def _ended(self) -> ForeignError:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return ForeignError(f"{PROCESS} has closed its link to recbench")
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return ForeignError(f"{PROCESS} {how}; its output is in the log of the trial")

    def _nonsense(self, what: str) -> ForeignError:
        self.close()
        return ForeignError(f"{PROCESS} sent {what}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        # What was not sent is lost with the process.
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()


def _same_exception(types: list[str], message: str) -> Exception:
    """Returns an exception that says the same."""
    for name in types:
        known = getattr(builtins, name, None)
        if isinstance(known, type) and issubclass(known, Exception) and known is not UnicodeError:
            break
    else:
        known = Exception
    # These are made of more than a message.
    base = {
        UnicodeDecodeError: ValueError,
        UnicodeEncodeError: ValueError,
        UnicodeTranslateError: ValueError,
        ExceptionGroup: Exception,
    }.get(known, known)
    name = types[0] if types and types[0].isidentifier() else "Exception"
    made = base if name == base.__name__ else type(name, (base,), {})
    error: Exception = made(shortened(message))
    return error


def _threads_of_other_libraries() -> dict[str, str]:
    """Returns settings for libraries that only other frameworks use; the worker's own variable says how many."""
    threads = os.environ.get("OMP_NUM_THREADS")
    names = ("NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "LK_NUM_THREADS", "LK_NUM_BACKEND_THREADS")
    return dict.fromkeys(names, threads) if threads else {}
