"""Columns to a table on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET_SUFFIX = ".parquet"
ATOMIC_SUFFIX = ".inter"
"""Ends the name of an atomic file of RecBole. Any other table is CSV."""
ATOMIC_NAMES = {
    "user": "user_id:token",
    "item": "item_id:token",
    "rating": "rating:float",
    "timestamp": "timestamp:float",
}
"""The name of each column in an atomic file."""

Writers = dict[str, Callable[[Path], None]]
"""What writes each file of an export."""


def table_writer(name: str, content: Callable[[], dict[str, Any]]) -> Callable[[Path], None]:
    """Returns what writes a table: Parquet, RecBole's atomic file, or CSV, by the ending of ``name``.

    Args:
        name: The file's name.
        content: Makes the columns, when they are to be written.
    """

    def write(path: Path) -> None:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet

        table = pa.table(content())
        if name.endswith(PARQUET_SUFFIX):
            pyarrow.parquet.write_table(table, path)
        elif name.endswith(ATOMIC_SUFFIX):
            renamed = table.rename_columns([ATOMIC_NAMES[column] for column in table.column_names])
            options = pyarrow.csv.WriteOptions(delimiter="\t", quoting_style="none", include_header=False)
            with path.open("wb") as file:
                file.write("\t".join(renamed.column_names).encode() + b"\n")
                pyarrow.csv.write_csv(renamed, file, options)
        else:
            pyarrow.csv.write_csv(table, path)

    return write


def original_ids(ids: IdTable, codes: npt.NDArray[Any]) -> "pa.Array":
    """Returns the original id of each index as a column of text."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(ids))).dictionary_decode()
