"""Rows that cannot be read: refused with an error that names them, or left out and counted."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recbench.data.plain_values import plain_value
from recbench.data.readers.id_columns import MISSING, encode_ids
from recbench.data.readers.open_tables import Batch, OpenTable, Place, short_name, shown
from recbench.errors import RecbenchError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class BadRows:
    """What happens to rows that cannot be read.

    Attributes:
        skip: Leave them out instead of refusing the file.
        count: How many were left out.
        first: The first of them: its file, its position, and why it cannot be read.
    """

    skip: bool
    count: int = 0
    first: tuple[Path | str, Place, str] | None = None

    def leave_out(self, source: Path | str, place: Place, reason: str, count: int = 1) -> None:
        """Counts rows that are left out.

        Args:
            source: Their file.
            place: The position of the first of them.
            reason: Why it cannot be read.
            count: How many they are.
        """
        self.count += count
        if self.first is None or (self.first[0] == source and place.number < self.first[1].number):
            self.first = source, place, reason

    @property
    def first_reason(self) -> str | None:
        """Which row is the first that was left out, and why."""
        return self.first and f"{short_name(self.first[0])}, {self.first[1].text}: {self.first[2]}"


def described(batch: Batch, row: int, role: str, reason: str) -> str:
    """Says what is wrong with a value; ``{value}`` in the reason stands for it."""
    return f"the {role} {reason.replace('{value}', _text(batch[role], row))}"


def refusal(
    table: OpenTable, batch: Batch, start: int, rows: npt.NDArray[np.bool_], role: str, reason: str
) -> RecbenchError:
    """Returns the error about the marked rows of a batch that starts with row ``start``."""
    row, more = int(rows.argmax()), int(rows.sum())
    count = f" ({more:,} such rows here)" if more > 1 else ""
    return RecbenchError(
        f"{table.source}, {table.where(start + row).text}: {described(batch, row, role, reason)}{count}.",
        table.advice.incomplete if reason == MISSING else table.advice.wrong,
    )


def checked_ids(table: OpenTable, batch: Batch, role: str, start: int) -> "pa.DictionaryArray":
    """Returns the column of a role that holds ids, dictionary-encoded.

    Args:
        table: The table.
        batch: A batch of its columns.
        role: The role.
        start: The number of the batch's first row.

    Raises:
        RecbenchError: A value is no id; the message names the first row and counts them.
    """
    encoded, wrong = encode_ids(batch[role])
    for reason, rows in wrong.items():
        raise refusal(table, batch, start, rows, role, reason)
    return encoded


def _text(column: "pa.Array", row: int) -> str:
    return shown(plain_value(column[row]))
