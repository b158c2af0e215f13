"""Rows and cases of a task as DataFrames with original ids."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.protocol import Int32Array


def frame_of_rows(rows: Rows, user_ids: IdTable, item_ids: IdTable) -> pd.DataFrame:
    """Returns a DataFrame with ``user``, ``item``, and ``rating`` and ``timestamp`` where the rows have them."""
    columns: dict[str, Any] = {"user": _ids(user_ids, rows.users), "item": _ids(item_ids, rows.items)}
    optional = {"rating": rows.ratings, "timestamp": rows.timestamps}
    # Copies: the arrays of a task are read-only maps of its file.
    columns |= {name: values.copy() for name, values in optional.items() if values is not None}
    return pd.DataFrame(columns)


def frame_of_cases(rows: Rows, negatives: Int32Array, user_ids: IdTable, item_ids: IdTable) -> pd.DataFrame:
    """Returns the rows of cases with the column ``negatives``.

    Args:
        rows: The held-out rows.
        negatives: int32[cases, width], filled up with -1.
        user_ids: The task's users.
        item_ids: The task's items.
    """
    texts = np.array([*item_ids, None], dtype=object)[negatives]
    widths = (negatives >= 0).sum(axis=1).tolist()
    lists = [of_case[:width] for of_case, width in zip(texts.tolist(), widths, strict=True)]
    return frame_of_rows(rows, user_ids, item_ids).assign(negatives=pd.Series(lists, dtype=object))


def _ids(ids: IdTable, codes: npt.NDArray[Any]) -> Any:
    return pd.array(list(ids), dtype="str").take(codes)
