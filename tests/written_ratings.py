"""Ratings files written in many dialects, encodings and packings, with the rows that they hold.

An unbroken file can be read in one way only, and a reader must find exactly its rows. A file that was broken in one row
or two may be refused; the message must then name such a row. With bad rows skipped, all other rows must be read.
"""

import bz2
import gzip
import json
import lzma
import random
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from recbench.data.interactions import Interactions
from recbench.data.readers.layout import Form, Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError

Pair = tuple[str, str]

USERS = ("u1", "7", "007", "Zoë", "日本", "a b", "O'Neil", "1e3", "x-1")
ITEMS = ("i1", "12", "B00X", "Ébène", 'TV 42"', "a,b", "a;b", "a|b", "c\td", 'say "hi"', '"Heroes"', "two\nlines", "-3")
SEPARATORS = (",", "\t", ";", "|", "::", " | ")
ENCODINGS = (
    *("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"),
    *("latin-1", "cp1252", "shift_jis", "gb18030"),
)


def _zstandard(content: bytes) -> bytes:
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as file:
        file.write(content)
    packed: bytes = target.getvalue().to_pybytes()
    return packed


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": _zstandard}


@dataclass(frozen=True)
class WrittenFile:
    """A file and what it holds.

    Attributes:
        name: Its name.
        content: Its bytes.
        layout: How to read it.
        pairs: The (user, item) pair of each row that was not broken, in their order.
        broken: The lines that were broken.
    """

    name: str
    content: bytes
    layout: Layout
    pairs: list[Pair]
    broken: frozenset[int] = frozenset()


@dataclass
class _Rows:
    """The text of a file while it is written: each row, or blank line, as it stands there."""

    texts: list[str] = field(default_factory=list)
    pairs: list[Pair | None] = field(default_factory=list)

    def add(self, text: str, pair: Pair | None = None) -> None:
        self.texts.append(text)
        self.pairs.append(pair)


def written_file(rng: random.Random, *, broken: bool = False) -> WrittenFile:
    """Writes a file of any form; breaks it in one row or two if asked to, which only files of separated text can be."""
    encoding = rng.choice(("utf-8", "latin-1") if broken else ENCODINGS)
    kind = rng.choice((_separated, _separated, _separated, *(() if broken else (_json, _adjacency))))
    rows, layout = kind(rng, encoding)
    newline, lines = rng.choice(("\n", "\n", "\r\n")), set[int]()
    if broken:
        layout, lines = replace(layout), _break(rng, rows, layout.separator or ",")
    content = newline.join(rows.texts) + (newline if rng.random() < 0.8 else "")
    packed = content.encode(encoding, "surrogateescape")
    name = "r.csv"
    if rng.random() < 0.3:
        suffix, pack = rng.choice([*PACKERS.items()])
        name, packed = name + suffix, pack(packed)
    layout = replace(layout, encoding={"utf-8-sig": "utf-8"}.get(encoding, encoding))
    return WrittenFile(name, packed, layout, [pair for pair in rows.pairs if pair is not None], frozenset(lines))


