"""Values of hyper-parameters: read from text, checked against a type, and brought into the form that records hold."""

import json
import math
import typing
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue


def recordable(model: str, name: str, value: Any) -> ParameterValue:
    """Returns the value as a record holds it: a tuple or an array is a list, a number of numpy one of Python.

    Args:
        model: The model's name, for the error.
        name: The hyper-parameter's name, for the error.
        value: The value.

    Raises:
        RecbenchError: A record cannot hold the value.

    >>> recordable("net", "layers", (64, 32))
    [64, 32]
    """
    if type(value).__module__ == "numpy":
        value = value.tolist()
    if isinstance(value, list | tuple) and all(_is_plain(item) and item is not None for item in value):
        return list(value)
    if not _is_plain(value):
        raise RecbenchError(
            f"Model {model!r} would have the value {value!r} for {name!r}, which a record cannot hold.",
            "Use a finite number, a text, true or false, None, or a list of finite numbers, texts, true and false.",
        )
    plain: ParameterValue = value
    return plain


def as_text(value: ParameterValue) -> str:
    """Returns the text from which ``--param`` reads the value, exactly.

    >>> [as_text(value) for value in (True, None, 0.5, [64, 32], "bpr")]
    ['true', 'none', '0.5', '[64, 32]', 'bpr']
    """
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, list) else str(value)


def read_text(model: str, name: str, text: str, hint: Any) -> Any:
    """Reads a value by its type; without a type as JSON, or else as text.

    ``none`` is None where the type allows it. ``[64, 32]`` and ``[relu, tanh]`` are lists unless the type is ``str``.

    Args:
        model: The model's name, for the error.
        name: The hyper-parameter's name, for the error.
        text: The text.
        hint: The type of the constructor's argument.

    Raises:
        RecbenchError: The text does not fit the type.
    """
    allows_none = hint is Any or type(None) in typing.get_args(hint)
    if allows_none and text.lower() in ("none", "null"):
        return None
    if hint is not str and text.startswith("[") and text.endswith("]"):
        return check_type(model, name, _read_list(text), hint, text)
    if hint is Any:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            return text
        return value if isinstance(value, bool | int | float | str) else text
    try:
        return TypeAdapter(hint).validate_strings(text)
    except (ValidationError, PydanticSchemaGenerationError) as error:
        raise _does_not_fit(model, name, text, error) from error


def check_type(model: str, name: str, value: Any, hint: Any, text: str = "") -> Any:
    """Returns the value as the type has it: a list as a tuple if the type is a tuple, 1 as 1.0 if it is ``float``.

    Args:
        model: The model's name, for the error.
        name: The hyper-parameter's name, for the error.
        value: The value.
        hint: The type of the constructor's argument.
        text: The text that the value was read from, if any, for the error.

    Raises:
        RecbenchError: The value does not fit the type.
    """
    if hint is Any:
        return value
    try:
        adapter = TypeAdapter(hint)
    except PydanticSchemaGenerationError:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _does_not_fit(model, name, text or as_text(value), error) from error


def _is_plain(value: Any) -> bool:
    finite = not isinstance(value, float) or math.isfinite(value)
    return finite and (value is None or isinstance(value, bool | int | float | str))


def _read_list(text: str) -> list[Any]:
    try:
        values: list[Any] = json.loads(text)
    except json.JSONDecodeError:
        return [item.strip() for item in text[1:-1].split(",") if item.strip()]
    return values


def _does_not_fit(model: str, name: str, text: str, error: Exception) -> RecbenchError:
    reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return RecbenchError(f"{model}.{name}={text}: {reason}.", f"Give {name} a value of its type.")
