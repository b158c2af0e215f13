"""Separated text (CSV, TSV, ``::``, RecBole's atomic files) to batches of columns.

Arrow parses blocks of whole records. A block that it cannot parse, or in which something is odd, is read record by
record instead, so that every message names the right line, and bad rows can be left out one by one.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from recbench.data.readers.bad_rows import BadRows
from recbench.data.readers.decoding import TextSource, blocks_of_lines, count_lines
from recbench.data.readers.delimited_format import (
    ENCODING_ADVICE,
    SKIP,
    UNIT_SEPARATOR,
    DelimitedFormat,
    carriage_returns,
    not_text,
    with_separator_byte,
)
from recbench.data.readers.line_numbers import LineNumbers, at_line
from recbench.data.readers.merge_marks import MERGE_START, is_merge_mark
from recbench.data.readers.open_tables import Batch
from recbench.data.readers.quoting import (
    LONGEST_FIELD,
    NEWLINE,
    Doubt,
    Quoting,
    Record,
    Shape,
    Table,
    decide_quoting,
    literal_records,
    quoted_records,
    shape_of,
)
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

SMALL: Final = 2**14
"""Bytes of a block that is not split any more before it is read record by record."""
PIECES: Final = 16
CORRECT: Final = f"Correct the line, or name another separator. The file may be truncated. {SKIP}"


def read_delimited(source: TextSource, detected: DelimitedFormat, bad: BadRows, lines: LineNumbers) -> Iterator[Batch]:
    """Yields the columns as text; every row must have the same number of fields.

    Args:
        source: The file.
        detected: What its start shows.
        bad: Whether to leave out rows that cannot be read; counts them.
        lines: Is told the lines of the rows.

    Raises:
        RecbenchError: A row has another number of fields, or cannot be read, unless such rows are skipped.
    """
    reader = _Reader(source, detected, bad)
    for block in _blocks(source, detected):
        for parsed in reader.parse(block):
            if parsed.n_rows:
                lines.add(parsed.n_rows, _finder(parsed))
                yield parsed.batch


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole records of a file.

    Attributes:
        text: Their bytes.
        line: The number of the first line, from 1.
        shape: The quotation marks.
        quoting: What these are.
        n_lines: The number of lines.
    """

    text: bytes
    line: int
    shape: Shape
    quoting: Quoting
    n_lines: int


@dataclass(frozen=True, slots=True)
class _Parsed:
    """The rows of a block.

    Attributes:
        batch: Their columns.
        n_rows: Their number.
        first_line: The line of the first row, if each row is a line, one after the other.
        lines: int64[rows], the line of each row; None if each row is a line.
    """

    batch: Batch
    n_rows: int
    first_line: int
    lines: Int64Array | None = None


def _finder(parsed: _Parsed) -> Callable[[int], int]:
    if parsed.lines is None:
        return lambda row: parsed.first_line + row
    lines = parsed.lines
    return lambda row: int(lines[row])


def _blocks(source: TextSource, detected: DelimitedFormat) -> Iterator[_Block]:
    """Yields the rows in blocks; the header is left out. Looks at the whole file once more if it has quoted fields."""
    quoting = Quoting.NONE
    for block in _quoted_blocks(source, detected):
        if block.shape.opening and quoting is Quoting.NONE:
            quoting = decide_quoting(
                ((each.text, each.shape) for each in _quoted_blocks(source, detected)),
                lambda: (each.text for each in _literal_blocks(source, detected)),
                detected.table,
                header_quoted=detected.header_quoted,
            )
            if quoting is Quoting.LITERAL:
                log.info("Quotation marks of %s are read as ordinary characters.", source.path.name)
                break
        yield replace(block, quoting=quoting)
    else:
        return
    for literal in _literal_blocks(source, detected):
        yield from _from_line(literal, block.line)


def _from_line(block: _Block, line: int) -> Iterator[_Block]:
    """Yields the lines of a literal block from a line on, if there are any."""
    n_before = max(0, line - block.line)
    if n_before < block.n_lines:
        start = 0
        for _ in range(n_before):
            start = block.text.index(b"\n", start) + 1
        text = block.text[start:]
        yield _Block(text, block.line + n_before, Shape(len(text)), block.quoting, block.n_lines - n_before)


def _quoted_blocks(source: TextSource, detected: DelimitedFormat) -> Iterator[_Block]:
    """Yields the rows in blocks that end where a record ends."""
    separator, rest, first_line = detected.table.separator, b"", 1
    for new, line, n_lines, final in _texts_of_rows(source, detected):
        first_line = first_line if rest else line
        text = rest + new
        shape = shape_of(text, separator, final=final)
        if len(text) - shape.end > LONGEST_FIELD and not final:
            shape = shape_of(text, separator, final=True)
        whole, rest = text[: shape.end], text[shape.end :]
        if whole:
            n_lines = n_lines if whole is new else count_lines(whole)
            yield _Block(whole, first_line, shape, Quoting.QUOTED, n_lines)
            first_line += n_lines