def _allowed(ids: tuple[str, ...], encoding: str, forbidden: str = "") -> list[str]:
    return [text for text in ids if _encodable(text, encoding) and not any(mark in text for mark in forbidden)]


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _quoted(text: str, separator: str, always: bool) -> str:
    if always or separator in text or "\n" in text or text.startswith('"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _separated(rng: random.Random, encoding: str) -> tuple[_Rows, Layout]:
    separator, quoting, header = rng.choice(SEPARATORS), rng.choice(("never", "minimal", "always")), rng.random() < 0.7
    n_columns = rng.choice((2, 3, 4))

    def line(values: list[str]) -> str:
        return separator.join(_quoted(value, separator, quoting == "always") for value in values[:n_columns])

    # Without quotes, a mark at the start of a field would quote.
    items = [text for text in _allowed(ITEMS, encoding) if quoting != "never" or line([text]) == text]
    users, rows = _allowed(USERS, encoding), _Rows()
    if header:
        rows.add(line(["user", "item", "rating", "timestamp"]))
    for number in range(rng.choice((1, 2, 5, 30, 200))):
        if rng.random() < 0.03:
            rows.add("")
        pair = (rng.choice(users), rng.choice(items) + rng.choice(("", "", str(number))))
        if not header and number == 0:
            # The first row of a file without a header must not look like one.
            pair = ("1", "2")
        rows.add(line([*pair, str(rng.randrange(1, 6)), str(1_400_000_000 + number)]), pair)
    named = separator if separator == " | " or rng.random() < 0.2 else None
    roles = ("1", "2", "3" if n_columns > 2 else "", "4" if n_columns > 3 else "") if not header else ()
    return rows, replace(Layout(*roles), separator=named)


def _json(rng: random.Random, encoding: str) -> tuple[_Rows, Layout]:
    rows, ascii_only = _Rows(), rng.random() < 0.5
    users, items = ((_allowed(ids, "utf-8" if ascii_only else encoding)) for ids in (USERS, ITEMS))
    for number in range(rng.choice((1, 3, 50))):
        pair = (rng.choice(users), rng.choice(items))
        values = {"user": pair[0], "item": pair[1], "rating": rng.randrange(1, 6), "timestamp": 1_400_000_000 + number}
        rows.add(json.dumps(values, ensure_ascii=ascii_only), pair)
        if rng.random() < 0.03:
            rows.add("")
    return rows, Layout()


def _adjacency(rng: random.Random, encoding: str) -> tuple[_Rows, Layout]:
    rows = _Rows()
    users, items = (_allowed(ids, encoding, " \t\n") for ids in (USERS, ITEMS))
    for user in rng.sample(users, rng.randrange(1, len(users))):
        own = rng.sample(items, rng.randrange(1, len(items)))
        rows.texts.append(" ".join([user, *own]))
        rows.pairs += [(user, item) for item in own]
    return rows, Layout(form=Form.ADJACENCY)


def _break(rng: random.Random, rows: _Rows, separator: str) -> set[int]:
    """Breaks a row or two; returns their lines."""
    valid_indices = [place for place, pair in enumerate(rows.pairs) if pair is not None]
    broken = []
    # Of three rows, nobody can tell which one is wrong.
    for place in rng.sample(valid_indices, rng.choice((1, 1, 2)) if len(valid_indices) > 3 else 0):
        text = rows.texts[place]
        within = text.replace(separator, "\udcff" + separator, 1)
        changes = [text + separator + "more", text.rpartition(separator)[0], text + "\0", within, rows.texts[0]]
        # Among texts alone, a swallowed row may look like a line of a longer text.
        if "14000" in text:
            changes += ['"' + text, text.replace(separator, separator + '"', 1)]
        rows.texts[place] = rng.choice(changes)
        if rows.texts[place] != text:
            rows.pairs[place] = None
            broken.append(place)
    lines: set[int] = set()
    for place in broken:
        first = 1 + sum(before.count("\n") + 1 for before in rows.texts[:place])
        lines |= set(range(first, first + rows.texts[place].count("\n") + 1))
    return lines


def check_reading(written: WrittenFile, folder: Path) -> str:
    """Reads a file and compares the rows; returns ``read`` or ``refused``.

    Raises:
        AssertionError: Rows are missing, or are others; or an unbroken file is refused; or another line is named.
    """
    path = folder / written.name
    path.write_bytes(written.content)
    pairs, error = _read(path, written.layout)
    if error is not None:
        if not written.broken:
            raise AssertionError(f"refused: {error}")
        named = re.search(r", line (\d+)", error.message)
        if named is not None and int(named[1]) not in written.broken:
            raise AssertionError(f"lines {sorted(written.broken)} are broken, but: {error}")
        pairs, _ = _read(path, replace(written.layout, skip_bad_rows=True))
    expected = list(dict.fromkeys(written.pairs))
    if not written.broken:
        assert pairs == expected
    # Nothing may be left, or the header may not fit.
    elif pairs or len(expected) > len(written.broken):
        missing = Counter(expected) - Counter(pairs)
        assert not missing
        assert len(pairs) - len(expected) <= 2 * len(written.broken)
    return "read" if error is None else "refused"


def _read(path: Path, layout: Layout) -> tuple[list[Pair], RecbenchError | None]:
    try:
        return pairs_of(read_interactions(path, layout)), None
    except RecbenchError as error:
        return [], error


def pairs_of(interactions: Interactions) -> list[Pair]:
    """Returns the (user, item) pairs, in the order of the rows."""
    users, items = list(interactions.user_ids), list(interactions.item_ids)
    return [(users[u], items[i]) for u, i in zip(interactions.users, interactions.items, strict=True)]
