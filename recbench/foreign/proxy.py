"""A class that stands for a model class in another interpreter: the harness trains and scores it like any other."""

import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, ClassVar

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter

from recbench.errors import RecbenchError, describe_error
from recbench.foreign.connection import CLOCK_TOLERANCE, PROCESS, Connection, Epoch, ForeignError, Report
from recbench.protocol import FloatArray, Int32Array, OriginalIds, TrainContext, TrainSet
from recbench.requirements import install_command_of

HINTS: Mapping[str, Any] = {"int": int, "float": float, "str": str, "bool": bool}
SMALLEST_LIMIT = 2**20
MOST_SCORE_BYTES = 16
MOST_ON_THE_WAY = 0.002
"""Seconds that may be taken off the clock for the way of one message.

The rest of a longer way stays on the clock: it may also be a model whose process tells less than it took.
"""


class Parameter(BaseModel):
    """A parameter of the foreign class's constructor."""

    model_config = ConfigDict(frozen=True)

    name: str
    default: bool | int | float | str | list[bool | int | float | str | None] | None
    required: bool
    is_tuple: bool = Field(alias="tuple")
    hint: str


class Imported(BaseModel):
    """What the other interpreter says of the class."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    parameters: list[Parameter]
    methods: list[str]
    file: str | None
    module: str
    sources: list[str]
    repeatable: bool | None
    seconds: FiniteFloat
    summary: str = ""


class ForeignModel:
    """The base of the classes that stand for foreign ones.

    Attributes:
        connection: The process in which the models of the class are.
        imported: What that process said of the class.
        packages: The versions of all packages of its interpreter.
        on_the_way: Takes the seconds in which the model did not train, because a message was on its way. The clock of
            the harness, which runs meanwhile, is set back by them.
    """

    connection: ClassVar[Connection]
    imported: ClassVar[Imported]
    packages: ClassVar[dict[str, str]]
    _next_number: ClassVar[int] = 0
    _dropped: ClassVar[list[int]]
    _sent: ClassVar[list[TrainSet]]

    def __init__(self, **arguments: Any) -> None:
        cls = type(self)
        self.on_the_way: Callable[[float], None] = lambda seconds: None  # noqa: ARG005
        self._number = ForeignModel._next_number
        self._context: TrainContext | None = None
        ForeignModel._next_number += 1
        while cls._dropped:
            cls.connection.request("drop", model=cls._dropped.pop())
        cls.connection.request("create", model=self._number, arguments=arguments)
        weakref.finalize(self, cls._dropped.append, self._number)

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Sends the train rows, and lets the model warm up if it has a way to."""
        self._send(train)
        if "warm_up" in self.imported.methods:
            self._train("warm_up", context, _Way())

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains the model in its process; the clock is the harness's."""
        self._send(train)
        way = _Way(self.on_the_way)
        seconds = self._train("fit", context, way).get("seconds")
        if not isinstance(seconds, int | float) or not 0 <= seconds <= way.seconds + CLOCK_TOLERANCE:
            raise ForeignError(f"{PROCESS} says that fit() took {seconds} s")
        way.arrived(seconds)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Asks the model; see ``recbench.protocol.Recommender``."""
        return self._scores("score", items.size, users=users, items=items)

    def serve(self, plan: Mapping[str, Any], users: Mapping[str, Int32Array]) -> dict[str, Any]:
        """Measures the model in use, in its own process; see ``recbench.foreign.serving_loop.measure``.

        Args:
            plan: The plan, without the users.
            users: The users of requests and batches.
        """
        done, _ = self.connection.request("serve", users, on_event=self._while_scoring, model=self._number, plan=plan)
        figures = done.fields.get("figures")
        if not isinstance(figures, dict):
            raise ForeignError(f"{PROCESS} sent no figures")
        return figures

    def _train(self, kind: str, context: TrainContext, way: "_Way") -> dict[str, Any]:
        self._context = context
        raised: list[BaseException] = []
        last = 0.0

        def happened(event: Epoch | Report) -> dict[str, Any] | None:
            nonlocal last
            if isinstance(event, Report):
                context.report(**event.facts)  # type: ignore[arg-type]
                return None
            if not last <= event.seconds <= way.seconds + CLOCK_TOLERANCE:
                raise ForeignError(f"{PROCESS} says that an epoch ended after {event.seconds} s")
            last = event.seconds
            way.arrived(last)
            try:
                with way.paused():
                    return {"kind": "go_on", "value": context.end_epoch(event.loss)}
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - it is raised once the model has ended its training
                raised.append(error)
                return {"kind": "raise", "message": str(error)}

        try:
            done, _ = self.connection.request(
                kind,
                on_event=happened,
                model=self._number,
                seed=context.seed,
                threads=context.threads,
                device=context.device,
            )
        # If the harness has stopped the model, the model's own error says only that.
        except Exception:
            if raised:
                raise raised[0] from None
            raise
        if raised:
            raise raised[0]
        return done.fields

    def _while_scoring(self, event: Epoch | Report) -> dict[str, Any] | None:
        """Passes on what a model says that keeps its context; the context refuses epochs outside of training."""
        if self._context is None:
            raise ForeignError(f"{PROCESS} sent {event.kind!r} before it was trained")
        if isinstance(event, Report):
            self._context.report(**event.facts)  # type: ignore[arg-type]
            return None
        return {"kind": "go_on", "value": self._context.end_epoch(event.loss)}

    def _send(self, train: TrainSet) -> None:
        """Sends the train rows, unless the process has them."""
        if any(sent is train for sent in self._sent):
            return
        names = ("users", "items", "ratings", "timestamps", "indptr", "indices")
        arrays = {name: array for name in names if (array := getattr(train, name)) is not None}
        for kind, ids in (("user", train.encoded_user_ids), ("item", train.encoded_item_ids)):
            if isinstance(ids, OriginalIds):
                arrays |= {f"{kind}_id_text": ids.text, f"{kind}_id_offsets": ids.offsets}
        self.connection.request("train_set", arrays, n_users=train.n_users, n_items=train.n_items)
        self._sent[:] = [train]

    def _scores(self, kind: str, expected: int, **arrays: npt.NDArray[Any]) -> FloatArray:
        most = max(SMALLEST_LIMIT, MOST_SCORE_BYTES * expected)
        _, scores = self.connection.request(
            kind, arrays, on_event=self._while_scoring, most_bytes=most, model=self._number
        )
        if scores is None:
            raise ForeignError(f"{PROCESS} sent no scores")
        return scores


class _Way:
    """How long the messages of a training were on their way, by the clocks of both processes.

    Args:
        on_the_way: Takes the seconds, message by message.
    """

    def __init__(self, on_the_way: Callable[[float], None] = lambda seconds: None) -> None:  # noqa: ARG005
        self._on_the_way = on_the_way
        self._began = perf_counter()
        self._paused = 0.0
        self._late = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the training was asked for, without those in which the harness was at work."""
        return perf_counter() - self._began - self._paused

    def arrived(self, seconds: float) -> None:
        """Tells how long the last messages were on their way.

        Args:
            seconds: Seconds that the model has trained, by the clock of its own process.
        """
        before, self._late = self._late, self.seconds - seconds
        self._on_the_way(min(max(self._late - before, 0.0), MOST_ON_THE_WAY))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Does not count the time of the block."""
        before = self.seconds
        try:
            yield
        finally:
            self._paused += self.seconds - before


def foreign_class(
    name: str, connection: Connection, imported: Imported, packages: dict[str, str]
) -> type[ForeignModel]:
    """Makes the class that stands for a foreign one; its constructor has the same parameters."""
    parameters, annotations = [], {}
    for parameter in imported.parameters:
        default: Any = (
            tuple(parameter.default)
            if parameter.is_tuple and isinstance(parameter.default, list)
            else parameter.default
        )
        kept = inspect.Parameter.empty if parameter.required else default
        parameters.append(inspect.Parameter(parameter.name, inspect.Parameter.KEYWORD_ONLY, default=kept))
        if parameter.hint in HINTS and default is not None:
            annotations[parameter.name] = HINTS[parameter.hint]

    def constructor(self: ForeignModel, **arguments: Any) -> None:
        ForeignModel.__init__(self, **arguments)

    constructor.__annotations__ = annotations
    attributes: dict[str, Any] = {
        "__init__": constructor,
        "__signature__": inspect.Signature(parameters),
        "connection": connection,
        "imported": imported,
        "packages": dict(sorted(packages.items())),
        "_dropped": [],
        "_sent": [],
        **{method: made for method, made in _OPTIONAL.items() if method in imported.methods},
    }
    if imported.repeatable is not None:
        attributes["repeatable_on_threads"] = imported.repeatable
    return type(name, (ForeignModel,), attributes)


def _memory_bytes(self: ForeignModel, train: TrainSet) -> int:
    self._send(train)
    done, _ = self.connection.request("memory_bytes", model=self._number)
    n_bytes = done.fields.get("bytes")
    if not isinstance(n_bytes, int):
        raise ForeignError(f"{PROCESS} sent no number of bytes")
    return n_bytes


def _score_all(self: ForeignModel, users: Int32Array) -> FloatArray:
    return self._scores("score_all", len(users) * self._sent[0].n_items, users=users)


_OPTIONAL: Mapping[str, Callable[..., Any]] = {"memory_bytes": _memory_bytes, "score_all": _score_all}


def import_foreign(name: str, interpreter: str, what: Mapping[str, Any]) -> type[ForeignModel]:
    """Starts a process in another interpreter, and imports a class there.

    Args:
        name: The model's name, for errors.
        interpreter: The path of the Python program.
        what: Module, file and folders; see ``recbench.foreign.host``.

    Raises:
        RecbenchError: The interpreter cannot be used, the class cannot be imported, or it is no model.
    """
    connection = Connection(interpreter)
    try:
        done, _ = connection.request("import", **what)
        imported = Imported.model_validate(done.fields)
        done, _ = connection.request("versions")
        packages = TypeAdapter(dict[str, str]).validate_python(done.fields.get("packages"))
    # Of any class: it is what the model's code raised.
    except Exception as error:
        connection.close()
        hint = "The error is in the code of the model."
        if isinstance(error, LookupError):
            hint = "Correct the name of the class: MODULE:CLASS, or FRAMEWORK:CLASS."
        if isinstance(error, ImportError):
            hint = f"Install what the model imports for that interpreter: {install_command_of(interpreter, 'PACKAGE')}"
        raise RecbenchError(
            f"Model {name!r} cannot be imported with {interpreter}: {describe_error(error)}.", hint
        ) from error
    for method in ("fit", "score"):
        if method not in imported.methods:
            connection.close()
            raise RecbenchError(
                f"{name} is not a model: it has no method {method}().",
                "A model has fit(train, context), and score(users, items), which returns float[n, c]: a score for each "
                "pair. The details are in recbench/protocol.py.",
            )
    return foreign_class(what["class"], connection, imported, packages)
