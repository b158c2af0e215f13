"""Separated text (CSV, TSV, ``::``, RecBole's atomic files) to batches of columns."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench.data.readers.batches import BadRows, Batch, Place
from recbench.data.readers.layout import Layout, choose_columns
from recbench.data.readers.opening import BLOCK, UNIT_SEPARATOR, WithUnitSeparator, first_line, line_number, opened
from recbench.errors import RecbenchError

SEPARATORS = ("\t", ",", ";", "|", "::")


@dataclass(frozen=True, slots=True)
class DelimitedFormat:
    """What the first line of a file shows.

    Attributes:
        separator: What stands between two columns; of several characters if need be.
        header: Whether the first line names the columns.
        positions: The column of each role, counted from 0.
        columns: The name of the column of each role.
    """

    separator: str
    header: bool
    positions: dict[str, int]
    columns: dict[str, str]


def detect_format(path: Path, layout: Layout) -> DelimitedFormat:
    """Detects the separator, the header and the columns.

    Raises:
        RecbenchError: The file is empty, or its separator or columns cannot be recognised.
    """
    line = first_line(path, layout.member, layout.encoding)
    if not line:
        raise RecbenchError(f"{path} is empty.", "A ratings file has a line for each (user, item) interaction.")
    given = "\t" if layout.separator == "\\t" else layout.separator
    separator = given or max(SEPARATORS, key=lambda s: len(_fields(line, s)))
    fields = _fields(line, separator)
    if len(fields) < 2 and (layout.user is None or layout.user != layout.item):
        raise RecbenchError(
            f"{path} has only one column when split at {separator!r}; its first line is {line[:80]!r}.",
            "Give the separator: --separator.",
        )
    by_position = [name for name in layout.names().values() if name]
    header = not any(_is_number(field) for field in fields) and not (
        by_position and all(name.isdigit() and name not in fields for name in by_position)
    )
    names = fields if header else [str(i + 1) for i in range(len(fields))]
    chosen = choose_columns(path, names, layout)
    return DelimitedFormat(separator, header, {role: names.index(name) for role, name in chosen.items()}, chosen)


def read_delimited(path: Path, layout: Layout, detected: DelimitedFormat, bad: BadRows) -> Iterator[Batch]:
    """Yields the columns as text; every line must have the same number of fields.

    Raises:
        RecbenchError: A line has another number of fields, unless such lines are skipped.
    """
    import pyarrow as pa
    import pyarrow.csv

    columns = {role: f"f{position}" for role, position in detected.positions.items()}
    several = len(detected.separator) > 1

    def too_few_or_many(row: Any) -> str:
        reason = f"Expected {row.expected_columns} columns, got {row.actual_columns}"
        bad.leave_out(path, Place(row.number or 0, f"row {row.number}"), reason)
        return "skip"

    try:
        with opened(path, layout.member) as file:
            source = WithUnitSeparator(file, detected.separator.encode(layout.encoding)) if several else file
            reader = pyarrow.csv.open_csv(
                pa.PythonFile(source, mode="r"),
                pyarrow.csv.ReadOptions(
                    skip_rows=line_number(path, layout.member, 0) if detected.header else 0,
                    autogenerate_column_names=True,
                    use_threads=False,
                    block_size=BLOCK,
                    encoding="utf8" if layout.encoding == "utf-8" else layout.encoding,
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=UNIT_SEPARATOR.decode() if several else detected.separator,
                    invalid_row_handler=too_few_or_many if bad.skip else None,
                ),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(columns.values(), pa.string()),
                    include_columns=list(dict.fromkeys(columns.values())),
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                yield {role: batch.column(name) for role, name in columns.items()}
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            raise RecbenchError(f"{path} has a header and no rows.", "Is the file whole?") from error
        row = re.search(r"Row #(\d+): (.*)", str(error), re.DOTALL)
        where = (
            f"{path}, line {line_number(path, layout.member, int(row[1]) - 1)}: {row[2]}" if row else f"{path}: {error}"
        )
        raise RecbenchError(
            where,
            "Correct the line or the separator; the file may be truncated. To leave such lines out: --skip-bad-rows.",
        ) from error


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator)) if len(separator) == 1 else line.split(separator)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
