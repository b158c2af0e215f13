"""The other interpreter's side of a foreign trial. It imports numpy and the standard library, and runs on Python 3.9.

The harness starts this file with ``python -I``. It trains and scores one model class, and talks through the standard
streams that it was given; others take their place before numpy or the model is imported, so that prints go to the log.
Messages are lines of JSON; arrays follow a line in numpy's ``.npy`` format. Nothing is ever pickled.
``recbench.foreign.connection`` is the other side.
"""

import contextlib
import importlib
import importlib.util
import inspect
import json
import os
import platform
import signal
import sys
import time
import traceback
import types
from typing import Any

VERSION = 2
"""Counts up when a message changes. The two sides must have the same."""
MOST_OPENED = 10_000
OPTIONAL = ("warm_up", "memory_bytes", "score_all")


def call(name: str, method: Any, train: Any, context: Any) -> None:
    """Calls ``fit`` or ``warm_up`` of a model; the harness trains models of its own interpreter with it, too.

    Python runs no code of a generator or coroutine function when it is called: the model would be scored untrained.

    Args:
        name: The method's name.
        method: The method.
        train: The train rows.
        context: The context.

    Raises:
        TypeError: The method returned a generator, a coroutine or another awaitable.
    """
    returned = method(train, context)
    if inspect.isgenerator(returned) or inspect.isasyncgen(returned) or inspect.isawaitable(returned):
        kind = type(returned).__name__.replace("_", " ")
        article = "an" if kind[0] in "aeiouAEIOU" else "a"
        if inspect.iscoroutine(returned):
            # Otherwise Python warns, at any later moment, that nobody has awaited it.
            returned.close()
        raise TypeError(f"{name}() returned {article} {kind} and has not run: write it without yield and async")


class TrainSet:
    """The train rows; the attributes are those of ``recbench.protocol.TrainSet``."""

    def __init__(self, content: Any, arrays: Any) -> None:
        self.n_users, self.n_items = content["n_users"], content["n_items"]
        self.ratings = self.timestamps = None
        for name in content["arrays"]:
            arrays[name].flags.writeable = False
            setattr(self, name, arrays[name])

    def __len__(self) -> int:
        return len(self.users)  # type: ignore[attr-defined]

    @property
    def user_ids(self) -> Any:
        """The original id of each user; None for a user without a train row."""
        return self._decoded("user")

    @property
    def item_ids(self) -> Any:
        """The original id of each item; None for an item without a train row."""
        return self._decoded("item")

    def _decoded(self, kind: str) -> Any:
        import numpy as np

        text = getattr(self, kind + "_id_text", None)
        if text is None:
            raise ValueError("these train rows came without original ids")
        whole, bounds = text.tobytes(), getattr(self, kind + "_id_offsets").tolist()
        ids = np.full(len(bounds) - 1, None, dtype=object)
        ids[:] = [whole[bounds[i] : bounds[i + 1]].decode() or None for i in range(len(bounds) - 1)]
        return ids


class Context:
    """The ``TrainContext`` of the foreign side; the clock and the count of epochs are the harness's."""

    def __init__(self, host: "Host", content: Any) -> None:
        self._host = host
        self.seed, self.threads, self.device = content["seed"], content["threads"], content["device"]
        self._began = time.perf_counter()
        self._paused = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since training began, without those in which the harness was at work."""
        return time.perf_counter() - self._began - self._paused

    def end_epoch(self, loss: Any = None) -> bool:
        """Ends a pass over the train rows. The harness may ask for scores meanwhile."""
        # Before the time is read: a framework that computes later trains when the loss becomes a number.
        number = None if loss is None else float(loss)
        seconds = self.seconds
        self._host.send({"kind": "epoch", "loss": number, "seconds": seconds})
        try:
            return self._host.serve_until_answered()
        finally:
            # Also after an error, which the model may catch and go on training.
            self._paused += self.seconds - seconds

    def report(self, **facts: Any) -> None:
        """Stores facts in the trial's record."""
        self._host.send({"kind": "report", "facts": {name: _plain(value) for name, value in facts.items()}})


