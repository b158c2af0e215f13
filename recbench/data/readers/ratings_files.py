"""Ratings files of any form to interactions."""

import logging
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from recbench.data.interactions import Interactions
from recbench.data.readers.adjacency import read_adjacency, read_counted_lists
from recbench.data.readers.bad_rows import BadRows
from recbench.data.readers.batches import to_interactions
from recbench.data.readers.decoding import Head, TextSource, read_head
from recbench.data.readers.delimited import read_delimited
from recbench.data.readers.delimited_format import detect_format
from recbench.data.readers.json_lines import ObjectReader, object_columns
from recbench.data.readers.layout import ALIASES, PLAIN, Form, Layout
from recbench.data.readers.line_numbers import LineNumbers
from recbench.data.readers.literals import NotALiteralError, parse_json
from recbench.data.readers.open_tables import OpenTable, Place
from recbench.data.readers.opening import is_parquet
from recbench.data.readers.pair_places import place_of_pair
from recbench.data.readers.parquet import parquet_columns, read_parquet
from recbench.data.readers.part_folders import files_of_table
from recbench.errors import RecbenchError
from recbench.path_checks import check_no_folder
from recbench.system_errors import cannot_read

log = logging.getLogger(__name__)

LISTS = {Form.ADJACENCY: read_adjacency, Form.COUNTED_LISTS: read_counted_lists}


def read_interactions(path: Path, layout: Layout = PLAIN, *more: Path) -> Interactions:
    """Reads a ratings file; of rows that repeat a (user, item) pair the first in time is kept, see ``first_of_pairs``.

    Args:
        path: A file of any ``Form``, or a folder with the parts of one; text may be packed, or in a zip archive.
        layout: How the file is laid out.
        more: Further files of the same layout, whose rows follow.

    Raises:
        RecbenchError: The file is missing, empty, truncated or has values that cannot be read; the message names
            the line.
    """
    bad = BadRows(layout.skip_bad_rows)
    with readable(path):
        files = [file for table in (path, *more) for file in files_of_table(table)]
        tables = [open_file(file, layout, bad) for file in files]
        return to_interactions(tables, bad, layout.timestamp_format, keep_repeated=layout.keep_repeated)


def place_in_files(paths: Iterable[Path], layout: Layout, user: str, item: str) -> str | None:
    """Returns the file and the position of the first row of a pair; None if no file has such a row.

    Args:
        paths: Files, or folders of parts, that ``read_interactions`` can read.
        layout: How they are laid out.
        user: The user's original id.
        item: The item's original id.
    """
    for path in paths:
        with readable(path):
            for file in files_of_table(path):
                place = place_of_pair(open_file(file, layout, BadRows(layout.skip_bad_rows)), user, item)
                if place is not None:
                    return f"{file}, {place}"
    return None


def open_file(path: Path, layout: Layout, bad: BadRows) -> OpenTable:
    """Opens a file and finds its columns.

    Raises:
        RecbenchError: There is no such file, or its columns cannot be recognised.
    """
    check_no_folder(path)
    if path.exists() and not path.is_file():
        raise RecbenchError(
            f"{path} is a device or a pipe, but recbench reads a file more than once.",
            "Save its content to a file, and give the path of that file.",
        )
    if not path.is_file():
        raise RecbenchError(f"No such file: {path}.", "Check the path, or give another file.")
    table = _opened_table(path, layout, bad)
    return replace(table, typed=True) if layout.any_text else table


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Converts every error of reading a file into one.

    Raises:
        RecbenchError: The file cannot be read.
    """
    try:
        yield
    except MemoryError as error:
        raise cannot_read(str(path), error) from error
    except (zlib.error, lzma.LZMAError, zipfile.BadZipFile, EOFError, OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_read(str(path), error) from error
        raise RecbenchError(
            f"{path} cannot be read: {error}.", "The file is damaged or incomplete. Copy or download it again."
        ) from error


def _opened_table(path: Path, layout: Layout, bad: BadRows) -> OpenTable:
    if layout.form is Form.PARQUET or (layout.form is None and is_parquet(path)):
        columns = parquet_columns(path, layout)
        guesses = _guesses(Form.PARQUET, columns)
        return OpenTable(path, read_parquet(path, columns), _row, guesses=guesses)
    source = TextSource(path, layout.member, layout.encoding)
    head, lines = read_head(source), LineNumbers()
    form = layout.form or _form(head)
    if form is Form.DELIMITED:
        detected = detect_format(path, layout, head)
        guesses = (*_guesses(form, detected.columns, head), f"separator {detected.separator!r}")
        guesses = (*guesses, "no header" if detected.header is None else "a header")
        batches = read_delimited(source, detected, bad, lines)
        names = ALIASES["user"] + ALIASES["item"]
        if detected.header is not None:
            names = (detected.columns["user"].strip().lower(), detected.columns["item"].strip().lower())
        return OpenTable(path, batches, lines.where, guesses=guesses, packings=head.packings, names=frozenset(names))
    if form in LISTS:
        batches = LISTS[form](source, bad, lines)
        return OpenTable(path, batches, lines.where, guesses=_guesses(form, {}, head), packings=head.packings)
    columns = object_columns(path, layout, form, head)
    batches = ObjectReader(source, form, columns, bad, lines).batches()
    guesses = _guesses(form, columns, head)
    return OpenTable(path, batches, lines.where, guesses=guesses, packings=head.packings, typed=True)


def _row(row: int) -> Place:
    return Place(row + 1, f"row {row + 1}")


def _guesses(form: Form, columns: Mapping[str, str], head: Head | None = None) -> tuple[str, ...]:
    """Returns what was recognised, for the line that a build prints."""
    named = ", ".join(f"{role} = {column}" for role, column in columns.items())
    texts = (form, *((head.encoding, *head.packings) if head else ()), f"columns {named}" if named else "")
    return tuple(filter(None, texts))


def _is_array(head: Head) -> bool:
    """Whether the first line is a JSON array, and no text in brackets."""
    lines = head.lines()
    if not lines or not lines[0].lstrip().startswith(b"["):
        return False
    try:
        return isinstance(parse_json(lines[0].decode("utf-8")), list)
    except (NotALiteralError, UnicodeDecodeError):
        return False


def _form(head: Head) -> Form:
    start = head.text.lstrip()
    if start.startswith((b"{'", b"{u'", b'{u"')):
        return Form.PYTHON_LINES
    if start.startswith(b"{") or re.match(rb"\[\s*[{\[\]]", start) or _is_array(head):
        return Form.JSON_LINES
    return Form.DELIMITED