def _literal_blocks(source: TextSource, detected: DelimitedFormat) -> Iterator[_Block]:
    """Yields the rows in blocks that end where a line ends."""
    for text, line, n_lines, _ in _texts_of_rows(source, detected):
        yield _Block(text, line, Shape(len(text)), Quoting.LITERAL, n_lines)


def _texts_of_rows(source: TextSource, detected: DelimitedFormat) -> Iterator[tuple[bytes, int, int, bool]]:
    """Yields blocks of lines without the header: text, number of the first line, number of lines, whether it is last.

    Raises:
        RecbenchError: The file holds the character that replaces a separator of several bytes.
    """
    line, header = 1, detected.header
    blocks = blocks_of_lines(source)
    following = next(blocks, None)
    while following is not None:
        text, following = following, next(blocks, None)
        start, first_line = 0, line
        if detected.table.separator == UNIT_SEPARATOR:
            if UNIT_SEPARATOR in text:
                number = line + text.count(b"\n", 0, text.index(UNIT_SEPARATOR))
                raise RecbenchError(
                    f"{source.path}, line {number}: it holds the control character 0x1f.",
                    "Remove it, or use a separator of one character.",
                )
            text = with_separator_byte(text, detected.separator)
        if header is not None:
            start = text.index(header) + len(header)
            start = text.index(b"\n", start) + 1 if b"\n" in text[start:] else len(text)
            first_line, header = line + text.count(b"\n", 0, start), None
        line += count_lines(text)
        yield text[start:], first_line, line - first_line, following is None


class _Reader:
    """Parses blocks of records."""

    def __init__(self, source: TextSource, detected: DelimitedFormat, bad: BadRows) -> None:
        self._source = source
        self._detected = detected
        self._bad = bad
        self._separator = detected.table.separator
        # A marked row among others, where files with a header were put together. In the only column of a list of ids,
        # the name of the column may be an id.
        header = detected.header if detected.table.n_fields > 1 else None
        self._header = None if header is None else header.strip()
        self._repeated = () if self._header is None else (b"\n%b\n" % self._header, b"\n%b\r\n" % self._header)

    def parse(self, block: _Block) -> Iterator[_Parsed]:
        """Yields the rows of a block in one batch or several."""
        if not block.text.strip(b"\r\n"):
            return
        parsed = None if self._is_odd(block) else self._fast(block)
        if parsed is not None:
            yield parsed
        elif block.shape.opening or len(block.text) <= SMALL or block.n_lines == 1:
            yield self._record_by_record(block)
        else:
            for piece in _pieces(block):
                yield from self.parse(piece)

    def _is_odd(self, block: _Block) -> bool:
        """Whether a block holds what the fast parser would take for text or for the end of a line."""
        text = block.text
        return (
            (block.quoting is Quoting.DOUBTFUL and block.shape.opening)
            or b"\x00" in text
            or (b"<" in text and MERGE_START in text)
            or (b"\r" in text and text.count(b"\r") != text.count(b"\r\n"))
            or (not text.isascii() and BOM in text)
            or any(repeated in text for repeated in self._repeated)
            or (self._header is not None and text[: len(self._header) + 2].strip() == self._header)
        )

    def _fast(self, block: _Block) -> _Parsed | None:
        """Returns the rows of a block; None if the fast parser cannot read it."""
        import pyarrow as pa
        import pyarrow.csv

        columns = {role: f"f{position}" for role, position in self._detected.positions.items()}
        several = block.shape.opening
        quoted = several and block.quoting is not Quoting.LITERAL
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(block.text),
                pyarrow.csv.ReadOptions(
                    column_names=[f"f{position}" for position in range(self._detected.table.n_fields)],
                    use_threads=False,
                    block_size=len(block.text) + 1,
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=self._separator.decode(), quote_char='"' if quoted else False, newlines_in_values=several
                ),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(columns.values(), pa.string()),
                    include_columns=list(dict.fromkeys(columns.values())),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        lines = None if table.num_rows == block.n_lines else _lines_of_records(block)
        if lines is not None and len(lines) != table.num_rows:
            return None
        batch = {role: _whole(table.column(name)) for role, name in columns.items()}
        if quoted and self._separator == UNIT_SEPARATOR:
            batch = {role: self._restored(column) for role, column in batch.items()}
        return _Parsed(batch, table.num_rows, block.line, lines)

    def _restored(self, column: "pa.Array") -> "pa.Array":
        """Puts the separator back where a quoted field holds it."""
        import pyarrow.compute

        return pyarrow.compute.replace_substring(column, UNIT_SEPARATOR.decode(), self._detected.separator)

    def _record_by_record(self, block: _Block) -> _Parsed:
        """Returns the rows of a block; leaves out, or refuses, those that cannot be read."""
        import pyarrow as pa

        values: dict[str, list[str]] = {role: [] for role in self._detected.positions}
        lines: list[int] = []
        for record in _records(block, self._detected.table):
            number = block.line + record.line
            row = self._row(record)
            if isinstance(row, str):
                if not self._bad.skip:
                    advice = ENCODING_ADVICE if row == not_text(self._detected.encoding) else CORRECT
                    raise RecbenchError(f"{self._source.path}, line {number}: {row}.", advice)
                self._bad.leave_out(self._source.path, at_line(number), row)
                continue
            lines.append(number)
            for role, value in row.items():
                values[role].append(value)
        batch = {role: pa.array(column, pa.string()) for role, column in values.items()}
        return _Parsed(batch, len(lines), block.line, np.array(lines, dtype=np.int64))

    def _row(self, record: Record) -> dict[str, str] | str:
        """Returns the values of a record, or why it cannot be read."""
        if (problem := self._problem(record)) is not None:
            return problem
        fields = record.fields
        if self._separator == UNIT_SEPARATOR:
            separator = self._detected.separator.encode()
            fields = [value.replace(UNIT_SEPARATOR, separator) for value in fields]
        try:
            return {role: fields[position].decode("utf-8") for role, position in self._detected.positions.items()}
        except UnicodeDecodeError:
            return not_text(self._detected.encoding)

    def _problem(self, record: Record) -> str | None:
        raw, n_fields = record.raw, self._detected.table.n_fields
        if record.doubt is not None:
            return DOUBTS[record.doubt].format(record.n_lines)
        if b"\x00" in raw:
            return "it contains the character NUL"
        if is_merge_mark(raw):
            return "it is a merge conflict mark of git"
        if raw.startswith(BOM):
            return "it begins with a byte order mark, as after joining several files"
        if b"\r" in raw and not record.quoted:
            return carriage_returns(raw)
        if raw.strip() == self._header:
            return "it repeats the header, as after joining several files"
        if len(record.fields) != n_fields:
            return f"Expected {n_fields} columns, got {len(record.fields)}"
        return None


