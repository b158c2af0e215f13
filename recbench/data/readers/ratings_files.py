"""Ratings files of any form to interactions."""

import ast
import csv
import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recbench.data.interactions import Interactions
from recbench.data.readers.adjacency import read_adjacency, read_counted_lists
from recbench.data.readers.batches import BadRows, OpenTable, Place, to_interactions
from recbench.data.readers.delimited import detect_format, read_delimited
from recbench.data.readers.json_lines import object_columns, read_json_lines, read_python_lines
from recbench.data.readers.layout import PLAIN, Form, Layout
from recbench.data.readers.opening import first_line, line_number
from recbench.data.readers.parquet import parquet_columns, read_parquet
from recbench.errors import RecbenchError
from recbench.path_checks import check_no_folder

log = logging.getLogger(__name__)

LISTS = {Form.ADJACENCY: read_adjacency, Form.COUNTED_LISTS: read_counted_lists}
OBJECTS = {Form.JSON_LINES: read_json_lines, Form.PYTHON_LINES: read_python_lines}
PARSERS: dict[Form, Callable[[Any], Any]] = {Form.JSON_LINES: json.loads, Form.PYTHON_LINES: ast.literal_eval}


def read_interactions(path: Path, layout: Layout = PLAIN, *more: Path) -> Interactions:
    """Reads a ratings file; of rows that repeat a (user, item) pair the first is kept.

    Args:
        path: A file of any ``Form``; text may be plain, gzip, or a member of a zip archive.
        layout: How the file is laid out.
        more: Further files of the same layout, whose rows follow.

    Raises:
        RecbenchError: The file is missing, empty, truncated or has values that cannot be read; the message names
            the line.
    """
    bad = BadRows(layout.skip_bad_rows)
    with readable(path):
        return to_interactions([open_file(file, layout, bad) for file in (path, *more)], bad, layout.timestamp_format)


def open_file(path: Path, layout: Layout, bad: BadRows) -> OpenTable:
    """Opens a file and finds its columns.

    Raises:
        RecbenchError: There is no such file, or its columns cannot be recognised.
    """
    check_no_folder(path)
    if not path.is_file():
        raise RecbenchError(f"No such file: {path}.", "Check the path, or give another file.")
    return _opened_table(path, layout, bad)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Converts every error of reading a file into one.

    Raises:
        RecbenchError: The file cannot be read.
    """
    try:
        yield
    except (
        UnicodeError,
        LookupError,
        csv.Error,
        zlib.error,
        zipfile.BadZipFile,
        EOFError,
        OSError,
        ValueError,
        # Of an archive that is encrypted, or packed in a way that is not known.
        RuntimeError,
    ) as error:
        raise RecbenchError(
            f"{path} cannot be read: {error}.",
            "The file must be UTF-8 text, gzip or zip of that, or Parquet, and complete. "
            "Name another encoding: --encoding.",
        ) from error


def _opened_table(path: Path, layout: Layout, bad: BadRows) -> OpenTable:
    form = layout.form or _form(path, layout)
    if form is Form.PARQUET:
        columns = parquet_columns(path, layout)
        return OpenTable(
            path,
            read_parquet(path, columns),
            lambda row: Place(row + 1, f"row {row + 1}"),
            columns.keys(),
        )
    if form is Form.DELIMITED:
        detected = detect_format(path, layout)

        def line_of(row: int) -> Place:
            return _line(line_number(path, layout.member, row + detected.header))

        return OpenTable(path, read_delimited(path, layout, detected, bad), line_of, detected.columns)
    if form in (Form.ADJACENCY, Form.COUNTED_LISTS):
        return OpenTable(
            path, LISTS[form](path, layout, bad), lambda row: Place(row, f"interaction {row + 1}"), ("user", "item")
        )
    columns = object_columns(path, layout, PARSERS[form])
    return OpenTable(
        path,
        OBJECTS[form](path, layout, columns, bad),
        lambda row: _line(line_number(path, layout.member, row)),
        columns.keys(),
    )


def _line(number: int) -> Place:
    return Place(number, f"line {number}")


def _form(path: Path, layout: Layout) -> Form:
    if path.suffix in {".parquet", ".pq"}:
        return Form.PARQUET
    line = first_line(path, layout.member, layout.encoding).lstrip()
    if line.startswith('{"'):
        return Form.JSON_LINES
    if line.startswith(("{'", "{u'")):
        return Form.PYTHON_LINES
    return Form.DELIMITED
