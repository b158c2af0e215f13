"""Batches of columns, from any kind of table, to interactions: ids numbered, values checked."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recbench.data.interactions import Interactions
from recbench.data.plain_values import plain_value
from recbench.data.readers.bad_rows import BadRows, described, refusal
from recbench.data.readers.id_columns import MISSING, encode_ids, rows_of_names
from recbench.data.readers.numbering import encoded
from recbench.data.readers.open_tables import Advice, Batch, OpenTable, shown
from recbench.data.readers.texts_for_missing import AMONG_NUMBERS, NO_ID, IdTexts, look_at_texts
from recbench.data.reading import Reading
from recbench.data.repeated_pairs import first_of_pairs, repeats_text
from recbench.data.rows import Rows
from recbench.data.time_column import TimeColumn
from recbench.data.times import Times
from recbench.errors import RecbenchError
from recbench.protocol import Float32Array, Int64Array

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)


Described = Callable[[int, Advice], tuple[str, str]]


@dataclass(slots=True)
class _Columns:
    """What has been read so far."""

    users: list["pa.DictionaryArray"] = field(default_factory=list)
    items: list["pa.DictionaryArray"] = field(default_factory=list)
    ratings: list[Float32Array] = field(default_factory=list)
    times: TimeColumn | None = None
    origins: list["_Origin"] = field(default_factory=list)
    n_rows: int = 0
    ids: dict[str, "_IdColumn"] = field(default_factory=lambda: {"user": _IdColumn(), "item": _IdColumn()})

    def origin(self, position: int) -> tuple["OpenTable", int]:
        """Returns the table of a row that was kept, by its position among these, and its number there."""
        for origin in self.origins:
            if position < (count := int(origin.good.sum())):
                return origin.table, origin.row(position)
            position -= count
        raise IndexError(position)


@dataclass(slots=True)
class _IdColumn:
    """What the texts of a column of ids look like so far.

    Attributes:
        missing: The kept rows whose text may stand for a missing value.
        n_numbers: Distinct numbers, of all batches.
        n_names: Distinct other texts, of all batches.
    """

    missing: list[Int64Array] = field(default_factory=list)
    n_numbers: int = 0
    n_names: int = 0

    def add(self, missing: Int64Array, texts: IdTexts) -> None:
        """Adds a batch."""
        if len(missing):
            self.missing.append(missing)
        self.n_numbers += texts.n_numbers
        self.n_names += texts.n_names


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the rows of a batch that were kept come from.

    Attributes:
        table: The table.
        start: The number of the batch's first row.
        good: bool[rows of the batch], which rows were kept.
    """

    table: OpenTable
    start: int
    good: npt.NDArray[np.bool_]

    def row(self, position: int) -> int:
        """Returns the number of a row that was kept, by its position among these."""
        return self.start + int(np.flatnonzero(self.good)[position])


def to_interactions(
    tables: Sequence[OpenTable], bad: BadRows, time_form: str | None = None, *, keep_repeated: bool = False
) -> Interactions:
    """Checks every value, numbers the ids, and keeps the first row of each (user, item) pair, see ``first_of_pairs``.

    Args:
        tables: One or more, all with the same columns.
        bad: Whether to leave out rows that cannot be read; counts them.
        time_form: The form of the times, see ``check_time_form``; None to find it.
        keep_repeated: Keep all rows of a pair, for ``merged_repeats``.

    Raises:
        RecbenchError: There is no row, or a value cannot be read; the message names the row.
    """
    columns, first = _Columns(), tables[0]
    for table in tables:
        _check_alike(first, table)
        n_rows = 0
        for batch in table.batches:
            if "timestamp" in batch and columns.times is None:
                columns.times = TimeColumn(time_form)
            _add(table, batch, n_rows, bad, columns)
            n_rows += len(batch["user"])
    _give_memory_back()
    kept = np.ones(columns.n_rows, dtype=np.bool_)
    _check_missing_texts(first, bad, columns, kept)
    times = _read_times(first, bad, columns, kept) if columns.n_rows else None
    if not kept.any():
        raise _without_rows(first, bad)
    if bad.count:
        log.warning(
            "%s: %s rows cannot be read and are left out. The first: %s.",
            first.short_name, f"{bad.count:,}", bad.first_reason,
        )  # fmt: skip
    n_rows = columns.n_rows + bad.count - int((~kept).sum())
    reading = Reading(first.short_name, n_rows, bad.count, bad.first_reason, first.guesses)
    interactions = _numbered(columns, kept, times, reading)
    del columns, times
    _give_memory_back()
    return interactions if keep_repeated else _first_of_pairs(interactions, reading.name)


