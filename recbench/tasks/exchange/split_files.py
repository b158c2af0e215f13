"""Splits that somebody published, or made, as tables: train, test, and possibly validation and candidates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.interactions import inverse_order
from recbench.data.readers.bad_rows import BadRows, checked_ids
from recbench.data.readers.layout import PLAIN, Layout
from recbench.data.readers.numbering import encoded
from recbench.data.readers.open_tables import Place
from recbench.data.readers.ratings_files import open_file, place_in_files, read_interactions, readable
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.exchange.candidate_lists import CandidateTable, IdColumn
from recbench.tasks.exchange.published_negatives import Places
from recbench.tasks.exchange.published_split import PublishedRows, in_one_unit, numbered_together

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class SplitFiles:
    """The files of a split, all but the first two optional.

    Attributes:
        train: Train rows.
        test: Cases.
        validation: Further train rows, which are the cases of validation; they follow the others.
        validation_rows: Instead of at the end, where the rows of validation stand among the train rows: a column of
            numbers from 0, headed ``row``.
        candidates: The negatives of test cases, one a row: user, item, negative.
        validation_candidates: Those of validation.
        users: All users, one a row, where some occur in no other file.
        items: All items.
    """

    train: Path
    test: Path
    validation: Path | None = None
    validation_rows: Path | None = None
    candidates: Path | None = None
    validation_candidates: Path | None = None
    users: Path | None = None
    items: Path | None = None

    def inside(self, folder: Path) -> "SplitFiles":
        """Returns the same files, their paths counted from ``folder``.

        Raises:
            RecbenchError: A path, or what it links to, is outside of the folder.
        """
        paths = {field.name: getattr(self, field.name) for field in fields(self)}
        return SplitFiles(**{name: inside(folder, path) for name, path in paths.items() if path is not None})


def inside(folder: Path, path: Path) -> Path:
    """Returns the path of a file that somebody's folder names as one of its own.

    A folder from somebody else must not make recbench read, and show lines of, files elsewhere on this machine.

    Args:
        folder: The folder.
        path: Counted from the folder.

    Raises:
        RecbenchError: The path, or what it links to, is outside of the folder, or is no file but a device or a pipe.
    """
    whole = folder / path
    try:
        outside = not whole.resolve().is_relative_to(folder.resolve())
        special = whole.exists() and not whole.is_file() and not whole.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        # A name that no file can have, or links in a circle.
        raise RecbenchError(f"The folder {folder} names {str(path)!r}: {error}.", _EXPORT_AGAIN) from error
    if outside or special:
        what = "is outside of it" if outside else "is no file"
        raise RecbenchError(f"The folder {folder} names {str(path)!r}, which {what}.", _EXPORT_AGAIN)
    return whole


_EXPORT_AGAIN = "The folder of an exported task holds all of its files: export the task again, or get a complete copy."


CANDIDATES = Layout(user="user", item="item", negative="negative", rating="", timestamp="")


def read_split(files: SplitFiles, layout: Layout = PLAIN, width: int = 0) -> PublishedRows:
    """Reads a split and numbers its users and items.

    Args:
        files: The files.
        layout: How train, test and validation are laid out.
        width: Negatives a case at least; shorter lists are filled up with ``NO_ITEM``.

    Raises:
        RecbenchError: A file cannot be read, or the files do not belong together.
    """
    train, test = read_interactions(files.train, layout), read_interactions(files.test, layout)
    held = None if files.validation is None else read_interactions(files.validation, layout)
    interactions, unit = in_one_unit([train, test, *([held] if held else [])])
    user_ids, item_ids, rows = numbered_together(interactions, _listed(files.users), _listed(files.items))
    negatives, validation_negatives = (
        None if path is None or part is None else _candidates(path).lists(user_ids, item_ids, part, width)
        for path, part in ((files.candidates, rows[1]), (files.validation_candidates, rows[2] if held else None))
    )
    train_files = [files.train, *([] if files.validation is None else [files.validation])]
    locations = negatives and Places(
        str(files.candidates), negatives[1], lambda user, item: place_in_files(train_files, layout, user, item)
    )
    order = np.arange(len(train)) if held is None else _order(files, len(train), len(held))
    return PublishedRows(
        user_ids,
        item_ids,
        Rows.joined([rows[0], *rows[2:]]).take(order),
        rows[1],
        negatives and negatives[0],
        None if held is None else inverse_order(order)[len(train) :].astype(np.int64),
        validation_negatives and validation_negatives[0],
        sum(part.n_duplicates for part in interactions),
        tuple(part.reading for part in interactions),
        unit,
        locations,
    )


def _listed(path: Path | None) -> list[IdTable]:
    """Reads a table with the column ``id``."""
    if path is None:
        return []
    codes, ids = _column(path, "id")
    return [ids.take(codes)]


def _column(path: Path, name: str) -> tuple[Int32Array, IdTable]:
    return _id_columns(path, Layout(user=name, item=name, rating="", timestamp=""), ("user",))[0][0]


def _id_columns(
    path: Path, layout: Layout, roles: Sequence[str]
) -> tuple[list[tuple[Int32Array, IdTable]], Callable[[int], Place]]:
    """Reads the columns of some roles, all of which hold ids; also returns what finds the position of a row.

    Raises:
        RecbenchError: The file cannot be read, or a value is no id.
    """
    columns: dict[str, list[pa.DictionaryArray]] = {role: [] for role in roles}
    with readable(path):
        table, n_rows = open_file(path, layout, BadRows(skip=False)), 0
        for batch in table.batches:
            for role, chunks in columns.items():
                chunks.append(checked_ids(table, batch, role, n_rows))
            n_rows += len(batch["user"])
        if not n_rows:
            raise RecbenchError(f"{path} has no rows.", "The file may be truncated: copy or download it again.")
        return [encoded(chunks) for chunks in columns.values()], table.where


def _order(files: SplitFiles, n_train: int, n_held: int) -> Int64Array:
    """Returns int64[rows], for each train row of the task its position in train and validation, one after the other."""
    if files.validation_rows is None:
        return np.arange(n_train + n_held)
    codes, texts = _column(files.validation_rows, "row")
    rows = np.array([int(text) if text.isdecimal() else -1 for text in texts], dtype=np.int64)[codes]
    if len(np.unique(rows)) != n_held or rows.min() < 0 or rows.max() >= n_train + n_held:
        raise RecbenchError(
            f"{files.validation_rows} does not name {n_held} rows out of {n_train + n_held}.",
            "Use the validation file of the same export.",
        )
    order = np.empty(n_train + n_held, dtype=np.int64)
    order[rows] = np.arange(n_train, n_train + n_held)
    others = np.ones(len(order), dtype=np.bool_)
    others[rows] = False
    order[others] = np.arange(n_train)
    return order


def _candidates(path: Path) -> CandidateTable:
    columns, where = _id_columns(path, CANDIDATES, ("user", "item", "negative"))
    users, items, negatives = (IdColumn(codes, ids) for codes, ids in columns)
    advice = "Or, if the catalogue has them, list all {0}: --{0} FILE"
    return CandidateTable(str(path), lambda row: where(row).text, users, items, negatives, advice)
