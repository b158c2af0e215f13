"""Ratings files (CSV, TSV and the like, Parquet) to interactions."""

import csv
import gzip
import logging
import zlib
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
            frame, first_line = _read_parquet(path, columns), 1
        else:
            frame, first_line = _read_text(path, columns)
    except (UnicodeDecodeError, zlib.error, EOFError, OSError) as error:
        raise RecbenchError(
            f"{path} cannot be read: {error}.",
            "It must be UTF-8 text, gzip of that, or Parquet; is it whole?",
        ) from error
    return _to_interactions(path, frame, first_line)


def _read_parquet(path: Path, columns: Columns) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
        chosen = _choose(path, schema.names, columns)
        table = pyarrow.parquet.read_table(path, columns=list(chosen.values()))
    except pyarrow.ArrowInvalid as error:
        raise RecbenchError(f"{path} is not a Parquet file that can be read: {error}.", "Is it whole?") from error
    frame: pd.DataFrame = table.to_pandas()
    return frame[list(chosen.values())].set_axis(list(chosen), axis=1)


def _read_text(path: Path, columns: Columns) -> tuple["pd.DataFrame", int]:
    import pandas as pd

    line = _first_line(path)
    if not line.strip():
        raise RecbenchError(f"{path} is empty.", "A ratings file has a line for each (user, item) interaction.")
    separator = columns.separator or max(SEPARATORS, key=lambda s: len(next(csv.reader([line], delimiter=s))))
    fields = next(csv.reader([line], delimiter=separator))
    if len(fields) < 2:
        raise RecbenchError(
            f"{path} has only one column when split at {separator!r}; its first line is {line[:80]!r}.",
            "Give the right one with --separator.",
        )
    header = not any(_is_number(field) for field in fields)
    names = fields if header else [str(i + 1) for i in range(len(fields))]
    chosen = _choose(path, names, columns)
    positions = [names.index(name) for name in chosen.values()]
    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            names=list(range(len(fields))),
            skiprows=int(header),
            usecols=positions,
            dtype=str,
            keep_default_na=False,
            na_values=[],
            skip_blank_lines=False,
            encoding="utf-8-sig",
            index_col=False,
            on_bad_lines="error",
        )
    except pd.errors.EmptyDataError as error:
        raise RecbenchError(f"{path} has a header and no rows.", "Is the file whole?") from error
    except pd.errors.ParserError as error:
        raise RecbenchError(f"{path} has a broken line: {error}.", "Correct the line, or the separator.") from error
    return frame[positions].set_axis(list(chosen), axis=1), 1 + int(header)


def _first_line(path: Path) -> str:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if zipped else path.open("rb") as lines:
        return lines.readline().decode("utf-8-sig").rstrip("\r\n")


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


def _to_interactions(path: Path, frame: "pd.DataFrame", first_line: int) -> Interactions:
    import pandas as pd

    empty = frame.isna().all(axis=1).to_numpy()
    lines = np.arange(first_line, first_line + len(frame))[~empty]
    frame = frame.loc[~empty]
    if frame.empty:
        raise RecbenchError(f"{path} has no rows.", "Is the file whole?")
    for name, column in frame.items():
        missing = column.isna() | (column == "")
        if missing.any():
            line = lines[int(missing.to_numpy().argmax())]
            raise RecbenchError(
                f"{path}, line {line}: the {name} is missing.",
                "The line has too few fields; the file may be truncated.",
            )
    user_codes, user_ids = pd.factorize(frame["user"].astype(str))
    item_codes, item_ids = pd.factorize(frame["item"].astype(str))
    users, items = user_codes.astype(np.int32), item_codes.astype(np.int32)
    ratings = _ratings(path, frame["rating"], lines) if "rating" in frame else None
    timestamps = _timestamps(path, frame["timestamp"], lines) if "timestamp" in frame else None
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


def _ratings(path: Path, column: "pd.Series[Any]", lines: Int64Array) -> Float32Array:
    values = _numbers(path, column, lines, "rating")
    bad = ~np.isfinite(values)
    if bad.any():
        raise _bad_value(path, column, lines, bad, "rating", "a finite number")
    ratings: Float32Array = values.astype(np.float32)
    return ratings


def _timestamps(path: Path, column: "pd.Series[Any]", lines: Int64Array) -> Int64Array:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return column.to_numpy().astype("datetime64[s]").astype(np.int64)
    values = _numbers(path, column, lines, "timestamp")
    bad = ~(values >= 0) | ~np.isfinite(values)
    if bad.any():
        raise _bad_value(path, column, lines, bad, "timestamp", "a number that is not negative")
    timestamps: Int64Array = values.astype(np.int64)
    return timestamps


def _numbers(path: Path, column: "pd.Series[Any]", lines: Int64Array, role: str) -> Any:
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isnan(values) & (column.astype(str).str.lower() != "nan").to_numpy()
    if bad.any():
        raise _bad_value(path, column, lines, bad, role, "a number")
    return values


def _bad_value(
    path: Path, column: "pd.Series[Any]", lines: Int64Array, bad: Any, role: str, wanted: str
) -> RecbenchError:
    row = int(bad.argmax())
    return RecbenchError(
        f"{path}, line {lines[row]}: the {role} is {str(column.iloc[row])!r}, not {wanted} "
        f"({int(bad.sum())} such rows).",
        "Correct the file, or name another column.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
