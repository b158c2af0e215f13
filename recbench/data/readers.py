"""Ratings files (CSV, TSV and the like, Parquet) to interactions."""

import csv
import gzip
import itertools
import logging
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions, first_of_each_pair
from recbench.errors import RecbenchError
from recbench.protocol import Float32Array, Int64Array

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

SEPARATORS = ("\t", ",", ";", "|")
ALIASES = {
    "user": ("user", "user_id", "userid", "uid", "customer_id", "visitor_id", "reviewerid", "session_id"),
    "item": (
        "item",
        "item_id",
        "itemid",
        "iid",
        "movie_id",
        "movieid",
        "product_id",
        "asin",
        "sku",
        "track_id",
    ),
    "rating": ("rating", "score", "stars", "overall", "weight", "count"),
    "timestamp": ("timestamp", "time", "ts", "unixreviewtime", "unix_time"),
}
NAMING_HINT = (
    "Name the columns: --user-column, --item-column, and if there are any --rating-column, --timestamp-column "
    "(a name of the header, or 1, 2, ... where there is no header)."
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what: a header's name, a position counted from 1, or None to find it by its header.

    Attributes:
        user: Column of user ids.
        item: Column of item ids.
        rating: Column of ratings.
        timestamp: Column of times, whole numbers such as Unix seconds.
        separator: What stands between two columns, or None to find it.
    """

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    timestamp: str | None = None
    separator: str | None = None

    def names(self) -> dict[str, str | None]:
        """Returns the column of each role."""
        return {"user": self.user, "item": self.item, "rating": self.rating, "timestamp": self.timestamp}


def read_interactions(path: Path, columns: Columns = Columns()) -> Interactions:
    """Reads a ratings file; of rows that repeat a (user, item) pair the first is kept.

    Args:
        path: CSV, TSV or another separated text, plain or gzip, with or without a header; or Parquet.
        columns: Where the columns cannot be told from the header, their names or positions.

    Raises:
        RecbenchError: The file is missing, empty, truncated or has values that cannot be read; the message names
            the line.
    """
    if not path.is_file():
        raise RecbenchError(f"No such ratings file: {path}.", "Check the path, or give another file.")
    try:
        if path.suffix in {".parquet", ".pq"}:
            frame, where = _read_parquet(path, columns), lambda row: f"row {row + 1}"
        else:
            frame, header = _read_text(path, columns)
            where = lambda row: f"line {_line(path, row + header)}"  # noqa: E731
        # Text of Parquet is decoded no earlier than here.
        return _to_interactions(path, frame, where)
    except (UnicodeDecodeError, csv.Error, zlib.error, EOFError, OSError) as error:
        raise RecbenchError(
            f"{path} cannot be read: {error}.",
            "It must be UTF-8 text, gzip of that, or Parquet; is it whole?",
        ) from error


def _read_parquet(path: Path, columns: Columns) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet

    try:
        schema = pa.parquet.read_schema(path)
        chosen = _choose(path, schema.names, columns)
        table = pa.parquet.read_table(path, columns=list(chosen.values()))
    except pa.ArrowException as error:
        raise RecbenchError(f"{path} is not a Parquet file that can be read: {error}.", "Is it whole?") from error
    columns_by_role = {}
    for role, name in chosen.items():
        column = table.column(name)
        if pa.types.is_nested(column.type):
            raise RecbenchError(
                f"{path}: the {role} column {name!r} holds {column.type}.", "Give a column of plain values."
            )
        # Times become whole numbers in their own unit, so that none is rounded and their order stays.
        columns_by_role[role] = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    frame: pd.DataFrame = pa.table(columns_by_role).to_pandas(integer_object_nulls=True)
    return frame


def _read_text(path: Path, columns: Columns) -> tuple["pd.DataFrame", bool]:
    line = _first_line(path)
    if not line:
        raise RecbenchError(f"{path} is empty.", "A ratings file has a line for each (user, item) interaction.")
    wanted = "\t" if columns.separator == "\\t" else columns.separator
    if wanted is not None and len(wanted) != 1:
        raise RecbenchError(
            f"--separator {wanted!r} is not one character.", "Replace it in the file: sed 's/::/,/g' old.dat > new.csv"
        )
    separator = wanted or max(SEPARATORS, key=lambda s: len(next(csv.reader([line], delimiter=s))))
    fields = next(csv.reader([line], delimiter=separator))
    if len(fields) < 2:
        raise RecbenchError(
            f"{path} has only one column when split at {separator!r}; its first line is {line[:80]!r}.",
            "Give the right one with --separator.",
        )
    by_position = [name for name in columns.names().values() if name is not None]
    header = not any(_is_number(field) for field in fields) and not (
        by_position and all(name.isdigit() and name not in fields for name in by_position)
    )
    names = fields if header else [str(i + 1) for i in range(len(fields))]
    chosen = _choose(path, names, columns)
    return _read_rows(path, separator, header, {role: names.index(name) for role, name in chosen.items()}), header


def _read_rows(path: Path, separator: str, header: bool, positions: dict[str, int]) -> "pd.DataFrame":
    """Reads the columns at ``positions`` as text, and holds every line to the same number of fields."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.csv

    columns = {role: f"f{position}" for role, position in positions.items()}
    try:
        with pa.input_stream(path, compression="gzip" if _is_gzip(path) else None) as stream:
            table = pyarrow.csv.read_csv(
                stream,
                pyarrow.csv.ReadOptions(
                    skip_rows=_line(path, 0) if header else 0,
                    autogenerate_column_names=True,
                    use_threads=False,
                    encoding="utf8",
                ),
                pyarrow.csv.ParseOptions(delimiter=separator),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(columns.values(), pa.string()),
                    include_columns=list(dict.fromkeys(columns.values())),
                    strings_can_be_null=False,
                ),
            )
    except pa.ArrowException as error:
        if "Empty CSV" in str(error):
            raise RecbenchError(f"{path} has a header and no rows.", "Is the file whole?") from error
        row = re.search(r"Row #(\d+): (.*)", str(error), re.DOTALL)
        where = f"{path}, line {_line(path, int(row[1]) - 1)}: {row[2]}" if row else f"{path}: {error}"
        raise RecbenchError(where, "Correct the line or the separator; the file may be truncated.") from error
    frame: pd.DataFrame = table.to_pandas()
    return frame[list(columns.values())].set_axis(list(columns), axis=1)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if _is_gzip(path) else path.open("rb") as file:
        yield from file


