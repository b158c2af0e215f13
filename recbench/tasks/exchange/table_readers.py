"""How the tables of a split are read, if recbench has to find out how they are laid out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recbench.data.interactions import Interactions
from recbench.data.readers.bad_rows import BadRows, checked_ids
from recbench.data.readers.layout import PLAIN, Layout
from recbench.data.readers.numbering import encoded
from recbench.data.readers.open_tables import Where
from recbench.data.readers.ratings_files import open_file, place_in_files, read_interactions, readable
from recbench.errors import RecbenchError
from recbench.tasks.exchange.candidate_lists import IdColumn

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class IdTableRead:
    """A table of ids as read.

    Attributes:
        columns: Its columns, in the order in which they were asked for.
        where: Finds the position of a row.
    """

    columns: list[IdColumn]
    where: Where


class TableReader(Protocol):
    """Reads the tables of a split."""

    def rows(self, path: Path) -> Interactions:
        """Reads a table of users and items, and of ratings and times where it has them.

        Raises:
            RecbenchError: It cannot be read.
        """

    def ids(self, path: Path, columns: Sequence[str]) -> IdTableRead:
        """Reads columns of ids: ``id``, ``row``, or ``user``, ``item`` and ``negative``.

        Raises:
            RecbenchError: The table cannot be read, lacks a column, or a value is no id.
        """

    def place(self, paths: Sequence[Path], user: str, item: str, /) -> str | None:
        """Returns the position of the first row of a pair, for messages; None if it is unknown."""


@dataclass(frozen=True, slots=True)
class RecognisedTables:
    """Reads tables of any form that recbench knows.

    Attributes:
        layout: How the tables of rows are laid out.
    """

    layout: Layout = PLAIN

    def rows(self, path: Path) -> Interactions:
        """Reads a table of rows, see ``TableReader``."""
        return read_interactions(path, self.layout)

    def ids(self, path: Path, columns: Sequence[str]) -> IdTableRead:
        """Reads columns of ids, see ``TableReader``."""
        # A table of one column has it in both roles, because every table of rows has both.
        user, item, *negative = columns if len(columns) > 1 else (*columns, *columns)
        layout = Layout(user=user, item=item, negative=negative[0] if negative else None, rating="", timestamp="")
        roles = ("user", "item", "negative")[: len(columns)]
        chunks: dict[str, list[pa.DictionaryArray]] = {role: [] for role in roles}
        with readable(path):
            table, n_rows = open_file(path, layout, BadRows(skip=False)), 0
            for batch in table.batches:
                for role in roles:
                    chunks[role].append(checked_ids(table, batch, role, n_rows))
                n_rows += len(batch["user"])
            if not n_rows:
                raise RecbenchError(f"{path} has no rows.", "The file may be truncated: copy or download it again.")
            return IdTableRead([IdColumn(*encoded(chunks[role])) for role in roles], table.where)

    def place(self, paths: Sequence[Path], user: str, item: str) -> str | None:
        """Returns the position of a pair, see ``TableReader``."""
        return place_in_files(paths, self.layout, user, item)
