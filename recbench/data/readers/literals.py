"""JSON and Python literals in text that anybody may have written: the parsers raise one kind of error."""

import ast
import json
from collections.abc import Callable
from typing import Any

PairsHook = Callable[[list[tuple[str, Any]]], dict[str, Any]]


class NotALiteralError(ValueError):
    """A text is no literal."""


def parse_json(text: str, hook: PairsHook | None = None) -> Any:
    """Returns the value of a text in JSON.

    Args:
        text: The text.
        hook: Makes an object from its names and values; a ``dict`` if None.

    Raises:
        NotALiteralError: The text is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=hook)
    # A number of too many digits is a ValueError too.
    except (ValueError, RecursionError) as error:
        raise NotALiteralError(str(error)) from error


def parse_python(text: str) -> Any:
    """Returns the value of a Python literal.

    Raises:
        NotALiteralError: The text is no literal.
    """
    try:
        return ast.literal_eval(text)
    # A set of lists or a dict as a key is a TypeError: they have no hash.
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise NotALiteralError(str(error)) from error
