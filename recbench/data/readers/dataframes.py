"""DataFrames of ratings to interactions, by the same rules as files."""

import logging
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from recbench.data.interactions import Interactions
from recbench.data.readers.bad_rows import BadRows
from recbench.data.readers.batches import to_interactions
from recbench.data.readers.id_columns import NotAnIdError, id_text, is_inexact, plain_column
from recbench.data.readers.layout import PLAIN, Layout, choose_columns
from recbench.data.readers.open_tables import Advice, OpenTable, Place
from recbench.data.time_column import exact_time
from recbench.errors import RecbenchError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

log = logging.getLogger(__name__)

NAMING_HINT = "Name the columns: user_column=, item_column=, and if there are any rating_column=, timestamp_column=."
ADVICE = Advice(
    incomplete="Complete these rows, or remove them: frame.dropna(subset=[...]).",
    wrong="Correct the values, or name another column.",
    empty="Give a DataFrame with one row for each (user, item) interaction.",
    times='Name the form of the times, such as timestamp_format="{}".',
)


def read_frame(frame: object, name: str, layout: Layout = PLAIN) -> Interactions:
    """Reads a DataFrame as a CSV file with the same rows would be read; the index plays no part.

    Ids become text: the integer 7 becomes ``7``. Of rows that repeat a (user, item) pair the first in time
    is kept, see ``first_of_pairs``.

    Args:
        frame: A pandas DataFrame with a row for each interaction.
        name: What to call it in messages.
        layout: Which columns to read; columns that are not named are found by their usual names.

    Raises:
        RecbenchError: It is no DataFrame, is empty, lacks a column, or has a missing or wrong value; the message names
            the first such row and counts them.
    """
    table = open_frame(frame, name, layout)
    return to_interactions([table], BadRows(skip=False), layout.timestamp_format, keep_repeated=layout.keep_repeated)


def open_frame(frame: object, name: str, layout: Layout = PLAIN) -> OpenTable:
    """Finds the columns of a DataFrame and converts them to Arrow.

    Args:
        frame: A pandas DataFrame.
        name: What to call it in messages.
        layout: Which columns to read.

    Raises:
        RecbenchError: It is no DataFrame, or lacks a column.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise RecbenchError(
            f"{name} is not a pandas DataFrame, but has the type {type(frame).__name__}.",
            "Convert it: pandas.DataFrame(...), or frame.to_pandas() of another library.",
        )
    names = [str(label) for label in frame.columns]
    chosen = choose_columns(name, names, layout, NAMING_HINT)
    batch = {role: _column(frame.iloc[:, names.index(column)], name, role) for role, column in chosen.items()}
    return OpenTable(name, [batch], lambda row: Place(row, f"row {row} (counted from 0)"), ADVICE)


def _column(values: "pd.Series", name: str, role: str) -> "pa.Array":
    """Returns a column as plain values; NaN, NaT and None become nulls."""
    import pandas as pd
    import pyarrow as pa

    if role not in ("rating", "timestamp") and pd.api.types.is_float_dtype(values.dtype) and not values.hasnans:
        log.warning(
            "%s: the %s ids are floats, so that the id 7 reads '7.0'. Convert them: frame[%r].astype(int).",
            name, role, values.name,
        )  # fmt: skip
    values = _without_codes(values, role)
    column = None
    if not pd.api.types.is_object_dtype(values.dtype) or _have_one_type(values):
        with suppress(pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError):
            column = pa.array(values, from_pandas=True)
    if column is None:
        # Their text, as in a file.
        texts = [_text(value, name, role, row) for row, value in enumerate(values.astype(object))]
        column = pa.array(texts, pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    column = plain_column(column)
    if pa.types.is_nested(column.type):
        raise RecbenchError(
            f"{name}: the {role} column {str(values.name)!r} holds {column.type}.", "Give a column of plain values."
        )
    return column


def _without_codes(values: "pd.Series", role: str) -> "pd.Series":
    """Returns a column with objects in place of what Arrow would read as the numbers behind them."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        kind = values.dtype.categories.dtype
        if pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.PeriodDtype | pd.IntervalDtype):
            values = values.astype(kind)
    if role == "timestamp" and isinstance(values.dtype, pd.PeriodDtype):
        moments: pd.Series[Any] = values.dt.to_timestamp()
        return moments
    return values.astype(object) if isinstance(values.dtype, pd.PeriodDtype | pd.IntervalDtype) else values


def _have_one_type(values: "pd.Series") -> bool:
    """Whether the values of a column of objects that are not missing have one type.

    Arrow converts values of several types to one of them, and changes values: 1 becomes 1.0 beside 2.5, a whole number
    beside a date becomes a date, and a date and time beside a date loses the time. Decimals have a type for each number
    of digits behind the point.
    """
    import pandas as pd

    types = set(map(type, values.dropna().to_numpy()))
    return (len(types) <= 1 and Decimal not in types) or types == {datetime, pd.Timestamp}


def _text(value: Any, name: str, role: str, row: int) -> str | None:
    """Returns the text of a value of a column of mixed types; None for a missing one."""
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    place = f"{name}, row {row} (counted from 0): the {role} is"
    if role == "timestamp" and is_inexact(value):
        raise RecbenchError(f"{place} {value}, not {exact_time(np.asarray(value).dtype)}.", ADVICE.wrong)
    try:
        return str(value) if role in ("rating", "timestamp", "rank") else id_text(value)
    except NotAnIdError as error:
        raise RecbenchError(f"{place} {error}.", ADVICE.wrong) from error
