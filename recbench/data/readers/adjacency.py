"""Files with all items of a user in one line to batches of columns."""

from collections.abc import Iterator

import numpy as np

from recbench.data.readers.bad_rows import BadRows
from recbench.data.readers.decoding import TextSource, blocks_of_lines
from recbench.data.readers.line_numbers import LineNumbers, at_line
from recbench.data.readers.merge_marks import is_merge_mark
from recbench.data.readers.open_tables import SHOWN, Batch
from recbench.errors import RecbenchError

ADVICE = "Correct the line; the file may be truncated. To leave such lines out: --skip-bad-rows."


def read_adjacency(source: TextSource, bad: BadRows, lines: LineNumbers) -> Iterator[Batch]:
    """Yields the pairs of lines of a user and that user's items, with blanks between (LightGCN).

    A user alone in a line has no items there, and gives no row.

    Raises:
        RecbenchError: A line is not valid text, unless such are skipped.
    """
    return _read(source, bad, lines, counted=False)


def read_counted_lists(source: TextSource, bad: BadRows, lines: LineNumbers) -> Iterator[Batch]:
    """Yields the pairs of lines of a number and so many items; the user is the line's number, from 0 (CiteULike).

    Raises:
        RecbenchError: A line holds another number of items than it says, unless such are skipped.
    """
    return _read(source, bad, lines, counted=True)


def _read(source: TextSource, bad: BadRows, lines: LineNumbers, *, counted: bool) -> Iterator[Batch]:
    first_line = 1
    for block in blocks_of_lines(source):
        users: list[str] = []
        items: list[str] = []
        ends: list[int] = []
        for number, line in enumerate(block.split(b"\n"), start=first_line):
            row = _list(line, number, counted)
            if isinstance(row, str):
                if not bad.skip:
                    raise RecbenchError(f"{source.path}, line {number}: {row}.", ADVICE)
                bad.leave_out(source.path, at_line(number), row)
            else:
                user, own = row
                users += [user] * len(own)
                items += own
            ends.append(len(items))
        if items:
            _add_lines(lines, first_line, ends)
            yield _batch(users, items)
        first_line += block.count(b"\n")


def _list(line: bytes, number: int, counted: bool) -> tuple[str, list[str]] | str:
    """Returns the user and the items of a line, or why it cannot be read."""
    if b"\x00" in line:
        return "it contains the character NUL"
    if is_merge_mark(line):
        return "it is a merge conflict mark of git"
    # Only blanks of ASCII separate: an id may hold any other character.
    fields = line.split()
    try:
        texts = [field.decode("utf-8") for field in fields]
    except UnicodeDecodeError:
        return "it is not valid text in the encoding of the file"
    if not counted:
        return (texts[0], texts[1:]) if texts else ("", [])
    count, *own = texts or ["0"]
    if count != str(len(own)):
        return f"it announces {count[:SHOWN]} items and holds {len(own)}"
    return str(number - 1), own


def _add_lines(lines: LineNumbers, first_line: int, ends: list[int]) -> None:
    """Tells the line of each row; ``ends`` holds the number of rows up to the end of each line."""
    bounds = np.array(ends, dtype=np.int64)
    lines.add(ends[-1], lambda row: first_line + int(np.searchsorted(bounds, row, side="right")))


def _batch(users: list[str], items: list[str]) -> Batch:
    import pyarrow as pa

    return {"user": pa.array(users, pa.string()), "item": pa.array(items, pa.string())}
