"""Arguments that a program passes, checked against a type: one kind of error for all of them."""

import os
import reprlib
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, Strict, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from recbench.errors import RecbenchError, problem_text

Value = TypeVar("Value")


def _plain(value: object) -> object:
    """Returns a number of another library, such as ``numpy.int64``, as Python's own; a truth value is no number."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def _listed(value: object) -> object:
    """Returns any iterable as a list, except those that are one thing to a user."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) else value


def _path(value: object) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise PydanticCustomError("path", "Input should be a path")
    return Path(value)


Whole = Annotated[int, Strict(), BeforeValidator(_plain)]
Positive = Annotated[Whole, Field(ge=1)]
PositiveNumber = Annotated[float, Strict(), BeforeValidator(_plain), Field(gt=0, allow_inf_nan=False)]

WHOLE: TypeAdapter[int] = TypeAdapter(Whole)
POSITIVE: TypeAdapter[int] = TypeAdapter(Positive)
POSITIVE_NUMBER: TypeAdapter[float] = TypeAdapter(PositiveNumber)
WHOLE_NUMBERS: TypeAdapter[list[int]] = TypeAdapter(Annotated[list[Whole], BeforeValidator(_listed)])
TEXT: TypeAdapter[str] = TypeAdapter(Annotated[str, Strict()])
NAMES: TypeAdapter[list[str]] = TypeAdapter(Annotated[list[str], Field(min_length=1), BeforeValidator(_listed)])
SEVERAL: TypeAdapter[list[Any]] = TypeAdapter(Annotated[list[Any], BeforeValidator(_listed)])
PATH: TypeAdapter[Path] = TypeAdapter(Annotated[Path, PlainValidator(_path)])


def read_argument(name: str, kind: TypeAdapter[Value], value: object, hint: str) -> Value:
    """Returns an argument as a value of its type.

    Args:
        name: The argument's name.
        kind: Its type.
        value: What was passed.
        hint: An example of a valid argument.

    Raises:
        RecbenchError: The value is of another type or out of range; the message says why.
    """
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        shown = " ".join(reprlib.repr(value).split())
        problems = [": ".join([*map(str, problem["loc"][-1:]), problem_text(problem)]) for problem in error.errors()]
        raise RecbenchError(f"The argument {name}={shown} is not valid: {'; '.join(problems)}.", hint) from error


def read_whole_numbers(name: str, value: object, hint: str) -> int | list[int]:
    """Returns an argument that is a whole number or several.

    Raises:
        RecbenchError: It is neither.
    """
    if isinstance(value, Iterable):
        return read_argument(name, WHOLE_NUMBERS, value, hint)
    return read_argument(name, WHOLE, value, hint)


def read_column_names(value: object) -> list[str]:
    """Returns the argument ``columns``: a name or several.

    Raises:
        RecbenchError: It is neither.
    """
    names = [value] if isinstance(value, str) else value
    return read_argument("columns", NAMES, names, 'For example: columns=["model", "hr@10"]')


def read_metrics(value: object) -> list[str]:
    """Returns the argument ``metrics``: a name or several.

    Raises:
        RecbenchError: It is neither.
    """
    names = [value] if isinstance(value, str) else value
    return read_argument("metrics", NAMES, names, 'For example: metrics=["hr", "ndcg"]')
