"""The form of separated text (CSV, TSV, ``::``, RecBole's atomic files), as the start of a file shows it."""

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recbench.data.readers.decoding import Head, is_text
from recbench.data.readers.layout import ALIASES, Layout, choose_columns, plain_name
from recbench.data.readers.open_tables import SHOWN, shown
from recbench.data.readers.quoting import (
    Record,
    Table,
    is_number,
    literal_records,
    quoted_records,
)
from recbench.data.time_texts import may_be_time
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word

SEPARATORS: Final = ("\t", ",", ";", "|", "::")
UNIT_SEPARATOR: Final = b"\x1f"
"""Replaces a separator of several bytes, which the fast parser does not accept."""
SAMPLE: Final = 1000
"""So many records at the start show the separator and the number of fields."""
MOST: Final = 0.9
"""The share of the sample that counts as nearly all of it."""
COMMENTS: Final = (b"#", b"%")
SKIP: Final = "To leave such lines out: --skip-bad-rows."


@dataclass(frozen=True, slots=True)
class DelimitedFormat:
    """What the start of a file shows.

    Attributes:
        separator: What stands between two columns; of several characters if need be.
        header: The first line if it names the columns, in UTF-8, else None.
        positions: The column of each role, counted from 0.
        columns: The name of the column of each role.
        table: What the rows are like; its separator is a single byte.
        header_quoted: Whether the header has quoted fields.
        encoding: The encoding of the file.
    """

    separator: str
    header: bytes | None
    positions: dict[str, int]
    columns: dict[str, str]
    table: Table
    header_quoted: bool
    encoding: str


def detect_format(path: Path, layout: Layout, head: Head) -> DelimitedFormat:
    """Detects the separator, the header and the columns by the first records.

    Raises:
        RecbenchError: The file is empty, its separator or columns cannot be recognised, or its header does not belong
            to its rows.
    """
    lines = head.lines()
    if not lines:
        raise RecbenchError(f"{path} is empty.", "A ratings file has a line for each (user, item) interaction.")
    if re.fullmatch(rb'"?sep=.{1,2}"?', lines[0], re.IGNORECASE):
        raise RecbenchError(
            f"{path} begins with {lines[0].decode('utf-8', 'replace')!r}, a note for Excel.",
            f"Remove the first line: tail -n +2 {shell_word(str(path))} > ratings.csv",
        )
    given = "\t" if layout.separator == "\\t" else layout.separator
    if given is not None and (not given or any(mark in given for mark in '"\r\n')):
        raise RecbenchError(f"{given!r} cannot separate columns.", "Name another separator: --separator.")
    samples = {separator: _sample(head, separator) for separator in ((given,) if given else SEPARATORS)}
    separator = max(samples, key=lambda candidate: _fit(samples[candidate]))
    first, *rows = samples[separator]
    fields = [field.decode("utf-8", "replace") for field in first.fields]
    n_fields = len(fields)
    widths = Counter(len(row.fields) for row in rows if row.doubt is None)
    usual, count = widths.most_common(1)[0] if widths else (n_fields, 0)
    if max(n_fields, usual) < 2 and (layout.user is None or layout.user != layout.item):
        start, tried = lines[0].decode("utf-8", "replace"), " or ".join(map(repr, samples))
        raise RecbenchError(
            f"{path} has only one column when split at {tried}; its first line, read as {head.encoding}, is "
            f"{start[:SHOWN]!r}.",
            "Give the separator: --separator ' '. If a line holds a user and all items of that user: --form adjacency."
            if b" " in lines[0].strip()
            else "Give the separator: --separator.",
        )
    header = _is_header(fields, layout)
    if header and b"\r" in first.raw and not first.quoted:
        raise RecbenchError(
            f"{path}, line 1: {carriage_returns(first.raw)}.",
            f"Write the same line end after all lines: tr '\\r' '\\n' < {shell_word(str(path))} > ratings.csv",
        )
    if header and not all(map(is_text, first.fields)):
        raise RecbenchError(f"{path}, line 1: {not_text(head.encoding)}.", ENCODING_ADVICE)
    if header and usual != n_fields and count > 1 and count >= MOST * len(rows):
        raise RecbenchError(
            f"{path}: the header has {n_fields} fields, and the rows have {usual}.",
            _advice_on_header(path, first, [row for row in rows if len(row.fields) == usual]),
        )
    if not header and count > widths[n_fields] + 1:
        n_fields = usual
    names = fields if header else [str(position + 1) for position in range(n_fields)]
    chosen = choose_columns(path, names, layout)
    positions = {role: names.index(name) for role, name in chosen.items()}
    if not header:
        _check_no_times_as_ratings(path, layout, [first, *rows], positions)
    numeric = tuple(position for position in range(n_fields) if _is_numeric(rows, position, n_fields))
    # Ids may be numbers in most rows and names in others.
    values = tuple(positions[role] for role in ("rating", "timestamp") if positions.get(role) in numeric)
    return DelimitedFormat(
        separator,
        first.raw if header else None,
        positions,
        chosen,
        Table(separator_byte(separator), n_fields, values or numeric),
        header and first.quoted,
        head.encoding,
    )


