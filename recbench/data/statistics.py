"""What a set of interactions looks like: density, skew, how long histories are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in bins that double: 1, 2-3, 4-7, ...

    Attributes:
        lowest: The lowest value of each bin.
        highest: The highest.
        counts: How many values each bin holds.
    """

    lowest: tuple[int, ...]
    highest: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of users and items with at least one row.

    Attributes:
        rows: Number of rows.
        users: Number of users.
        items: Number of items.
        density: rows / (users * items).
        popularity_gini: Gini index of the items' rows, see ``rows_gini``: 0 if all are alike, towards 1 if one has all.
        history_gini: The same of the users' rows.
        median_history: Median of the users' rows.
        median_popularity: Median of the items' rows.
        histories: How many users have how many rows.
        popularities: How many items have how many rows.
    """

    rows: int
    users: int
    items: int
    density: float
    popularity_gini: float
    history_gini: float
    median_history: float
    median_popularity: float
    histories: Histogram
    popularities: Histogram


def statistics(users: npt.NDArray[np.integer[Any]], items: npt.NDArray[np.integer[Any]]) -> Statistics:
    """Computes the figures of rows (user, item), at least one."""
    histories, popularities = (counts[counts > 0] for counts in (np.bincount(users), np.bincount(items)))
    return Statistics(
        len(users),
        len(histories),
        len(popularities),
        len(users) / (len(histories) * len(popularities)),
        rows_gini(popularities),
        rows_gini(histories),
        float(np.median(histories)),
        float(np.median(popularities)),
        doubling_histogram(histories),
        doubling_histogram(popularities),
    )


def rows_gini(counts: Int64Array) -> float:
    """Gini index sum_j (2 j - n - 1) x_j / (n sum_j x_j), with x_1 <= .. <= x_n; (n - 1) / n if one has all.

    It is not the index of the lists that a model recommends: that is of all items, and divides by n - 1; see
    ``recbench.evaluation.beyond_accuracy.exposure_gini``.

    Args:
        counts: int64[n], rows of the users or items that have any.
    """
    n, ordered = len(counts), np.sort(counts).astype(np.float64)
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * ordered.sum()))


def doubling_histogram(values: Int64Array) -> Histogram:
    """Counts values from 1 up in bins that double."""
    bins = np.bincount(np.floor(np.log2(values)).astype(np.int64))
    used = range(int(np.flatnonzero(bins)[0]), len(bins))
    return Histogram(
        tuple(2**n for n in used), tuple(2 ** (n + 1) - 1 for n in used), tuple(int(bins[n]) for n in used)
    )
