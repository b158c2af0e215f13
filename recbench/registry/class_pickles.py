"""Classes as bytes, for the pipe or the connection to the process that trains them; never for a file.

Loading such bytes runs code. This is the only module that does, and the bytes always come from the run itself.
"""

import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from recbench.errors import RecbenchError
from recbench.registry.class_contents import contents, globals_of

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The bytes hold byte code, which only the same version of Python runs."""


def pickle_class(model_class: type) -> bytes:
    """Returns the version of Python, a line feed, and the class with the functions and variables that it uses.

    Raises:
        RecbenchError: Something that the class uses cannot be pickled; the message names it.
    """
    import cloudpickle

    module = sys.modules.get(model_class.__module__)
    # Without this, a class of a module that was loaded in some other way would be sent by its name.
    registered = cloudpickle.list_registry_pickle_by_value()
    by_value = module is not None and module.__name__ not in ("__main__", *registered)
    try:
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        content: bytes = cloudpickle.dumps(model_class)
    # Of any class: an object may fail in any way to be pickled. The message names the error itself.
    except Exception as error:
        raise RecbenchError(
            f"Class {model_class.__name__!r} cannot be sent to the process that trains it: {_culprit(model_class)} "
            f"cannot be pickled ({type(error).__name__}: {error}).",
            "Create that object in __init__ or in fit(), or write the class into a file and give its path: "
            f"my_model.py:{model_class.__name__}",
        ) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    return f"{PYTHON}\n".encode() + content


def unpickle_class(content: bytes) -> type:
    """Returns the class that ``pickle_class`` has made bytes of.

    Raises:
        RecbenchError: The bytes come from another version of Python.
        Exception: Whatever a module raises that the class imports.
    """
    import cloudpickle

    python, _, pickled = content.partition(b"\n")
    if python.decode() != PYTHON:
        raise RecbenchError(
            f"The class was sent by Python {python.decode()}, and this process runs {PYTHON}.",
            "Write the class into a file, or use the same Python on all machines.",
        )
    model_class: type = cloudpickle.loads(pickled)
    return model_class


def _culprit(model_class: type) -> str:
    """Names the first thing that the class uses and that cannot be pickled."""
    import cloudpickle

    for description, value in _used(model_class):
        try:
            cloudpickle.dumps(value)
        except Exception:  # noqa: BLE001 - an object may fail in any way
            return f"{description} of type {type(value).__name__}"
    return "something that it uses"


def _used(model_class: type) -> Iterator[tuple[str, Any]]:
    for name, value in contents(model_class).items():
        function = getattr(value, "__func__", value)
        if not isinstance(function, FunctionType):
            yield f"its attribute {name!r}", value
            continue
        for variable, global_value in globals_of(function).items():
            if global_value is not model_class:
                yield f"the global variable {variable!r}", global_value
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if cell.cell_contents is not model_class:
                yield f"the variable {variable!r}", cell.cell_contents
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            yield f"a default of {name}()", default