def _check_no_times_as_ratings(
    path: Path, layout: Layout, records: Sequence[Record], positions: Mapping[str, int]
) -> None:
    """Checks that a column is not read as ratings only because it is the third, and holds times.

    Raises:
        RecbenchError: It does.
    """
    position = positions.get("rating")
    if position is None or any(layout.names().values()) or layout.timestamp is not None or layout.predicted:
        return
    fields = [row.fields[position] for row in records if row.doubt is None and position < len(row.fields)]
    texts = [field.decode("utf-8", "replace") for field in fields]
    if texts and sum(map(may_be_time, texts)) >= MOST * len(texts):
        others = "--user-column 1 --item-column 2"
        raise RecbenchError(
            f"{path} has no header, and its column {position + 1} would be read as the ratings, but looks like times: "
            f"{shown(texts[0])}.",
            f"If they are times: {others} --timestamp-column {position + 1}. If they are ratings: {others} "
            f"--rating-column {position + 1}.",
        )


def _advice_on_header(path: Path, header: Record, rows: Sequence[Record]) -> str:
    """Returns what to do about a header that has another number of fields than the rows."""
    if header.raw.startswith(COMMENTS):
        mark = header.raw[:1].decode()
        return f"The first line is a comment. Remove comments: grep -v '^{mark}' {shell_word(str(path))} > ratings.csv"
    if any(b'\\"' in row.raw for row in rows):
        return 'Double the quotation marks within quoted fields ("") instead of a backslash before them.'
    if len(rows[0].fields) != len(header.fields) + 1:
        return "Correct the header or the separator."
    if all(not row.fields[-1].strip() for row in rows):
        return (
            "The rows end with a separator, and the header does not: remove it from the rows, or add it to the header."
        )
    return "Name every column in the header. R writes row names without a name unless row.names = FALSE."


def _sample(head: Head, separator: str) -> list[Record]:
    """Returns the first records, split at a separator."""
    text = head.text if head.whole else head.text[: head.text.rfind(b"\n") + 1] or head.text
    table = Table(separator_byte(separator))
    text = with_separator_byte(text, separator)
    records = list(itertools.islice(quoted_records(text, table, final=head.whole, suspicious=False), SAMPLE))
    if not records or _first_is_alone(records):
        return list(itertools.islice(literal_records(text, table), SAMPLE))
    return records


def _first_is_alone(sample: Sequence[Record]) -> bool:
    """Whether the first record has several lines, and no other record has as many fields.

    Its marks then do not show the number of fields: a stray one may have swallowed lines.
    """
    first, *others = sample
    return first.doubt is None and first.n_lines > 1 and all(len(row.fields) != len(first.fields) for row in others)


def _fit(sample: Sequence[Record]) -> tuple[int, int]:
    """Returns how well a separator splits the sample, and the number of fields.

    2 if most records have as many fields as the first. 1 if nearly all others have another number: the first line may
    be wrong. Else 0.
    """
    widths = [len(record.fields) for record in sample]
    if widths[0] > 1 and widths.count(widths[0]) >= len(widths) / 2:
        return 2, widths[0]
    usual, count = Counter(widths).most_common(1)[0]
    return int(usual > 1 and count >= MOST * len(widths)), max(usual, widths[0])


def _is_header(fields: Sequence[str], layout: Layout) -> bool:
    """Whether the fields of the first record name columns."""
    by_position = [name for name in layout.names().values() if name]
    if by_position and all(name.isdigit() and name not in fields for name in by_position):
        return False
    plain = {plain_name(field) for field in fields}
    named = plain.intersection(ALIASES["user"]) and plain.intersection(ALIASES["item"])
    return bool(named) or not any(is_number(field) for field in fields)


def _is_numeric(rows: Sequence[Record], position: int, n_fields: int) -> bool:
    values = [row.fields[position] for row in rows if row.doubt is None and len(row.fields) == n_fields]
    return bool(values) and sum(map(is_number, values)) >= MOST * len(values)


def separator_byte(separator: str) -> bytes:
    """Returns the byte that separates fields for the parser."""
    encoded = separator.encode("utf-8")
    return encoded if len(encoded) == 1 else UNIT_SEPARATOR


def with_separator_byte(text: bytes, separator: str) -> bytes:
    """Returns the text with the byte that separates fields for the parser in place of the separator."""
    encoded = separator.encode("utf-8")
    return text if len(encoded) == 1 else text.replace(encoded, UNIT_SEPARATOR)


ENCODING_ADVICE: Final = f"Name the encoding of the file, such as: --encoding cp1252 or --encoding latin-1. {SKIP}"


def not_text(encoding: str) -> str:
    """Returns why a line is refused that its encoding cannot decode."""
    return f"it is not valid text in {encoding}"


def carriage_returns(line: bytes) -> str:
    """Returns why a line that holds carriage returns is refused."""
    count = line.count(b"\r")
    return (
        "it contains a carriage return"
        if count == 1
        else f"it holds {count:,} carriage returns, as if they ended lines"
    )
