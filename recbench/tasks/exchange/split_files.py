"""Splits that somebody published, or made, as tables: train, test, and possibly validation and candidates."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.ordering import pair_keys, stable_order
from recbench.data.readers.batches import BadRows, encoded
from recbench.data.readers.layout import PLAIN, Layout
from recbench.data.readers.ratings_files import open_file, read_interactions, readable
from recbench.errors import RecbenchError
from recbench.protocol import Float32Array, Int32Array, Int64Array
from recbench.tasks.exchange.published_split import PublishedRows, numbered
from recbench.tasks.task import NO_ITEM


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
    parts = [train, test, *([held] if held else [])]
    user_ids, user_codes = numbered([*(part.user_ids for part in parts), *_listed(files.users)])
    item_ids, item_codes = numbered([*(part.item_ids for part in parts), *_listed(files.items)])
    users = [codes[part.users] for part, codes in zip(parts, user_codes, strict=False)]
    items = [codes[part.items] for part, codes in zip(parts, item_codes, strict=False)]
    order = np.arange(len(train)) if held is None else _order(files, len(train), len(held))

    def merged(kind: str) -> np.ndarray | None:
        columns = [getattr(part, kind) for part in (train, *([held] if held else []))]
        return None if any(column is None for column in columns) else np.concatenate(columns)[order]

    lists = [
        _lists(path, (user_ids, item_ids), users[part], items[part], width)
        for path, part in ((files.candidates, 1), (files.validation_candidates, 2))
        if part < len(parts)
    ]
    ratings: Float32Array | None = merged("ratings")
    timestamps: Int64Array | None = merged("timestamps")
    return PublishedRows(
        user_ids,
        item_ids,
        np.concatenate([users[0], *users[2:]])[order],
        np.concatenate([items[0], *items[2:]])[order],
        ratings,
        timestamps,
        users[1],
        items[1],
        test.timestamps,
        lists[0],
        None if held is None else _places(order)[len(train) :],
        lists[1] if held is not None else None,
        sum(part.n_duplicates for part in parts),
    )


def _listed(path: Path | None) -> list[IdTable]:
    """Reads a table with the column ``id``."""
    if path is None:
        return []
    codes, ids = _column(path, "id")
    return [ids.take(codes)]


def _column(path: Path, name: str) -> tuple[Int32Array, IdTable]:
    layout = Layout(user=name, item=name, rating="", timestamp="")
    with readable(path):
        return encoded([batch["user"].dictionary_encode() for batch in open_file(path, layout, BadRows(False)).batches])


def _order(files: SplitFiles, n_train: int, n_held: int) -> Int64Array:
    """Returns int64[rows], for each train row of the task its place in train and validation, one after the other."""
    if files.validation_rows is None:
        return np.arange(n_train + n_held)
    codes, texts = _column(files.validation_rows, "row")
    rows = np.array([int(text) if text.isdecimal() else -1 for text in texts], dtype=np.int64)[codes]
    if len(np.unique(rows)) != n_held or rows.min() < 0 or rows.max() >= n_train + n_held:
        raise RecbenchError(
            f"{files.validation_rows} does not name {n_held} rows out of {n_train + n_held}.",
            "It goes with the validation file of the same export.",
        )
    order = np.empty(n_train + n_held, dtype=np.int64)
    order[rows] = np.arange(n_train, n_train + n_held)
    others = np.ones(len(order), dtype=np.bool_)
    others[rows] = False
    order[others] = np.arange(n_train)
    return order


def _places(order: Int64Array) -> Int64Array:
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.arange(len(order))
    return inverse


def _lists(
    path: Path | None, ids: tuple[IdTable, IdTable], case_users: Int32Array, case_items: Int32Array, width: int
) -> Int32Array | None:
    """Reads the negatives of cases; int32[cases, width], filled up with ``NO_ITEM``."""
    if path is None:
        return None
    bad = BadRows(skip=False)
    columns: dict[str, list[object]] = {"user": [], "item": [], "negative": []}
    with readable(path):
        for batch in open_file(path, CANDIDATES, bad).batches:
            for name, parts in columns.items():
                parts.append(batch[name].dictionary_encode())
        users, items, negatives = (
            _known(path, what, *encoded(columns[name]), known)
            for name, what, known in (
                ("user", "users", ids[0]), ("item", "items", ids[1]), ("negative", "items", ids[1])
            )
        )  # fmt: skip
    keys, wanted = pair_keys(users, items, len(ids[1])), pair_keys(case_users, case_items, len(ids[1]))
    by_key = stable_order(wanted)
    at = np.minimum(np.searchsorted(wanted[by_key], keys), len(wanted) - 1)
    cases = by_key[at]
    if (strange := wanted[cases] != keys).any():
        row = int(strange.argmax())
        raise RecbenchError(
            f"{path}, row {row + 1} of the candidates: user {ids[0][int(users[row])]!r}, item "
            f"{ids[1][int(items[row])]!r} is no case ({int(strange.sum()):,} such rows).",
            "Give the candidates of the same split.",
        )
    counts = np.bincount(cases, minlength=len(wanted))
    lists = np.full((len(wanted), max(int(counts.max()), width)), NO_ITEM, dtype=np.int32)
    order = stable_order(cases)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    lists[cases[order], place] = negatives[order]
    return lists


def _known(path: Path, what: str, codes: Int32Array, own: IdTable, known: IdTable) -> Int32Array:
    index = {text: number for number, text in enumerate(known)}
    unknown = [text for text in own if text not in index]
    if unknown:
        raise RecbenchError(
            f"{path} names {len(unknown):,} {what} that occur in no row of train or test, such as {unknown[0]!r}.",
            f"Give the candidates of the same split; or, if the catalogue has them, list all {what}: --{what} FILE",
        )
    return np.array([index[text] for text in own], dtype=np.int32)[codes]
