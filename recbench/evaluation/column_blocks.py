"""Columns a few at a time, where a computation makes large intermediate results of them."""

from collections.abc import Iterator

COLUMNS_AT_ONCE = 64
"""Intermediate results of so many columns stay in the cache of the processor; all columns would take gigabytes."""


def column_blocks(n_columns: int) -> Iterator[slice]:
    """Returns slices of at most ``COLUMNS_AT_ONCE`` columns, which together are all."""
    return (slice(first, first + COLUMNS_AT_ONCE) for first in range(0, n_columns, COLUMNS_AT_ONCE))