def _give_memory_back() -> None:
    """Has pyarrow give memory that it no longer uses back to the system: more than the rows of a large file take."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _without_rows(table: OpenTable, bad: BadRows) -> RecbenchError:
    if not bad.count:
        return RecbenchError(f"{table.source} has no rows.", table.advice.empty)
    return RecbenchError(
        f"{table.source} has no rows that can be read; {bad.count:,} are left out. The first: {bad.first_reason}.",
        "Check the separator, the encoding and the columns: --separator, --encoding, --user-column, --item-column.",
    )


def _check_alike(first: OpenTable, other: OpenTable) -> None:
    """Checks that two files are laid out alike, so that no column of one is taken for another column.

    Raises:
        RecbenchError: They are not.
    """
    if first.layout != other.layout:
        raise RecbenchError(
            f"{first.source} and {other.source} have different layouts: {'; '.join(first.layout)} against "
            f"{'; '.join(other.layout)}.",
            "Give files with the same columns, and a header in all of them or in none.",
        )


def _refuse_later(
    columns: _Columns, bad: BadRows, kept: npt.NDArray[np.bool_], offending: npt.NDArray[np.bool_], what: Described
) -> None:
    """Refuses rows after all batches were read: raises an error, or marks them in ``kept`` to be left out.

    Args:
        columns: What was read.
        bad: Whether to leave the rows out.
        kept: bool[rows]; is written to.
        offending: bool[rows].
        what: Describes, for the position of a row, what is wrong with it, and what to do.

    Raises:
        RecbenchError: A row is refused.
    """
    offending = offending & kept
    if not offending.any():
        return
    row, more = int(offending.argmax()), int(offending.sum())
    table, number = columns.origin(row)
    problem, advice = what(row, table.advice)
    if bad.skip:
        bad.leave_out(table.source, table.where(number), problem, more)
        kept[offending] = False
        return
    count = f" ({more:,} such rows)" if more > 1 else ""
    raise RecbenchError(f"{table.source}, {table.where(number).text}: {problem}{count}.", advice)


def _read_times(first: OpenTable, bad: BadRows, columns: _Columns, kept: npt.NDArray[np.bool_]) -> Times | None:
    """Returns the times of all rows; rows without one that can be read are refused."""
    column = columns.times
    if column is None:
        return None

    def refuse(offending: npt.NDArray[np.bool_], description: str) -> None:
        _refuse_later(columns, bad, kept, offending, lambda row, advice: (
            f"the timestamp is {shown(column.text(row))}, not {description}",
            f"{advice.wrong} {advice.times.format('%d.%m.%Y %H:%M:%S')}",
        ))  # fmt: skip

    times = column.read(str(first.source), refuse, first.advice.times)
    times.select(kept).warn_of_unlikely(first.short_name)
    return times


def _check_missing_texts(first: OpenTable, bad: BadRows, columns: _Columns, kept: npt.NDArray[np.bool_]) -> None:
    """Refuses texts such as ``nan`` among ids that are numbers, and warns of them among names."""
    for role, column in columns.ids.items():
        if not column.missing:
            continue
        missing = np.zeros(len(kept), dtype=np.bool_)
        missing[np.concatenate(column.missing)] = True
        chunks = columns.users if role == "user" else columns.items
        if column.n_numbers > column.n_names:
            _refuse_later(columns, bad, kept, missing, partial(_among_numbers, role, chunks))
        else:
            log.warning(
                "%s: %s rows have the %s %s, which many programs write for a missing value. recbench reads it as an "
                "id.",
                first.short_name, f"{int(missing.sum()):,}", role, shown(_id_at(chunks, int(missing.argmax()))),
            )  # fmt: skip


def _among_numbers(role: str, chunks: "list[pa.DictionaryArray]", row: int, advice: Advice) -> tuple[str, str]:
    return f"the {role} is {shown(_id_at(chunks, row))}, {AMONG_NUMBERS}", advice.incomplete


def _id_at(chunks: "list[pa.DictionaryArray]", row: int) -> str:
    """Returns the id of a row of all parts."""
    for part in chunks:
        if row < len(part):
            return str(plain_value(part[row]))
        row -= len(part)
    raise IndexError(row)


def _add(table: OpenTable, batch: Batch, start: int, bad: BadRows, columns: _Columns) -> None:
    """Adds a batch to the columns; ``start`` is its first row's number."""
    import pyarrow as pa

    good = np.ones(len(batch["user"]), dtype=np.bool_)

    def refuse(offending: npt.NDArray[np.bool_], role: str, reason: str) -> None:
        offending = offending & good
        if not offending.any():
            return
        if not bad.skip:
            raise refusal(table, batch, start, offending, role, reason)
        row = int(offending.argmax())
        place, what = table.where(start + row), described(batch, row, role, reason)
        bad.leave_out(table.source, place, what, int(offending.sum()))
        good[offending] = False

    def unless(role: str, description: str) -> Callable[[npt.NDArray[np.bool_]], None]:
        return lambda offending: refuse(offending, role, f"is {{value}}, not {description}")

    ids, looks = {}, {}
    for role in ("user", "item"):
        ids[role], wrong = encode_ids(batch[role])
        for reason, rows in wrong.items():
            refuse(rows, role, reason)
        texts = None if table.typed else look_at_texts(ids[role])
        if texts is not None:
            refuse(texts.no_ids, role, NO_ID)
            looks[role] = texts
    if table.names and (header := rows_of_names(ids["user"], ids["item"], table.names)) is not None:
        refuse(header, "user", "is {value}, as in a header among the rows; several files may have been joined")
    for role in ("rating", "timestamp"):
        if role in batch:
            refuse(_missing(batch[role]), role, MISSING)
    ratings = None
    if "rating" in batch:
        ratings = _ratings(batch["rating"], good, lambda description: unless("rating", description))
    if "timestamp" in batch and _is_no_time(batch["timestamp"].type):
        unless("timestamp", "a date or a time that counts from 1970")(good.copy())
    whole = bool(good.all())
    # An older pyarrow takes no array of numpy as a filter.
    kept = pa.array(good)
    for role, chunks in (("user", columns.users), ("item", columns.items)):
        # Encoded again, so that the dictionary holds no id of a row that is left out.
        chunks.append(ids[role] if whole else ids[role].filter(kept).dictionary_decode().dictionary_encode())
    if ratings is not None:
        columns.ratings.append(ratings if whole else ratings[good])
    if columns.times is not None:
        columns.times.add(batch["timestamp"] if whole else batch["timestamp"].filter(kept))
    for role, texts in looks.items():
        columns.ids[role].add(columns.n_rows + np.flatnonzero(texts.missing[good]), texts)
    columns.origins.append(_Origin(table, start, good))
    columns.n_rows += int(good.sum())


