"""The line of each row that was read from a text: for messages, whatever was skipped and however long a record is."""

from bisect import bisect_right
from collections.abc import Callable

from recbench.data.readers.open_tables import Place


def at_line(number: int) -> Place:
    """Returns the position of a line, counted from 1."""
    return Place(number, f"line {number}")


class LineNumbers:
    """Collects, batch by batch, how to find the line of a row."""

    def __init__(self) -> None:
        self._starts = [0]
        self._finders: list[Callable[[int], int]] = []

    def add(self, n_rows: int, find: Callable[[int], int]) -> None:
        """Adds a batch.

        Args:
            n_rows: The number of its rows.
            find: Returns the line, from 1, of a row of the batch, counted from 0.
        """
        self._starts.append(self._starts[-1] + n_rows)
        self._finders.append(find)

    def where(self, row: int) -> Place:
        """Returns the position of a row, counted from 0 among the rows of all batches."""
        batch = bisect_right(self._starts, row) - 1
        return at_line(self._finders[batch](row - self._starts[batch]))
