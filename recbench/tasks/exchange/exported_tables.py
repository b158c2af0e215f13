"""Reads the tables that ``export_tables`` writes, by the layout that it gives them.

Nothing is recognised here, unlike in files of others: whatever a task holds must come back as it was. Times are whole
numbers whatever their size, a text such as ``nan`` is an id, and so is the name of a column.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.interactions import Interactions
from recbench.data.readers.bad_rows import checked_ids
from recbench.data.readers.numbering import encoded
from recbench.data.readers.open_tables import Advice, Batch, OpenTable, Place
from recbench.data.readers.ratings_files import readable
from recbench.data.reading import Reading
from recbench.data.rows import Rows
from recbench.data.times import Unit
from recbench.errors import RecbenchError
from recbench.file_content import other_content
from recbench.path_checks import check_no_folder
from recbench.tasks.exchange.candidate_lists import IdColumn
from recbench.tasks.exchange.export_tables import ATOMIC_NAMES, ATOMIC_SUFFIX, PARQUET_SUFFIX
from recbench.tasks.exchange.table_readers import IdTableRead

if TYPE_CHECKING:
    import pyarrow as pa

EXPORT_AGAIN = "The folder of an exported task holds all of its files: export the task again, or get a complete copy."
ADVICE = Advice(incomplete=EXPORT_AGAIN, wrong=EXPORT_AGAIN, empty=EXPORT_AGAIN, times=EXPORT_AGAIN)
HEAD = 2**20
"""So much of a file that cannot be read is looked at to say what it is."""


class _NoTableError(ValueError):
    """A table lacks a column; the text says which."""


@dataclass(frozen=True, slots=True)
class ExportedTables:
    """Reads the tables of an export, whatever their form."""

    def rows(self, path: Path) -> Interactions:
        """Reads a table of rows, see ``TableReader``; it may have none."""
        with _read(path):
            table = _table(path)
            ids = _id_columns(path, table, ("user", "item"))
            optional = [name for name in ("rating", "timestamp") if name in table.schema.names]
            values = {name: _numbers(path, table, name) for name in optional}
        (users, items), ratings, times = ids, values.get("rating"), values.get("timestamp")
        rows = Rows(users.codes, items.codes, ratings, times)
        # What the times count is not in the files. As an order they stay as they are.
        unit = None if times is None else Unit.ORDER
        return Interactions(rows, users.ids, items.ids, time_unit=unit, reading=Reading(path.name, len(rows)))

    def ids(self, path: Path, columns: Sequence[str]) -> IdTableRead:
        """Reads columns of ids, see ``TableReader``; they may have no row."""
        with _read(path):
            return IdTableRead(_id_columns(path, _table(path), columns), _where)

    def place(self, _paths: Sequence[Path], _user: str, _item: str, /) -> str | None:
        """Returns None: a task that was exported has no negative to complain of."""
        return None


def _id_columns(path: Path, table: "pa.Table", names: Sequence[str]) -> list[IdColumn]:
    """Returns columns of ids.

    Raises:
        _NoTableError: A column is missing.
        RecbenchError: A value is no id.
    """
    import pyarrow as pa

    if missing := [name for name in names if name not in table.schema.names]:
        raise _NoTableError(f"it has no column {missing[0]!r}")
    batches: list[Batch] = [{name: batch.column(name) for name in names} for batch in table.to_batches()]
    opened, start = OpenTable(path, batches, _where, ADVICE), 0
    # The first is empty, so that a table without rows has a part too.
    chunks = {name: [pa.array([], pa.string()).dictionary_encode()] for name in names}
    for batch in batches:
        for name in names:
            chunks[name].append(checked_ids(opened, batch, name, start))
        start += len(batch[names[0]])
    return [IdColumn(*encoded(chunks[name])) for name in names]


def _where(row: int) -> Place:
    return Place(row, f"row {row + 1}")


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """Converts every error of reading a table of an export into one.

    Raises:
        RecbenchError: The table cannot be read.
    """
    import pyarrow as pa

    check_no_folder(path)
    if not path.is_file():
        raise RecbenchError(f"No such file: {path}.", EXPORT_AGAIN)
    of_content = (_NoTableError, pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, pa.ArrowTypeError)
    with readable(path):
        try:
            yield
        except of_content as error:
            with path.open("rb") as file:
                other = other_content(path, file.read(HEAD), binary=path.name.endswith(PARQUET_SUFFIX))
            problem, advice = str(error).rstrip("."), EXPORT_AGAIN
            if other is not None:
                problem, advice = f"it {other.what}", other.advice or EXPORT_AGAIN
            raise RecbenchError(f"{path} is no table of an export: {problem}.", advice) from error


def _table(path: Path) -> "pa.Table":
    """Reads all columns of a table: texts, except that Parquet has types."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    if path.name.endswith(PARQUET_SUFFIX):
        # Not read_table: it takes a folder in the path such as user=1 for a column.
        with parquet.ParquetFile(path) as file:
            return file.read()
    atomic = path.name.endswith(ATOMIC_SUFFIX)
    parse = csv.ParseOptions(delimiter="\t" if atomic else ",", quote_char=False if atomic else '"')
    parse.newlines_in_values = not atomic
    with csv.open_csv(path, parse_options=parse) as reader:
        names = reader.schema.names
    # Dictionaries: an id is in many rows.
    text = pa.dictionary(pa.int32(), pa.string())
    kinds = {"rating": pa.float32(), "timestamp": pa.int64()}
    table = csv.read_csv(
        path,
        csv.ReadOptions(use_threads=False),
        parse,
        csv.ConvertOptions(
            column_types={name: kinds.get(_plain(name), text) for name in names}, strings_can_be_null=False
        ),
    )
    return table.rename_columns([_plain(name) for name in names])


def _plain(name: str) -> str:
    """Returns the name of a column in an export, of its name in any form of file."""
    return {atomic: plain for plain, atomic in ATOMIC_NAMES.items()}.get(name, name)


def _numbers(path: Path, table: "pa.Table", name: str) -> npt.NDArray[Any]:
    """Returns the ratings (float32[rows]) or the times (int64[rows]).

    Raises:
        RecbenchError: One is missing, or is no finite number.
    """
    import pyarrow as pa

    column = table.column(name).cast(pa.float32() if name == "rating" else pa.int64())
    numbers = column.to_numpy()
    if column.null_count or not np.isfinite(numbers).all():
        raise RecbenchError(f"{path} has a row whose {name} is missing or no finite number.", EXPORT_AGAIN)
    return np.ascontiguousarray(numbers)
