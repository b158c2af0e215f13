"""What a model has learned, as far as its attributes show it: to notice training in ``score``."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

MOST_OBJECTS = 20_000
"""Attributes of a framework's models may lead to very many objects."""
CONTAINERS = (dict, list, tuple, set, frozenset)
NOTHING_LEARNED = (str, bytes, int, float, complex, type, ModuleType, FunctionType, BuiltinFunctionType)

Learned = frozenset[tuple[object, ...]]


def learned_state(model: object, at_least: int) -> Learned:
    """Returns what identifies the large arrays and containers that a model's attributes lead to.

    Args:
        model: The model.
        at_least: Number of elements. What a model learns has one for each item or user; a cache of shapes or a counter
            has fewer.
    """
    return frozenset(_large(model, at_least))


def _large(model: object, at_least: int) -> Iterator[tuple[object, ...]]:
    # The objects are kept, so that no id is given to another one.
    seen: dict[int, object] = {}
    waiting: list[object] = [model]
    while waiting and len(seen) < MOST_OBJECTS:
        value = waiting.pop()
        if id(value) in seen or value is None or isinstance(value, NOTHING_LEARNED):
            continue
        seen[id(value)] = value
        if isinstance(value, CONTAINERS):
            if len(value) >= at_least:
                yield type(value).__name__, id(value), len(value)
            waiting.extend(value.values() if isinstance(value, dict) else value)
        elif (array := _array(value)) is not None:
            if array.size >= at_least:
                yield array.dtype.str, array.shape, hashlib.sha256(np.ascontiguousarray(array).data).digest()
        else:
            # An object may define its attributes in any way.
            with suppress(Exception):
                waiting.extend(vars(value).values())


def _array(value: object) -> "np.ndarray[Any, Any] | None":
    """Returns an array or a tensor as an array of numbers; None for other objects."""
    # Of any class: it runs a model's code, and an object that fails is not an array.
    with suppress(Exception):
        if hasattr(type(value), "__array__") and (array := np.asarray(value)).dtype.kind in "biuf":
            return array
    return None
