"""Files with an object a line, JSON or a Python literal, to batches of columns."""

import ast
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.data.readers.batches import BadRows, Batch, Place
from recbench.data.readers.layout import Layout, choose_columns
from recbench.data.readers.opening import blocks_of_lines, first_line, opened
from recbench.errors import RecbenchError

if TYPE_CHECKING:
    import pyarrow as pa


def read_json_lines(path: Path, layout: Layout, chosen: dict[str, str], bad: BadRows) -> Iterator[Batch]:
    """Yields the columns of a file with a JSON object a line; numbers among the ids are read as their text.

    Raises:
        RecbenchError: A line is not an object, unless such lines are skipped.
    """
    import pyarrow as pa
    import pyarrow.json

    schemas = [_schema(chosen, ids) for ids in (pa.string(), pa.int64())]
    done = 0
    with opened(path, layout.member) as file:
        for block in blocks_of_lines(file):
            batch = None
            # Arrow's parser crashes on a block of nothing but nulls, so a block must begin with an object.
            for schema in schemas if block.lstrip().startswith(b"{") else ():
                try:
                    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
                    table = pyarrow.json.read_json(
                        pa.BufferReader(block), pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                        options,
                    )  # fmt: skip
                    batch = {role: _whole(table.column(name)) for role, name in chosen.items()}
                    break
                except pa.ArrowInvalid:
                    # Ids of another type, or of several, or a line that is not JSON: then line by line.
                    continue
            lines = [line for line in block.splitlines() if line.strip()]
            if batch is None or len(batch["user"]) != len(lines):
                batch = _line_by_line(path, lines, done, chosen, json.loads, bad)
            done += len(lines)
            yield batch


def read_python_lines(path: Path, layout: Layout, chosen: dict[str, str], bad: BadRows) -> Iterator[Batch]:
    """Yields the columns of a file with the literal of a Python dict a line.

    Raises:
        RecbenchError: A line is not such a literal, unless such lines are skipped.
    """
    done = 0
    with opened(path, layout.member) as file:
        for block in blocks_of_lines(file):
            lines = [line for line in block.splitlines() if line.strip()]
            yield _line_by_line(path, lines, done, chosen, ast.literal_eval, bad)
            done += len(lines)


def object_columns(path: Path, layout: Layout, parse: Callable[[Any], Any]) -> dict[str, str]:
    """Returns the name of each role in the objects of a file.

    Raises:
        RecbenchError: The first line is no object, or has no user or item.
    """
    line = first_line(path, layout.member, layout.encoding)
    first = _parsed(line, parse)
    if first is None:
        raise RecbenchError(f"{path}, line 1 is not an object: {line[:80]!r}.", "Every line must hold one object.")
    return choose_columns(path, list(first), layout)


def _schema(chosen: dict[str, str], ids: "pa.DataType") -> "pa.Schema":
    import pyarrow as pa

    # A rating or a time may be a text in one line; the fast reader is for files in which all of them are numbers.
    kinds = {"user": pa.string(), "item": ids, "rating": pa.float64(), "timestamp": pa.int64()}
    return pa.schema([(name, kinds[role]) for role, name in chosen.items()])


def _whole(column: "pa.ChunkedArray") -> "pa.Array":
    combined = column.combine_chunks()
    return combined.chunk(0) if hasattr(combined, "chunks") else combined


def _line_by_line(
    path: Path, lines: Iterable[bytes], done: int, chosen: dict[str, str], parse: Callable[[Any], Any], bad: BadRows
) -> Batch:
    import pyarrow as pa

    values: dict[str, list[str | None]] = {role: [] for role in chosen}
    for number, line in enumerate(lines, start=done + 1):
        row = _parsed(line.decode("utf-8"), parse)
        if row is None:
            if not bad.skip:
                raise RecbenchError(
                    f"{path}, line {number} (blank ones not counted) is not an object: {line[:80]!r}.",
                    "Correct it; the file may be truncated. To leave such lines out: --skip-bad-rows.",
                )
            bad.leave_out(path, Place(number, f"line {number} (blank ones not counted)"), "it is not an object")
            continue
        for role, name in chosen.items():
            value = row.get(name)
            values[role].append(None if value is None else str(value))
    return {role: pa.array(column, pa.string()) for role, column in values.items()}


def _parsed(line: str, parse: Callable[[Any], Any]) -> dict[str, Any] | None:
    try:
        value = parse(line)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, dict) else None
