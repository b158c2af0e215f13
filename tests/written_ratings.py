"""Ratings files written in many dialects and encodings, with the rows that they hold: what a reader must find.

A file is right if every row can be read in one way only. A reader must then find exactly these rows. If something
was broken on purpose, it may also refuse the file; with bad rows skipped, it may leave out the broken row and must find
all others.
"""

import bz2
import gzip
import lzma
import random
from dataclasses import dataclass, field

from recbench.data.readers.layout import Layout

Pair = tuple[str, str]

USERS = ("u1", "7", "007", "Zoë", "日本", "a b", "O'Neil", "1e3", "x-1", "null", "N/A")
ITEMS = ("i1", "12", "B00X", "Ébène", 'TV 42"', "a,b", "a;b", "a|b", "c\td", 'say "hi"', '"Heroes"', "two\nlines", "-3")
SEPARATORS = (",", "\t", ";", "|", "::", " | ")
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp1252",
    "shift_jis",
    "gb18030",
)
PACKERS = {"": lambda content: content, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@dataclass
class WrittenFile:
    """A file and what it holds.

    Attributes:
        name: Its name.
        content: Its bytes.
        layout: How to read it.
        pairs: Its (user, item) pairs, in their order, each once.
        lines: The line of each of them.
        broken: The line that was broken on purpose; None for none.
    """

    name: str
    content: bytes
    layout: Layout
    pairs: list[Pair]
    lines: list[int] = field(default_factory=list)
    broken: int | None = None


def _can_stand(text: str, separator: str, encoding: str, quoted: bool) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    # Without quotes, a mark at the start would be read as one that quotes; a pair of them would be taken off.
    return quoted or not (separator in text or "\n" in text or text.startswith('"'))


def _field(text: str, separator: str, always: bool) -> str:
    if always or separator in text or "\n" in text or text.startswith('"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def written_file(rng: random.Random) -> WrittenFile:
    """Writes a file of separated text."""
    separator, encoding = rng.choice(SEPARATORS), rng.choice(ENCODINGS)
    quoting = rng.choice(("never", "minimal", "always"))
    newline, header = rng.choice(("\n", "\n", "\r\n")), rng.random() < 0.7
    more = rng.randrange(3)
    names = ["user", "item", "rating", "timestamp"][: 2 + more]
    pairs: dict[Pair, int] = {}
    line, text = 1, ""
    if header:
        fields = [_field(name, separator, quoting == "always") for name in names]
        text, line = separator.join(fields) + newline, 2
    n_rows = rng.choice((1, 2, 5, 30, 200))
    allowed = [
        [one for one in ids if _can_stand(one, separator, encoding, quoting != "never")] for ids in (USERS, ITEMS)
    ]
    for number in range(n_rows):
        if rng.random() < 0.03:
            text, line = text + newline, line + 1
        # Without a header the first row must not look like one.
        pair = (rng.choice(allowed[0]), rng.choice(allowed[1]) + rng.choice(("", "", str(number))))
        if not header and number == 0:
            pair = ("1", "2")
        values = [*pair, str(rng.randrange(1, 6)), str(1_400_000_000 + number)][: 2 + more]
        raw = separator.join(_field(value, separator, quoting == "always") for value in values)
        pairs.setdefault(pair, line)
        text += raw + (newline if number < n_rows - 1 or rng.random() < 0.8 else "")
        line += raw.count("\n") + 1
    name, pack = rng.choice([*PACKERS.items(), *[("", PACKERS[""])] * 4])
    layout = Layout(
        separator=separator if separator == " | " or rng.random() < 0.2 else None,
        encoding={"utf-8-sig": "utf-8"}.get(encoding, encoding),
    )
    if not header:
        layout = Layout("1", "2", "3" if more else "", "4" if more > 1 else "", layout.separator, None, layout.encoding)
    return WrittenFile(f"r.csv{name}", pack(text.encode(encoding)), layout, [*pairs], [*pairs.values()])
