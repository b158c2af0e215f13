"""Values of hyper-parameters: read from text, checked against a type, and brought into the form that records hold."""

import json
import math
import types
import typing
from typing import Any, Final

import numpy as np
from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from recbench.errors import RecbenchError, problem_text, shortened
from recbench.records.schema import ParameterValue

MOST_CHARACTERS: Final = 100_000
"""The longest value of a hyper-parameter, as JSON: it is in every record, and in the name of none."""
MOST_BITS: Final = 1024
"""The largest whole number has as many bits as the largest floating-point number."""
_NOT_PLAIN: Final = object()


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
    plain = _plain(value)
    too_long = plain is not _NOT_PLAIN and len(json.dumps(plain)) > MOST_CHARACTERS
    if plain is _NOT_PLAIN or too_long:
        what = f"a value of more than {MOST_CHARACTERS:,} characters" if too_long else f"the value {_shown(value)}"
        raise RecbenchError(
            f"Model {model!r} would have {what} for {name!r}, which a record cannot hold.",
            "Use a finite number, a text, true or false, None, or a list of finite numbers, texts, true and false.",
        )
    result: ParameterValue = plain
    return result


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


def takes_integers(hint: Any, default: ParameterValue) -> bool:
    """Whether a parameter takes integers and no other numbers, by its type; without a type, by its default.

    Args:
        hint: The type of the constructor's argument; ``Any`` if it has none.
        default: Its value, as records hold it.

    >>> [takes_integers(int | None, None), takes_integers(float, 10), takes_integers(typing.Any, 10)]
    [True, False, True]
    """
    if hint is Any:
        return isinstance(default, int) and not isinstance(default, bool)
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = typing.get_args(hint) if is_union else (hint,)
    return int in kinds and float not in kinds


def _plain(value: Any) -> Any:
    """Returns a value in plain types of Python; ``_NOT_PLAIN`` if it has no such form."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        items = [_plain_scalar(item) for item in value]
        return _NOT_PLAIN if _NOT_PLAIN in items or None in items else items
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    """Does the same for a value that is no list. A subclass, such as an enumeration's member, may do anything."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, int):
        number = int.__index__(value)
        return number if number.bit_length() <= MOST_BITS else _NOT_PLAIN
    if isinstance(value, float):
        real = float.__float__(value)
        return real if math.isfinite(real) else _NOT_PLAIN
    return str.__str__(value) if isinstance(value, str) else _NOT_PLAIN


def _shown(value: Any) -> str:
    try:
        return shortened(repr(value), 200)
    except Exception:  # noqa: BLE001 - it runs a model's code, and Python shows no number of thousands of digits
        return f"of type {type(value).__name__}, which cannot be shown,"


def _read_list(text: str) -> list[Any]:
    try:
        values: list[Any] = json.loads(text)
    except json.JSONDecodeError:
        return [item.strip() for item in text[1:-1].split(",") if item.strip()]
    return values


def _does_not_fit(model: str, name: str, text: str, error: Exception) -> RecbenchError:
    reason = problem_text(error.errors()[0]) if isinstance(error, ValidationError) else str(error)
    return RecbenchError(f"{model}.{name}={text}: {reason}.", f"Give {name} a value of its type.")
