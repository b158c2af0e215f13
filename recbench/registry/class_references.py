"""Classes and instances that are given from Python: how another process gets the class.

A class whose module the other process can import is sent by its name. Any other class, such as one of a notebook or of
the script that was started, is sent by value: pickled, with the functions and variables that it uses.
"""

import inspect
import sys
from importlib.machinery import ModuleSpec
from typing import Any

from recbench.errors import RecbenchError
from recbench.registry.class_pickles import pickle_class
from recbench.registry.models import ModelReference, Origin, check_is_model, known_models


def class_reference(model_class: type) -> ModelReference:
    """Returns how a class is found in another process; that of a builtin model or a plugin by its name.

    Raises:
        RecbenchError: The class is not a model, or must be sent by value and cannot be pickled.
    """
    target = f"{model_class.__module__}:{model_class.__qualname__}"
    check_is_model(model_class, target)
    for known in known_models().values():
        if known.target == target:
            return known
    if is_importable(model_class):
        return ModelReference(model_class.__name__, target, Origin.MODULE)
    sent = f"{target} (sent by value)"
    return ModelReference(model_class.__name__, sent, Origin.VALUE, pickle_class(model_class))


def constructor_arguments(model: object) -> dict[str, Any]:
    """Reads the constructor's arguments from the attributes of the same names.

    Raises:
        RecbenchError: The instance has no attribute for one of them.
    """
    arguments = {}
    for name, parameter in inspect.signature(type(model)).parameters.items():
        attribute = next((text for text in (name, f"_{name}") if hasattr(model, text)), None)
        if attribute is None or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            called = type(model).__name__
            raise RecbenchError(
                f"The argument {name!r} of this {called} cannot be read: the instance has no attribute of that name.",
                f"Give the class and its hyper-parameters instead: Model({called}, {name}=...).",
            )
        arguments[name] = getattr(model, attribute)
    return arguments


def is_importable(model_class: type) -> bool:
    """Whether another process that has this one's Python path gets the same class from its module."""
    module = sys.modules.get(model_class.__module__)
    if module is None or model_class.__module__ == "__main__":
        return False
    spec = getattr(module, "__spec__", None)
    import_spec = _find(model_class.__module__)
    return (
        getattr(module, model_class.__qualname__, None) is model_class
        and spec is not None
        and import_spec is not None
        and import_spec.origin == spec.origin
    )


def _find(name: str) -> ModuleSpec | None:
    """Looks a module up on the Python path, whether or not it has been imported."""
    parent = sys.modules.get(name.rpartition(".")[0])
    path = getattr(parent, "__path__", None)
    if "." in name and path is None:
        return None
    for finder in sys.meta_path:
        if (spec := finder.find_spec(name, path)) is not None:
            return spec
    return None
