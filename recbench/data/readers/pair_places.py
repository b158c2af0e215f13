"""Where a table has the row of a (user, item) pair: for messages, which need not be quick."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recbench.data.plain_values import plain_values
from recbench.data.readers.id_columns import encode_ids
from recbench.data.readers.open_tables import OpenTable

if TYPE_CHECKING:
    import pyarrow as pa


def place_of_pair(table: OpenTable, user: str, item: str) -> str | None:
    """Returns the position of the first row of a pair, such as ``line 7``; None if the table has no such row."""
    n_rows = 0
    for batch in table.batches:
        rows = _rows_of(batch["user"], user) & _rows_of(batch["item"], item)
        if rows.any():
            return table.where(n_rows + int(rows.argmax())).text
        n_rows += len(rows)
    return None


def _rows_of(column: "pa.Array", text: str) -> npt.NDArray[np.bool_]:
    ids, _ = encode_ids(column)
    codes = [code for code, value in enumerate(plain_values(ids.dictionary)) if str(value) == text]
    return np.isin(ids.indices.fill_null(-1).to_numpy(zero_copy_only=False), codes)
