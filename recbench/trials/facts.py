"""What a model reports, as a record can keep it: finite numbers, text, True and False.

A record is JSON. Whatever a model reports, the trial that it has finished is kept: a value that a record cannot keep is
left out, and its place says so.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from recbench.errors import shortened
from recbench.records.schema import ParameterScalar
from recbench.text_encoding import readable

MOST_FACTS: Final = 1000
MOST_CHARACTERS: Final = 2000
NOT_KEPT: Final = "not kept: "
"""Begins the text that stands for a value that a record cannot keep."""
_LARGEST: Final = 2**63
"""Other programs read whole numbers of JSON up to here; and Python reads none of thousands of digits."""


def kept_facts(facts: Mapping[str, object]) -> dict[str, ParameterScalar | None]:
    """Returns the facts of a record.

    Scalars of numpy and of other frameworks become plain numbers. Text keeps its first and last characters if it is
    very long, and a character that is no Unicode text is escaped.

    Args:
        facts: What a model has reported.

    >>> kept_facts({"device": "gpu", "best": np.float32(0.5), "last": float("nan"), "history": [1, 2]})
    {'device': 'gpu', 'best': 0.5, 'last': 'not kept: nan is not a finite number', 'history': 'not kept: a list'}
    """
    kept = {_text(str(name)): _kept(value) for name, value in list(facts.items())[:MOST_FACTS]}
    if len(facts) > MOST_FACTS:
        kept["(more)"] = f"{NOT_KEPT}{len(facts) - MOST_FACTS} more facts"
    return kept


def promises_repetition(model_class: type) -> bool | None:
    """Whether a model promises equal ranks with several threads; None if it says nothing, or something else."""
    try:
        promised = getattr(model_class, "repeatable_on_threads", None)
    except Exception:  # noqa: BLE001 - a metaclass of the model may do anything
        return None
    return bool(promised) if isinstance(promised, bool | np.bool_) else None


def _kept(value: Any) -> ParameterScalar | None:
    # Whatever the value is, and whatever its methods do, the finished training is kept.
    try:
        return _scalar(value)
    except Exception as error:  # noqa: BLE001
        return f"{NOT_KEPT}{_text(type(value).__name__)} ({type(error).__name__})"


def _scalar(value: Any) -> ParameterScalar | None:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        # Not str(value): a subclass may return anything.
        return _text(str.__str__(value))
    if isinstance(value, int):
        number = int.__int__(value)
        return number if abs(number) < _LARGEST else f"{NOT_KEPT}an integer of {number.bit_length():,} bits"
    if isinstance(value, float):
        real = float.__float__(value)
        return real if abs(real) <= sys.float_info.max else f"{NOT_KEPT}{real} is not a finite number"
    if isinstance(value, np.generic) or _is_scalar_of_a_framework(value):
        plain = value.item()
        if isinstance(plain, bool | int | float | str):
            return _scalar(plain)
    return f"{NOT_KEPT}a {_text(type(value).__name__)}"


def _is_scalar_of_a_framework(value: Any) -> bool:
    """Whether it is an array or a tensor of one number, of numpy, PyTorch, JAX or another framework."""
    return getattr(value, "shape", None) == () and callable(getattr(value, "item", None))


def _text(text: str) -> str:
    return shortened(readable(text), MOST_CHARACTERS)