BOM: Final = b"\xef\xbb\xbf"
DOUBTS: Final = {
    Doubt.UNCLOSED: "a quotation mark opens a field and nothing closes it",
    Doubt.BROKEN: "a quotation mark opens a field of {} lines that does not end where a field ends",
    Doubt.SWALLOWED: "a quotation mark opens a field of {} lines, each of which looks like a row of its own",
}


def _records(block: _Block, table: Table) -> Iterator[Record]:
    if block.quoting is Quoting.LITERAL or not block.shape.opening:
        return literal_records(block.text, table)
    return quoted_records(block.text, table, final=True, suspicious=block.quoting is Quoting.DOUBTFUL)


def _lines_of_records(block: _Block) -> Int64Array:
    """Returns int64[records], the line of each record that is not blank."""
    if block.shape.opening and block.shape.starts is None:
        records = quoted_records(block.text, Table(b"\x00"), final=True, suspicious=False)
        return np.array([block.line + record.line for record in records], dtype=np.int64)
    data = np.frombuffer(block.text, np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    starts = block.shape.starts
    if starts is None:
        starts = np.concatenate([[0], newlines + 1])
        starts = starts[starts < len(data)]
    first = data[starts]
    filled = (first != NEWLINE) & (first != 0x0D)
    lines: Int64Array = block.line + np.searchsorted(newlines, starts[filled])
    return lines


def _pieces(block: _Block) -> Iterator[_Block]:
    """Splits a block of several lines without quoted fields at line ends.

    A piece has at most ``1 / PIECES`` of the bytes, or is one line. Every piece is therefore smaller than the block:
    ``_Reader.parse``, which calls itself with each piece, ends.
    """
    whole, start, line, size = block.text, 0, block.line, len(block.text) // PIECES
    while start < len(whole):
        end = whole.rfind(b"\n", start, start + size) + 1 or whole.find(b"\n", start) + 1 or len(whole)
        text = whole[start:end]
        n_lines = count_lines(text)
        yield _Block(text, line, Shape(len(text)), block.quoting, n_lines)
        start, line = end, line + n_lines


def _whole(column: "pa.ChunkedArray") -> "pa.Array":
    combined = column.combine_chunks()
    return combined.chunk(0) if hasattr(combined, "chunks") else combined