class NoFile:
    """A pipe that numpy does not take for a file, in which it would look for its place."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def read(self, size: int = -1) -> Any:
        """Reads so many bytes."""
        return self._pipe.read(size)

    def write(self, content: bytes) -> Any:
        """Writes bytes."""
        return self._pipe.write(content)


class Host:
    """Answers the harness's requests, one after the other."""

    def __init__(self, commands: Any, answers: Any) -> None:
        self._commands, self._answers = commands, answers
        self._models: Any = {}
        self._class: Any = None
        self._tuples: Any = set()
        self._train: Any = None
        self.opened: Any = {}

    def send(self, content: Any, array: Any = None) -> None:
        """Sends a message, with an array after it if there is one."""
        content["array"] = array is not None
        self._answers.write(json.dumps(content).encode() + b"\n")
        if array is not None:
            import numpy as np

            np.lib.format.write_array(NoFile(self._answers), array, allow_pickle=False)
        self._answers.flush()

    def serve(self) -> None:
        """Answers requests until the harness has gone."""
        while True:
            self._answer(self._next())

    def serve_until_answered(self) -> bool:
        """Answers requests until the harness has answered what this side has said."""
        while True:
            content = self._next()
            if content["kind"] == "go_on":
                return bool(content["value"])
            if content["kind"] == "raise":
                # The harness knows what it raised: this ends the training.
                raise StoppedByHarnessError(content["message"])
            self._answer(content)

    def _next(self) -> Any:
        line = self._commands.readline()
        if not line:
            os._exit(0)
        content = json.loads(line)
        if content.get("arrays"):
            import numpy as np

            read = np.lib.format.read_array
            pipe = NoFile(self._commands)
            content["given"] = {name: read(pipe, allow_pickle=False) for name in content["arrays"]}
        return content

    def _answer(self, content: Any) -> None:
        try:
            fields, array = getattr(self, "_do_" + content["kind"])(content)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the harness must learn it
            # A name that does not exist needs no traceback: the message says all.
            if content["kind"] != "import" or not isinstance(error, LookupError):
                traceback.print_exc()
            with contextlib.suppress(Exception):
                sys.stderr.flush()
            names = [base.__name__ for base in type(error).__mro__]
            self.send({"kind": "raised", "types": names, "message": _message(error)})
            return
        opened = [[path, flags, when] for path, (flags, when) in self.opened.items()]
        self.opened.clear()
        self.send(dict(fields, kind="done", opened=opened), array)

    def _do_import(self, content: Any) -> Any:
        sys.path[:] = content["folders"] + [entry for entry in sys.path if entry not in content["folders"]]
        _offer_protocol()
        began = time.perf_counter()
        sys.addaudithook(self._audit)
        model_class = getattr(_import(content), content["class"], None)
        if not inspect.isclass(model_class):
            raise AttributeError("there is no class {!r} in {}".format(content["class"], content["module"]))
        self._class = model_class
        hints = getattr(model_class.__init__, "__annotations__", {})
        parameters = []
        for name, parameter in inspect.signature(model_class).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                continue
            is_required = parameter.default is parameter.empty
            default = None if is_required else parameter.default
            if isinstance(default, tuple):
                self._tuples.add(name)
            if _is_recordable(default):
                hint = hints.get(name, "")
                hint = hint if isinstance(hint, str) else getattr(hint, "__name__", "")
                is_tuple = isinstance(default, tuple)
                parameters.append(
                    {"name": name, "default": default, "required": is_required, "tuple": is_tuple, "hint": hint}
                )
        file = None
        with contextlib.suppress(TypeError, OSError):
            file = os.path.abspath(inspect.getfile(model_class))  # noqa: PTH100 - links are not resolved
        named = getattr(model_class, "sources", ())
        promise = getattr(model_class, "repeatable_on_threads", None)
        return {
            "parameters": parameters,
            "methods": [name for name in ("fit", "score", *OPTIONAL) if callable(getattr(model_class, name, None))],
            "file": file,
            "module": model_class.__module__,
            "sources": [str(source) for source in named] if isinstance(named, (list, tuple)) else [],
            "repeatable": promise if isinstance(promise, bool) else None,
            "seconds": time.perf_counter() - began,
            "summary": next(iter((inspect.getdoc(model_class) or "").strip().splitlines()), ""),
        }, None

    def _do_create(self, content: Any) -> Any:
        values = content["arguments"]
        arguments = {name: tuple(value) if name in self._tuples and value else value for name, value in values.items()}
        self._models[content["model"]] = self._class(**arguments)
        return {}, None

    def _do_drop(self, content: Any) -> Any:
        self._models.pop(content["model"], None)
        return {}, None

    def _do_versions(self, content: Any) -> Any:  # noqa: ARG002 - all requests have the same form
        return {"packages": _packages()}, None

    def _do_train_set(self, content: Any) -> Any:
        self._train = TrainSet(content, content["given"])
        return {}, None

    def _do_memory_bytes(self, content: Any) -> Any:
        return {"bytes": int(self._models[content["model"]].memory_bytes(self._train))}, None

    def _do_warm_up(self, content: Any) -> Any:
        call("warm_up", self._models[content["model"]].warm_up, self._train, Context(self, content))
        return {}, None

    def _do_fit(self, content: Any) -> Any:
        context = Context(self, content)
        call("fit", self._models[content["model"]].fit, self._train, context)
        return {"seconds": context.seconds}, None

    def _do_score(self, content: Any) -> Any:
        given = content["given"]
        return {}, _array(self._models[content["model"]].score(given["users"], given["items"]))

    def _do_score_all(self, content: Any) -> Any:
        return {}, _array(self._models[content["model"]].score_all(content["given"]["users"]))

    def _do_serve(self, content: Any) -> Any:
        best, loop = _own_module("top_items", "..", "evaluation"), _own_module("serving_loop")
        plan = dict(content["plan"], **content["given"])
        model, as_array = self._models[content["model"]], _own_module("score_arrays", "..", "evaluation").score_array
        return {"figures": loop.measure(model, self._train, plan, best.top_items, as_array)}, None

    def _audit(self, event: str, arguments: Any) -> None:
        # It runs for every event of the interpreter, and must be fast for all but this one.
        if event != "open" or len(self.opened) >= MOST_OPENED:
            return
        with contextlib.suppress(Exception):
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100
            if not path.startswith((sys.prefix + os.sep, sys.base_prefix + os.sep)) and "site-packages" not in path:
                self.opened.setdefault(path, (arguments[2], time.time_ns()))


