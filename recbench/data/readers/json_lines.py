"""Files with an object a line, JSON or a Python literal, to batches of columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from recbench.data.readers.bad_rows import BadRows
from recbench.data.readers.decoding import Head, TextSource, blocks_of_lines, is_text
from recbench.data.readers.id_columns import NotAnIdError, id_text
from recbench.data.readers.layout import Form, Layout, choose_columns
from recbench.data.readers.line_numbers import LineNumbers, at_line
from recbench.data.readers.literals import NotALiteralError, parse_json, parse_python
from recbench.data.readers.open_tables import SHOWN, Batch
from recbench.errors import RecbenchError

if TYPE_CHECKING:
    import pyarrow as pa

NO_OBJECT: Final = "is not an object"
NOT_TEXT: Final = "is not valid text in the encoding of the file"
IDS: Final = ("user", "item", "negative")
ONE_A_LINE: Final = 'Write one object a line: {} FILE > ratings.jsonl. In pandas: frame.to_json("ratings.jsonl", \
orient="records", lines=True)'


class _RepeatedError(Exception):
    """An object has a name twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise _RepeatedError("a name occurs twice")
    return values


def _parse_json(text: str) -> Any:
    return parse_json(text, _once)


PARSERS: Final[dict[Form, Callable[[str], Any]]] = {
    Form.JSON_LINES: _parse_json,
    Form.PYTHON_LINES: parse_python,
}


def object_columns(path: Path, layout: Layout, form: Form, head: Head) -> dict[str, str]:
    """Returns the name of each role in the objects at the start of a file; a name need not occur in all of them.

    Raises:
        RecbenchError: The first line is no object, or the objects have no user or item.
    """
    lines = head.lines()
    if not lines:
        raise RecbenchError(f"{path} is empty.", "A ratings file has a line for each (user, item) interaction.")
    first = _object(lines[0], PARSERS[form])
    if isinstance(first, str):
        start = lines[0].decode("utf-8", "replace")[:SHOWN]
        if first == NO_OBJECT and lines[0].lstrip().startswith((b"[", b"{")) and form is Form.JSON_LINES:
            command = "jq -c '.[]'" if lines[0].lstrip().startswith(b"[") else "jq -c ."
            raise RecbenchError(
                f"{path} holds JSON, but not an object a line: line 1 {first} ({start!r}).",
                ONE_A_LINE.format(command),
            )
        raise RecbenchError(f"{path}, line 1 {first}: {start!r}.", "Every line must hold one object.")
    names = dict.fromkeys(first)
    for line in lines[1:SAMPLE]:
        row = _object(line, PARSERS[form])
        names |= dict.fromkeys(row if isinstance(row, dict) else ())
    return choose_columns(path, list(names), layout)


SAMPLE: Final = 1000
"""So many objects at the start show the names."""


@dataclass(frozen=True, slots=True)
class ObjectReader:
    """Reads a file with an object a line.

    Attributes:
        source: The file.
        form: The form of the objects.
        columns: The name of each role.
        bad: Whether to leave out lines that cannot be read; counts them.
        lines: Is told the lines of the rows.
    """

    source: TextSource
    form: Form
    columns: dict[str, str]
    bad: BadRows
    lines: LineNumbers

    def batches(self) -> Iterator[Batch]:
        """Yields the columns; numbers among the ids are read as their text.

        Raises:
            RecbenchError: A line is not an object, or an id is none, unless such lines are skipped.
        """
        first_line = 1
        for block in blocks_of_lines(self.source):
            batch = self._fast(block, first_line) if self.form is Form.JSON_LINES else None
            if batch is None:
                batch = self._line_by_line(block, first_line)
            first_line += block.count(b"\n")
            if len(batch["user"]):
                yield batch

    def _fast(self, block: bytes, first_line: int) -> Batch | None:
        """Returns the columns of a block; None if the fast parser cannot read it, or would not see what is wrong."""
        import pyarrow as pa
        import pyarrow.json

        # Arrow's parser crashes on a block of nothing but nulls, so a block must begin with an object.
        if not block.lstrip().startswith(b"{") or b"\\u0000" in block or b"\\ud" in block or b"\\uD" in block:
            return None
        if not block.isascii() and not is_text(block):
            return None
        for schema in [_schema(self.columns, ids) for ids in (pa.string(), pa.int64())]:
            try:
                options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
                table = pyarrow.json.read_json(
                    pa.BufferReader(block), pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                    options,
                )  # fmt: skip
            except pa.ArrowInvalid:
                # Ids of another type, or of several, or a line that is not JSON: then line by line.
                continue
            n_lines = block.count(b"\n") + (not block.endswith(b"\n"))
            if table.num_rows != n_lines:
                return None
            self.lines.add(n_lines, lambda row: first_line + row)
            return {role: _whole(table.column(name)) for role, name in self.columns.items()}
        return None

    def _line_by_line(self, block: bytes, first_line: int) -> Batch:
        import pyarrow as pa

        values: dict[str, list[str | None]] = {role: [] for role in self.columns}
        numbers = []
        for number, line in enumerate(block.split(b"\n"), start=first_line):
            if not line.strip():
                continue
            row = self._row(line)
            if isinstance(row, str):
                if not self.bad.skip:
                    shown = line[:SHOWN].decode("utf-8", "backslashreplace")
                    advice = "Name the encoding: --encoding." if row == NOT_TEXT else "The file may be truncated."
                    raise RecbenchError(
                        f"{self.source.path}, line {number} {row}: {shown!r}.",
                        f"Correct the line. {advice} To leave such lines out: --skip-bad-rows.",
                    )
                self.bad.leave_out(self.source.path, at_line(number), f"it {row}")
                continue
            numbers.append(number)
            for role, value in row.items():
                values[role].append(value)
        lines = np.array(numbers, dtype=np.int64)
        self.lines.add(len(lines), lambda row: int(lines[row]))
        return {role: pa.array(column, pa.string()) for role, column in values.items()}

    def _row(self, line: bytes) -> dict[str, str | None] | str:
        """Returns the values of a line as text, or why it cannot be read."""
        row = _object(line, PARSERS[self.form])
        if isinstance(row, str):
            return row
        values = {}
        for role, name in self.columns.items():
            value = row.get(name)
            try:
                # A list as a rating is refused like any other text that is no number.
                values[role] = id_text(value if role in IDS or isinstance(value, str) else _plain(value))
            except NotAnIdError as error:
                return f"has {error} as the {role}"
        return values


def _object(line: bytes, parse: Callable[[str], Any]) -> dict[str, Any] | str:
    """Returns the object of a line, or why there is none."""
    try:
        value = parse(line.decode("utf-8").strip())
    except UnicodeDecodeError:
        return NOT_TEXT
    except _RepeatedError:
        return "is an object in which a name occurs twice"
    except NotALiteralError:
        return NO_OBJECT
    return value if isinstance(value, dict) else NO_OBJECT


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _schema(columns: dict[str, str], ids: "pa.DataType") -> "pa.Schema":
    import pyarrow as pa

    # A rating or a time may be a text in one line; the fast reader is for files in which all of them are numbers.
    kinds = {"rating": pa.float64(), "timestamp": pa.int64(), "item": ids}
    return pa.schema([(name, kinds.get(role, pa.string())) for role, name in columns.items()])


def _whole(column: "pa.ChunkedArray") -> "pa.Array":
    combined = column.combine_chunks()
    return combined.chunk(0) if hasattr(combined, "chunks") else combined
