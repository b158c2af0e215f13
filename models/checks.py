"""Range checks of hyper-parameters, and a check of the train rows."""

import math
from typing import get_args

import numpy as np

from recbench.protocol import TrainSet


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


def float32_range(**values: float) -> None:
    """Raises ``ValueError`` for the first value that float32 would turn into 0, a subnormal number or infinity.

    For values above 0 from which vectors are made: with 0 they would be all zeros, and would never learn.
    """
    limits = np.finfo(np.float32)
    # As Python's floats: compared with a number of float32, numpy would convert the value, which may overflow.
    low, high = float(limits.tiny), float(limits.max)
    for name, value in values.items():
        if not low <= value <= high:
            raise ValueError(f"{name} must be between {low:.2g} and {high:.2g} (float32), not {value}")


def one_of(choices: object, **values: str) -> None:
    """Raises ``ValueError`` for the first value that is not one of a ``Literal`` type's."""
    for name, value in values.items():
        if value not in (known := get_args(choices)):
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def require_rows(train: TrainSet) -> None:
    """Raises ``ValueError`` if there is no train row, for models whose settings are relative to the number of rows."""
    if len(train) == 0:
        raise ValueError("the train set has no rows, so there is nothing to learn from")
