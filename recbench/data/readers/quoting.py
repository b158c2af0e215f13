"""Quotation marks in separated text: where records end, and whether the marks quote fields or are plain characters.

A mark at the start of a field opens a quoted field, in which separators and line ends are text; a doubled mark there is
one mark (RFC 4180). A mark anywhere else is a plain character. In a file that was written without quoting, a field may
begin with a mark by chance; read as an opening mark, it swallows all rows up to the next mark.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array

QUOTE: Final = 0x22
NEWLINE: Final = 0x0A
CARRIAGE_RETURN: Final = 0x0D
QUOTED: Final = re.compile(rb'"[^"]*(?:""[^"]*)*"')
LONGEST_FIELD: Final = 2**24
"""Bytes of the longest quoted field: if none closes it by then, its mark opens no field."""
LONG_TEXT: Final = 4
"""Lines of a text that may each hold as many separators as a row by chance."""
LITERAL_SHARE: Final = 0.99
"""So many lines must have the right number of fields without quoting, if the marks are to be plain characters."""


@dataclass(frozen=True, slots=True)
class Table:
    """What the rows of a file are like.

    Attributes:
        separator: The byte between two fields.
        n_fields: The number of fields of a row; 0 if it is not known.
        numeric: Positions of columns whose values are numbers, counted from 0.
    """

    separator: bytes
    n_fields: int = 0
    numeric: tuple[int, ...] = ()

    def looks_like_row(self, line: bytes) -> bool:
        """Whether a line, read without quoting, has the right number of fields and numbers where they belong."""
        if line.count(self.separator) != self.n_fields - 1:
            return False
        fields = line.rstrip(b"\r").split(self.separator)
        return all(is_number(fields[position].strip(b'"\x00')) for position in self.numeric)


def is_number(text: bytes | str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class Doubt(Enum):
    """Why the quotation marks of a record cannot be trusted."""

    UNCLOSED = auto()
    """Nothing closes a quoted field."""
    BROKEN = auto()
    """A quoted field goes over several lines and ends in the middle of a field, or its record has a wrong width."""
    SWALLOWED = auto()
    """A quoted field goes over several lines, each of which looks like a row of its own."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a file.

    Attributes:
        line: The number of its first line within the block, from 0.
        end: Where the next record begins in the block.
        raw: Its bytes, without the line end.
        fields: Its fields, unquoted.
        doubt: Why its marks cannot be trusted; None if they can.
        n_lines: The number of lines of the record, or of those that a mark would swallow.
        quoted: Whether it has a quoted field.
        loose: Whether text follows a closing mark.
    """

    line: int
    end: int
    raw: bytes
    fields: list[bytes]
    doubt: Doubt | None = None
    n_lines: int = 1
    quoted: bool = False
    loose: bool = False


def literal_records(block: bytes, table: Table) -> Iterator[Record]:
    """Yields the records of lines in which quotation marks are plain characters; blank lines are left out."""
    start, number = 0, 0
    while start < len(block):
        newline = block.find(b"\n", start)
        end = len(block) if newline < 0 else newline
        line = block[start:end].rstrip(b"\r")
        if line.strip():
            yield Record(number, end + 1, line, line.split(table.separator))
        start, number = end + 1, number + 1


def quoted_records(block: bytes, table: Table, *, final: bool, suspicious: bool) -> Iterator[Record]:
    """Yields the records of a block in which a mark at the start of a field opens a quoted field.

    A record in doubt is its first line alone: the lines after it are read as others. Blank lines are left out.

    Args:
        block: Whole lines; it begins where a record begins.
        table: What the rows are like.
        final: Whether no text follows, so that a field that nothing closes is in doubt; else the records end before it.
        suspicious: Whether records whose lines all look like rows are in doubt.
    """
    start, number = 0, 0
    while start < len(block):
        newline = block.find(b"\n", start)
        end = len(block) if newline < 0 else newline
        line = block[start:end].rstrip(b"\r")
        if b'"' in line:
            record = _with_marks(block, start, end, number, table)
            if record.doubt is Doubt.UNCLOSED and not final:
                return
            if suspicious and record.doubt is None and record.n_lines > 1 and swallows(record.raw, table):
                fields = line.split(table.separator)
                record = Record(number, end + 1, line, fields, Doubt.SWALLOWED, record.n_lines, quoted=True)
        else:
            record = Record(number, end + 1, line, line.split(table.separator))
        if record.raw.strip():
            yield record
        number += record.n_lines if record.doubt is None else 1
        start = record.end


def _with_marks(block: bytes, start: int, line_end: int, number: int, table: Table) -> Record:
    """Reads a record that has marks in its first line."""
    line, separator = block[start:line_end].rstrip(b"\r"), table.separator

    def in_doubt(doubt: Doubt, end: int) -> Record:
        n_lines = block.count(b"\n", start, end) + 1
        return Record(number, line_end + 1, line, line.split(separator), doubt, n_lines, quoted=True)

    fields, at, quoted, loose, last = [], start, False, False, False
    while not last:
        value, match = b"", None
        if block[at : at + 1] == b'"':
            match = QUOTED.match(block, at)
            if match is None:
                return in_doubt(Doubt.UNCLOSED, len(block))
            quoted, at = True, match.end()
            value = match.group()[1:-1].replace(b'""', b'"')
        newline = block.find(b"\n", at)
        newline = len(block) if newline < 0 else newline
        end = block.find(separator, at, newline)
        last = end < 0
        end = newline if last else end
        rest = block[at:end].rstrip(b"\r") if last else block[at:end]
        if match is not None and rest:
            loose = True
            if b"\n" in value:
                return in_doubt(Doubt.BROKEN, end)
        fields.append(value + rest)
        at = end + 1
    n_lines = block.count(b"\n", start, end) + 1
    if n_lines > 1 and table.n_fields and len(fields) != table.n_fields:
        return in_doubt(Doubt.BROKEN, end)
    raw = block[start:end].rstrip(b"\r")
    return Record(number, end + 1, raw, fields, None, n_lines, quoted, loose)


def swallows(record: bytes, table: Table) -> bool:
    """Whether the lines of a record look like rows of their own.

    If some columns hold numbers, the first and the last line show it. Else every line must have the width of a row.
    """
    lines = [line for line in record.split(b"\n") if line.strip()]
    return all(map(table.looks_like_row, (lines[0], lines[-1]) if table.numeric else lines))


@dataclass(frozen=True, slots=True)
class Shape:
    """The quotation marks of a block.

    Attributes:
        end: Where the last whole record ends.
        opening: Whether a field begins with a mark, so that quoting matters.
        tidy: Whether every mark opens a field, closes one, or is doubled within one.
        starts: int64[records], where each record of a tidy block with quoted fields begins; blank ones included.
        several_lines: int64[n], which of them have more than one line.
        needs_quotes: Whether a quoted field holds a separator or a doubled mark, if the block is tidy.
        n_quoted: The number of quoted fields, if the block is tidy.
    """

    end: int
    opening: bool = False
    tidy: bool = True
    starts: Int64Array | None = None
    several_lines: Int64Array | None = None
    needs_quotes: bool = False
    n_quoted: int = 0


def shape_of(block: bytes, separator: bytes, *, final: bool) -> Shape:
    """Looks at the quotation marks of a block.

    Args:
        block: Whole lines; it begins where a record begins.
        separator: The byte between two fields.
        final: Whether no text follows.
    """
    if b'"' not in block:
        return Shape(len(block))
    data = np.frombuffer(block, np.uint8)
    marks = np.flatnonzero(data == QUOTE)
    before = np.where(marks > 0, data[marks - 1], NEWLINE)
    after = data[np.minimum(marks + 1, len(data) - 1)]
    after[marks + 1 == len(data)] = NEWLINE
    at_start = (before == separator[0]) | (before == NEWLINE)
    if not at_start.any():
        return Shape(len(block))
    newlines = np.flatnonzero(data == NEWLINE)
    within = (np.searchsorted(marks, newlines) & 1).astype(np.bool_)
    outside = newlines[~within]
    end = len(block) if final else int(outside[-1]) + 1 if len(outside) else 0
    n_marks = int(np.searchsorted(marks, end))
    at_start, before, after = at_start[:n_marks], before[:n_marks], after[:n_marks]
    if not at_start.any():
        return Shape(end)
    at_end = (after == separator[0]) | (after == NEWLINE) | (after == CARRIAGE_RETURN)
    opens, closes = at_start[0::2] | (before[0::2] == QUOTE), at_end[1::2] | (after[1::2] == QUOTE)
    if n_marks % 2 or not (opens.all() and closes.all()):
        ends = [record.end for record in quoted_records(block, Table(separator), final=final, suspicious=False)]
        return Shape(len(block) if final else min(max(ends, default=0), len(block)), opening=True, tidy=False)
    starts = np.concatenate([[0], outside + 1])
    starts = starts[starts < end]
    several = np.unique(np.searchsorted(starts, newlines[within & (newlines < end)], side="right") - 1)
    separators = np.flatnonzero(data[:end] == separator[0])
    doubled = (marks[1 : n_marks - 1 : 2] + 1 == marks[2:n_marks:2]).any()
    return Shape(
        end,
        opening=True,
        starts=starts,
        several_lines=several,
        needs_quotes=bool(doubled or (np.searchsorted(marks, separators) & 1).any()),
        n_quoted=int(at_start[0::2].sum()),
    )


class Quoting(Enum):
    """What quotation marks at the start of a field are in a file."""

    NONE = auto()
    """There are none."""
    QUOTED = auto()
    """They quote fields."""
    LITERAL = auto()
    """They are plain characters."""
    DOUBTFUL = auto()
    """They quote fields, and some of them cannot be trusted."""


def decide_quoting(
    blocks: Iterable[tuple[bytes, Shape]], lines: Callable[[], Iterable[bytes]], table: Table, *, header_quoted: bool
) -> Quoting:
    """Decides by the whole file what quotation marks at the start of a field are.

    Marks that nothing closes, or that close in the middle of a field, are plain characters if the file is a good one
    without quoting: nearly all lines have the right number of fields, and no quoted field needs its quotes.

    Args:
        blocks: The rows, in blocks of whole records as quoting shows them.
        lines: Returns the rows in blocks of whole lines.
        table: What the rows are like.
        header_quoted: Whether the header has quoted fields.
    """
    evidence = _Evidence(for_quotes=header_quoted)
    for block, shape in blocks:
        evidence.add(block, shape, table)
    if not evidence.opening:
        return Quoting.NONE
    doubtful = evidence.n_doubtful + (evidence.n_weakly_doubtful if not evidence.several_lines else 0)
    if not (doubtful or evidence.loose):
        return Quoting.QUOTED
    may_be_literal = not evidence.for_quotes and 2 * evidence.n_quoted < evidence.n_records
    if may_be_literal and share_of_rows(lines(), table) >= LITERAL_SHARE:
        return Quoting.LITERAL
    return Quoting.DOUBTFUL if doubtful else Quoting.QUOTED


@dataclass(slots=True)
class _Evidence:
    """What the blocks of a file show.

    Attributes:
        for_quotes: A quoted field needs its quotes, so that marks quote fields in this file.
        opening: A field begins with a mark.
        loose: Text follows a closing mark.
        several_lines: A quoted field has several lines that do not look like rows.
        n_doubtful: Records in doubt.
        n_weakly_doubtful: Records whose lines have the width of rows, where no column of numbers shows more.
        n_quoted: Records, or fields, that are quoted.
        n_records: All records of blocks with quoted fields.
    """

    for_quotes: bool
    opening: bool = False
    loose: bool = False
    several_lines: bool = False
    n_doubtful: int = 0
    n_weakly_doubtful: int = 0
    n_quoted: int = 0
    n_records: int = 0

    def add(self, block: bytes, shape: Shape, table: Table) -> None:
        if not shape.opening:
            self.n_records += block.count(b"\n")
            return
        self.opening = True
        if shape.tidy and shape.starts is not None and not self._any_swallows(block, shape, table):
            several = shape.several_lines is not None and len(shape.several_lines) > 0
            self.several_lines |= several
            self.for_quotes |= shape.needs_quotes or several
            self.n_quoted += shape.n_quoted
            self.n_records += len(shape.starts)
            return
        for record in quoted_records(block, table, final=True, suspicious=True):
            self._add_record(record, table)

    def _any_swallows(self, block: bytes, shape: Shape, table: Table) -> bool:
        assert shape.starts is not None
        assert shape.several_lines is not None
        stops = np.append(shape.starts[1:], shape.end)
        return any(
            swallows(block[shape.starts[n] : stops[n]].rstrip(b"\r\n"), table) for n in shape.several_lines.tolist()
        )

    def _add_record(self, record: Record, table: Table) -> None:
        self.n_records += 1
        self.loose |= record.loose
        if record.doubt is Doubt.SWALLOWED and not _surely_swallowed(record, table):
            self.n_weakly_doubtful += 1
        elif record.doubt is not None:
            self.n_doubtful += 1
        elif record.quoted:
            self.n_quoted += 1
            self.several_lines |= record.n_lines > 1
            doubled = not record.loose and any(b'"' in value for value in record.fields)
            self.for_quotes |= doubled or len(record.raw.split(table.separator)) != len(record.fields)


def _surely_swallowed(record: Record, table: Table) -> bool:
    """Whether the lines of a record are so much like rows that they are no text of several lines.

    Numbers in the right columns do not occur in text by chance, nor do tabs, nor many lines with the same number of
    separators.
    """
    return bool(table.numeric) or table.separator == b"\t" or record.n_lines > LONG_TEXT


def share_of_rows(blocks: Iterable[bytes], table: Table) -> float:
    """Returns the share of the lines, blank ones left out, that have the right number of fields without quoting."""
    n_lines, n_right = 0, 0
    for block in blocks:
        data: npt.NDArray[np.uint8] = np.frombuffer(block, np.uint8)
        newlines = np.flatnonzero(data == NEWLINE)
        if not block.endswith(b"\n"):
            newlines = np.append(newlines, len(data))
        counts = np.diff(np.searchsorted(np.flatnonzero(data == table.separator[0]), newlines), prepend=0)
        filled = np.diff(newlines, prepend=-1) > 1
        n_lines += int(filled.sum())
        n_right += int((filled & (counts == table.n_fields - 1)).sum())
    return n_right / n_lines if n_lines else 0.0