def _is_no_time(kind: "pa.DataType") -> bool:
    """Whether a type holds values of which none is a point in time: a time of day, a duration or a truth value."""
    import pyarrow as pa

    return bool(pa.types.is_time(kind) or pa.types.is_duration(kind) or pa.types.is_boolean(kind))


def _missing(column: "pa.Array") -> npt.NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute

    missing = pa.compute.is_null(column, nan_is_null=False)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        missing = pa.compute.or_kleene(missing, pa.compute.equal(column, ""))
    return np.asarray(missing.to_numpy(zero_copy_only=False), dtype=np.bool_)


Refuse = Callable[[npt.NDArray[np.bool_]], None]


def _ratings(column: "pa.Array", good: npt.NDArray[np.bool_], unless: Callable[[str], Refuse]) -> Float32Array:
    import pandas as pd
    import pyarrow as pa

    try:
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # A date is no number, and one that Python cannot hold has no value there.
        plain = [None] * len(column) if pa.types.is_temporal(column.type) else column.to_pylist()
        texts = pd.Series(plain, dtype=object)
        values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        unless("a number")(np.isnan(values) & good & (texts.astype(str).str.lower() != "nan").to_numpy())
    with np.errstate(over="ignore"):
        ratings: Float32Array = values.astype(np.float32)
    unless("a finite number")(~np.isfinite(values))
    unless("a number that 32-bit floats can hold")(~np.isfinite(ratings))
    return ratings


def _numbered(columns: _Columns, kept: npt.NDArray[np.bool_], times: Times | None, reading: Reading) -> Interactions:
    """Numbers the ids of the rows marked in ``kept`` (bool[rows])."""
    users, user_ids = encoded(columns.users)
    items, item_ids = encoded(columns.items)
    ratings = np.concatenate(columns.ratings) if columns.ratings else None
    rows = Rows(users, items, ratings, None if times is None else times.values)
    interactions = Interactions(
        rows, user_ids, item_ids, time_unit=None if times is None else times.unit,
        reading=reading if times is None else reading.guessing(f"times are {times.form}"),
    )  # fmt: skip
    return interactions if kept.all() else interactions.select(kept)


def _first_of_pairs(interactions: Interactions, name: str) -> Interactions:
    first = first_of_pairs(interactions.rows, interactions.n_items)
    if duplicates := int(len(first) - first.sum()):
        log.warning("%s: %s", name, repeats_text(duplicates, has_times=interactions.timestamps is not None))
        return replace(interactions, rows=interactions.rows.take(first), n_duplicates=duplicates)
    return interactions
