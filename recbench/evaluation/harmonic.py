"""Harmonic numbers, exact as far as any catalogue goes."""

from functools import cache

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.protocol import Int32Array, Int64Array

HARMONIC_TABLE = 2**24
"""Up to here harmonic numbers are summed up: 128 MiB."""

SMALL_TABLE = 2**12
"""Sums up to here are kept."""


def harmonic(numbers: Int32Array | Int64Array) -> Float64Array:
    """Returns the sum of 1 / r over r = 1 .. n for each n, float64 of the same shape.

    Numbers beyond any catalogue by Euler's expansion, whose error there is far below the last digit: a table of them
    would take all memory.

    Args:
        numbers: n, each at least 0.
    """
    most = min(int(numbers.max(initial=0)), HARMONIC_TABLE)
    # Sums of a few terms more are the same up to there, so that one table serves many calls.
    table = _small_table() if most < SMALL_TABLE else _table(most)
    if int(numbers.max(initial=0)) <= most:
        return np.asarray(table[numbers])
    large = np.maximum(numbers, HARMONIC_TABLE).astype(np.float64)
    expansion = np.log(large) + np.euler_gamma + 0.5 / large
    return np.asarray(np.where(numbers <= most, table[np.minimum(numbers, most)], expansion))


@cache
def _small_table() -> Float64Array:
    return _table(SMALL_TABLE)


def _table(most: int) -> Float64Array:
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, most + 1))])
