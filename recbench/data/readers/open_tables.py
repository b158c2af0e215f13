"""Tables of ratings that are being read, and how messages name their rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 80
"""Characters of a value or a line that a message shows."""
SKIP = "To leave such rows out: --skip-bad-rows."

Batch = dict[str, "pa.Array"]
"""The columns of some rows by their role; texts or plain values."""


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a row in its file.

    Attributes:
        number: What orders the rows of a file: a line, or a row.
        text: The position in words, for messages.
    """

    number: int
    text: str


Where = Callable[[int], Place]
"""Finds the position of a row, by its number from 0 among the rows of all batches that have been read."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What the reader of an error message can do.

    Attributes:
        incomplete: About missing values.
        wrong: About values of the wrong kind.
        empty: About a table without rows.
        times: How to name the form of times; ``{}`` stands for an example.
    """

    incomplete: str
    wrong: str
    empty: str
    times: str


FILE_ADVICE = Advice(
    incomplete=f"Complete or remove these rows; the file may be truncated. {SKIP}",
    wrong=f"Correct the file, or name another column. {SKIP}",
    empty="The file may be truncated: copy or download it again.",
    times='Name the form of the times, such as --timestamp-format "{}".',
)


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A table of ratings that is being read: a file or a DataFrame.

    Attributes:
        source: The file, or a name for the DataFrame, for messages.
        batches: Its columns; every batch has the same ones.
        where: Describes the position of a row, for messages.
        advice: What an error message advises.
        guesses: What recbench recognised by itself, such as ``separator ','``.
        packings: How the file is packed; part of the guesses.
        typed: Whether the format tells a missing value, a list or an object from its text, as JSON does.
        names: Names of columns, in lower case, that are no user and no item of a row; for text with a line of them.
    """

    source: Path | str
    batches: Iterable[Batch]
    where: Where
    advice: Advice = FILE_ADVICE
    guesses: tuple[str, ...] = ()
    packings: tuple[str, ...] = ()
    typed: bool = False
    names: frozenset[str] = frozenset()

    @property
    def layout(self) -> tuple[str, ...]:
        """The guesses about the content: files of one table may be packed in several ways."""
        return tuple(guess for guess in self.guesses if guess not in self.packings)

    @property
    def short_name(self) -> str:
        """The name of a file without its folder, for the log."""
        return short_name(self.source)


def short_name(source: Path | str) -> str:
    """Returns the name of a file without its folder, or that of a DataFrame."""
    return source.name if isinstance(source, Path) else source


def shown(value: object) -> str:
    """Returns the text of a value for a message, shortened."""
    text = str(value)
    return repr(text) if len(text) <= SHOWN else f"{text[:SHOWN]!r}..."
