"""Candidates in a DataFrame: one negative a row, or one list of negatives a row."""

import numpy as np

from recbench.data.readers.bad_rows import checked_ids
from recbench.data.readers.dataframes import open_frame
from recbench.data.readers.layout import Layout
from recbench.data.readers.numbering import encoded
from recbench.tasks.exchange.candidate_lists import CandidateTable, IdColumn

NAME = "DataFrame 'candidates'"
ADVICE = "Or, if the catalogue has them, pass all {0}: make_task(..., {0}=[...])."


def read_candidates(frame: object, layout: Layout) -> CandidateTable:
    """Reads the candidates of a split.

    Args:
        frame: Columns user, item and negative with one negative a row; or user, item and negatives with a list a row.
        layout: Which columns hold the users and items.

    Raises:
        RecbenchError: It is no DataFrame, lacks a column, or an id is missing.
    """
    import pandas as pd

    rows = np.arange(len(frame)) if isinstance(frame, pd.DataFrame) else np.arange(0)
    if isinstance(frame, pd.DataFrame) and "negatives" in frame and "negative" not in frame:
        frame = frame.set_axis(rows).explode("negatives").rename(columns={"negatives": "negative"})
        rows = frame.index.to_numpy()
    columns = Layout(user=layout.user, item=layout.item, rating="", timestamp="", negative="negative")
    table = open_frame(frame, NAME, columns)
    (batch,) = table.batches
    users, items, negatives = (
        IdColumn(*encoded([checked_ids(table, batch, role, 0)])) for role in ("user", "item", "negative")
    )
    return CandidateTable(NAME, lambda row: f"row {rows[row]} (counted from 0)", users, items, negatives, ADVICE)