def _line(path: Path, nth: int) -> int:
    """Returns the number, from 1, of the n-th line (from 0) that is not blank."""
    filled = (number for number, line in enumerate(_lines(path), start=1) if line.strip())
    return next(itertools.islice(filled, nth, None), nth + 1)


def _first_line(path: Path) -> str:
    """Returns the first line that is not blank; an empty text if there is none."""
    return next((line for line in _lines(path) if line.strip()), b"").decode("utf-8-sig").rstrip("\r\n")


def _choose(path: Path, names: list[str], columns: Columns) -> dict[str, str]:
    """Returns the file's column for each role that it has."""
    plain = {name.partition(":")[0].strip().lower().replace(" ", "_"): name for name in reversed(names)}
    headless = names == [str(i + 1) for i in range(len(names))]
    chosen = {}
    for position, (role, wanted) in enumerate(columns.names().items()):
        if wanted is not None:
            if wanted not in names:
                raise RecbenchError(
                    f"{path} has no column {wanted!r} (for the {role}). Its columns: {', '.join(names)}.",
                    NAMING_HINT,
                )
            chosen[role] = wanted
        elif headless and position < len(names) and not any(columns.names().values()):
            chosen[role] = names[position]
        elif found := next((plain[alias] for alias in ALIASES[role] if alias in plain), None):
            chosen[role] = found
    missing = [role for role in ("user", "item") if role not in chosen]
    if missing:
        raise RecbenchError(
            f"{path} has no column that can be recognised as the {' or the '.join(missing)}. "
            f"Its columns: {', '.join(names)}.",
            NAMING_HINT,
        )
    log.info("Columns of %s: %s", path.name, ", ".join(f"{role} = {name}" for role, name in chosen.items()))
    return chosen


Where = Callable[[int], str]
"""Tells where in the file a row of the frame (from 0) stands."""


def _to_interactions(path: Path, frame: "pd.DataFrame", where: Where) -> Interactions:
    import pandas as pd

    if frame.empty:
        raise RecbenchError(f"{path} has no rows.", "Is the file whole?")
    for name, column in frame.items():
        missing = (column.isna() | (column == "")).to_numpy()
        if missing.any():
            raise RecbenchError(
                f"{path}, {where(int(missing.argmax()))}: the {name} is missing ({int(missing.sum())} such rows).",
                "Complete or remove these rows; the file may be truncated.",
            )
    user_codes, user_ids = pd.factorize(frame["user"].astype(str))
    item_codes, item_ids = pd.factorize(frame["item"].astype(str))
    users, items = user_codes.astype(np.int32), item_codes.astype(np.int32)
    ratings = _ratings(path, frame["rating"], where) if "rating" in frame else None
    timestamps = _timestamps(path, frame["timestamp"], where) if "timestamp" in frame else None
    keep = first_of_each_pair(users, items, len(item_ids))
    duplicates = int(len(keep) - keep.sum())
    if duplicates:
        log.warning("%s: %d rows repeat an earlier (user, item) pair; the first is kept.", path.name, duplicates)
    return Interactions(
        users[keep],
        items[keep],
        None if ratings is None else ratings[keep],
        None if timestamps is None else timestamps[keep],
        IdTable.from_strings(user_ids),
        IdTable.from_strings(item_ids),
        duplicates,
    )


def _ratings(path: Path, column: "pd.Series[Any]", where: Where) -> Float32Array:
    values = _numbers(path, column, where, "rating")
    bad = ~np.isfinite(values)
    if bad.any():
        raise _bad_value(path, column, where, bad, "rating", "a finite number")
    ratings: Float32Array = values.astype(np.float32)
    return ratings


def _timestamps(path: Path, column: "pd.Series[Any]", where: Where) -> Int64Array:
    """Reads whole numbers exactly: as floats, nanoseconds would lose their order."""
    import pyarrow as pa

    try:
        exact: Int64Array = pa.array(column).cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        values = _numbers(path, column, where, "timestamp")
        bad = ~(np.isfinite(values) & (np.abs(values) < 2**53) & (values == np.floor(values)))
        if bad.any():
            raise _bad_value(
                path, column, where, bad, "timestamp", "a whole number that a 64-bit integer can hold"
            ) from None
        exact = values.astype(np.int64)
    if (exact < 0).any():
        raise _bad_value(path, column, where, exact < 0, "timestamp", "a number that is not negative")
    return exact


def _numbers(path: Path, column: "pd.Series[Any]", where: Where, role: str) -> Any:
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isnan(values) & (column.astype(str).str.lower() != "nan").to_numpy()
    if bad.any():
        raise _bad_value(path, column, where, bad, role, "a number")
    return values


def _bad_value(path: Path, column: "pd.Series[Any]", where: Where, bad: Any, role: str, wanted: str) -> RecbenchError:
    row = int(bad.argmax())
    return RecbenchError(
        f"{path}, {where(row)}: the {role} is {str(column.iloc[row])!r}, not {wanted} ({int(bad.sum())} such rows).",
        "Correct the file, or name another column.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
