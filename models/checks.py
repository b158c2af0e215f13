"""Range checks of hyper-parameters."""

import math
from typing import get_args


def positive(**values: float) -> None:
    """Raises ``ValueError`` for the first value that is not finite and above 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0, not {value}")


def not_negative(**values: float) -> None:
    """Raises ``ValueError`` for the first value that is not finite and at least 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be 0 or more, not {value}")


def one_of(choices: object, **values: str) -> None:
    """Raises ``ValueError`` for the first value that is not one of a ``Literal`` type's."""
    for name, value in values.items():
        if value not in (known := get_args(choices)):
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
