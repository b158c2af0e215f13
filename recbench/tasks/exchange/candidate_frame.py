"""Candidates in a DataFrame: one negative a row, or one list of negatives a row."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recbench.data.readers.bad_rows import checked_ids
from recbench.data.readers.dataframes import NAMING_HINT, open_frame
from recbench.data.readers.layout import Layout, choose_columns
from recbench.data.readers.numbering import encoded
from recbench.errors import RecbenchError
from recbench.tasks.exchange.candidate_lists import CandidateTable, IdColumn

if TYPE_CHECKING:
    import pandas as pd

NAME = "DataFrame 'candidates'"
ADVICE = "Or, if the catalogue has them, pass all {0}: make_task(..., {0}=[...])."


def read_candidates(frame: object, layout: Layout) -> CandidateTable:
    """Reads the candidates of a split.

    Args:
        frame: Columns user, item and negative with one negative a row; or user, item and negatives with a list a row.
        layout: Which columns hold the users and items.

    Raises:
        RecbenchError: It is no DataFrame, lacks a column, has no rows, or an id is missing.
    """
    import pandas as pd

    columns = Layout(user=layout.user, item=layout.item, rating="", timestamp="", negative="negative")
    rows = np.arange(len(frame)) if isinstance(frame, pd.DataFrame) else np.arange(0)
    if isinstance(frame, pd.DataFrame) and "negatives" in frame and "negative" not in frame:
        frame = _one_negative_a_row(frame.set_axis(rows), replace(columns, negative="negatives"))
        rows = frame.index.to_numpy()
    table = open_frame(frame, NAME, columns)
    (batch,) = table.batches
    if not len(rows):
        raise RecbenchError(
            f"{NAME} has no rows.",
            "Give one negative a row, or leave the candidates out: recbench then draws negatives.",
        )
    users, items, negatives = (
        IdColumn(*encoded([checked_ids(table, batch, role, 0)])) for role in ("user", "item", "negative")
    )
    return CandidateTable(NAME, lambda row: f"row {rows[row]} (counted from 0)", users, items, negatives, ADVICE)


def _one_negative_a_row(frame: "pd.DataFrame", columns: Layout) -> "pd.DataFrame":
    """Returns the columns of a DataFrame that are read, with a row for each entry of the lists; the index repeats."""
    labels = [str(label) for label in frame.columns]
    chosen = choose_columns(NAME, labels, columns, NAMING_HINT)
    # Without the other columns, of which several may have one name.
    positions = sorted({labels.index(column) for column in chosen.values()})
    return frame.iloc[:, positions].explode(chosen["negative"]).rename(columns={chosen["negative"]: "negative"})