class StoppedByHarnessError(Exception):
    """The harness has ended the training, for example because the loss is not finite."""


def _import(content: Any) -> Any:
    package = content.get("package")
    if package:
        init = os.path.join(package["folder"], "__init__.py")  # noqa: PTH118
        _execute(package["name"], init, [package["folder"]])
    if content.get("file"):
        return _execute(content["module"], content["file"], None)
    return importlib.import_module(content["module"])


def _execute(name: str, file: str, locations: Any) -> Any:
    if not os.path.isfile(file):  # noqa: PTH113
        module = types.ModuleType(name)
        module.__path__ = locations
        sys.modules[name] = module
        return module
    spec: Any = importlib.util.spec_from_file_location(name, file, submodule_search_locations=locations)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _offer_protocol() -> None:
    """Lets a model's file import the names of ``recbench.protocol``, which it needs for its annotations.

    They come from recbench itself, if this interpreter can import it. It may find one that it cannot import: the
    repository of a model may hold recbench, and recbench needs a newer Python than a model.
    """
    try:
        importlib.import_module("recbench.protocol")
    except Exception:  # noqa: BLE001 - SyntaxError is one, and a missing package another
        for name in [name for name in sys.modules if name.partition(".")[0] == "recbench"]:
            del sys.modules[name]
    else:
        return
    package, protocol = types.ModuleType("recbench"), types.ModuleType("recbench.protocol")
    package.__path__ = []

    def any_name(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Any

    protocol.TrainSet, protocol.__getattr__ = TrainSet, any_name  # type: ignore[attr-defined, method-assign]
    package.protocol = protocol  # type: ignore[attr-defined]
    sys.modules.update({"recbench": package, "recbench.protocol": protocol})


def _own_module(name: str, *folders: str) -> Any:
    """Returns a module of recbench's own files, as this one is; numpy is all that these need."""
    full_name = "recbench_" + name
    if full_name not in sys.modules:
        here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
        _execute(full_name, os.path.join(here, *folders, name + ".py"), None)  # noqa: PTH118
    return sys.modules[full_name]


def _array(scores: Any) -> Any:
    array = _own_module("score_arrays", "..", "evaluation").score_array(scores)
    if array.dtype.hasobject:
        raise TypeError("score() returned Python objects ({}), not an array of numbers".format(type(scores).__name__))
    return array


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    return (
        value if value is None or isinstance(value, (bool, int, float, str)) else f"not kept: a {type(value).__name__}"
    )


def _is_recordable(value: Any) -> bool:
    items = value if isinstance(value, (list, tuple)) else [value]
    return all(item is None or type(item) in (bool, int, float, str) for item in items)


def _message(error: BaseException) -> str:
    try:
        # The text of a KeyError has quotes already.
        return str(error.args[0] if isinstance(error, KeyError) and error.args else error)[:4000]
    except BaseException:  # noqa: BLE001 - it runs a model's code
        return "(the message cannot be shown)"


def _packages() -> Any:
    from importlib import metadata

    return {
        str(distribution.metadata["Name"]): str(distribution.version)
        for distribution in metadata.distributions()
        if distribution.metadata["Name"]
    }


def main() -> None:
    """Says hello, and serves."""
    commands, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    streams: Any = (sys.stdout, sys.stderr)
    for stream in streams:
        # By lines, so that a crash loses none.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    # The harness gets Ctrl-C as well, and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    token = commands.readline().strip()
    hello = {"kind": "hello", "version": VERSION, "python": platform.python_version(), "numpy": None, "problem": ""}
    try:
        import numpy as np

        hello["numpy"] = np.__version__
    except Exception as error:  # noqa: BLE001 - a numpy that is broken raises anything
        hello["problem"] = f"{type(error).__name__}: {_message(error)}"
    answers.write(token + json.dumps(hello).encode() + b"\n")
    answers.flush()
    Host(commands, answers).serve()


if __name__ == "__main__":
    main()
