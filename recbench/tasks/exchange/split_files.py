"""Splits that somebody published, or made, as tables: train, test, and possibly validation and candidates."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.interactions import inverse_order
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array
from recbench.tasks.exchange.candidate_lists import CandidateTable
from recbench.tasks.exchange.exported_tables import EXPORT_AGAIN
from recbench.tasks.exchange.published_negatives import Places
from recbench.tasks.exchange.published_split import PublishedRows, in_one_unit, numbered_together
from recbench.tasks.exchange.table_readers import TableReader

MOST_DIGITS: Final = 19
"""A number with so many digits may be too large for 64 bits."""


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
        raise RecbenchError(f"The folder {folder} names {str(path)!r}: {error}.", EXPORT_AGAIN) from error
    if outside or special:
        what = "is outside of it" if outside else "is no file"
        raise RecbenchError(f"The folder {folder} names {str(path)!r}, which {what}.", EXPORT_AGAIN)
    return whole


def read_split(files: SplitFiles, tables: TableReader, width: int = 0) -> PublishedRows:
    """Reads a split and numbers its users and items.

    Args:
        files: The files.
        tables: Reads them.
        width: Negatives a case at least; shorter lists are filled up with ``NO_ITEM``.

    Raises:
        RecbenchError: A file cannot be read, or the files do not belong together.
    """
    train, test = tables.rows(files.train), tables.rows(files.test)
    held = None if files.validation is None else tables.rows(files.validation)
    interactions, unit = in_one_unit([train, test, *([] if held is None else [held])])
    catalogues = (_listed(tables, path) for path in (files.users, files.items))
    user_ids, item_ids, rows = numbered_together(interactions, *catalogues)
    of_validation = None if held is None else rows[2]
    negatives, validation_negatives = (
        None if path is None or part is None else _candidates(tables, path).lists(user_ids, item_ids, part, width)
        for path, part in ((files.candidates, rows[1]), (files.validation_candidates, of_validation))
    )
    train_files = [files.train, *([] if files.validation is None else [files.validation])]
    locations = negatives and Places(
        str(files.candidates), negatives[1], lambda user, item: tables.place(train_files, user, item)
    )
    order = np.arange(len(train)) if held is None else _order(tables, files.validation_rows, len(train), len(held))
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


def _listed(tables: TableReader, path: Path | None) -> list[IdTable]:
    """Reads a table with the column ``id``."""
    if path is None:
        return []
    (column,) = tables.ids(path, ("id",)).columns
    return [column.ids.take(column.codes)]


def _order(tables: TableReader, path: Path | None, n_train: int, n_held: int) -> Int64Array:
    """Returns int64[rows], for each train row of the task its position in train and validation, one after the other.

    Args:
        tables: Reads the file.
        path: The file that says where the rows of validation stand; None if they follow the others.
        n_train: Rows of train.
        n_held: Rows of validation.
    """
    if path is None:
        return np.arange(n_train + n_held)
    (column,) = tables.ids(path, ("row",)).columns
    numbers = [int(text) if text.isdecimal() and len(text) < MOST_DIGITS else -1 for text in column.ids]
    rows = np.array(numbers, dtype=np.int64)[column.codes]
    named = np.unique(rows)
    if len(rows) != n_held or len(named) != n_held or not ((named >= 0) & (named < n_train + n_held)).all():
        raise RecbenchError(
            f"{path} does not name {n_held} rows out of {n_train + n_held}.",
            "Use the validation file of the same export.",
        )
    order = np.empty(n_train + n_held, dtype=np.int64)
    order[rows] = np.arange(n_train, n_train + n_held)
    others = np.ones(len(order), dtype=np.bool_)
    others[rows] = False
    order[others] = np.arange(n_train)
    return order


def _candidates(tables: TableReader, path: Path) -> CandidateTable:
    table = tables.ids(path, ("user", "item", "negative"))
    users, items, negatives = table.columns
    advice = "Or, if the catalogue has them, list all {0}: --{0} FILE"
    return CandidateTable(str(path), lambda row: table.where(row).text, users, items, negatives, advice)
