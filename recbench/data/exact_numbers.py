"""Which whole numbers a type of floats holds exactly; several larger ones become the same float."""

from typing import Any

import numpy as np


def inexact_from(dtype: np.dtype[Any]) -> float:
    """Returns the whole number from which on a type of floats does not hold every whole number.

    >>> f"{inexact_from(np.dtype(np.float32)):,.0f}"
    '16,777,216'
    """
    return float(2.0 ** (np.finfo(dtype).nmant + 1))
