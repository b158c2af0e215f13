"""How a file of ratings is laid out: its form, and which of its columns holds what."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word

log = logging.getLogger(__name__)

ALIASES = {
    "user": (
        "user", "user_id", "userid", "user-id", "uid", "username", "customer_id", "visitor_id", "reviewerid",
        "session_id", "customerid", "visitorid", "customer",
    ),
    "item": (
        "item", "item_id", "itemid", "iid", "movie_id", "movieid", "product_id", "asin", "isbn", "sku", "track_id",
        "artistid", "artist_id", "business_id", "productid", "article_id", "book_id", "product",
    ),
    "rating": ("rating", "book-rating", "score", "prediction", "stars", "overall", "weight", "count"),
    "rank": ("rank", "position"),
    "timestamp": ("timestamp", "time", "ts", "unixreviewtime", "unix_time", "date", "datetime"),
}  # fmt: skip
TIME_WORDS = re.compile(r"time|(^|[^a-z])date|(^|_)(at|ts|day)$")
"""What the names of columns of times contain."""
SCORES = ("score", "prediction")
"""The usual names of scores that a model predicted. Where scores are read, they take precedence over other ratings."""
NAMING_HINT = (
    "Name the columns of users and items: --user-column, --item-column. Name the column of scores: --score-column. "
    "Name the columns of ratings and times, if there are any: --rating-column, --timestamp-column. "
    "A column is a name of the header, or 1, 2, ... in a file without a header."
)
"""A verb shows the sentences about options that it has."""


class Form(StrEnum):
    """The kind of a file of ratings."""

    DELIMITED = "delimited"
    """Lines of fields with a separator between: CSV, TSV, RecBole's atomic files, plain pairs."""
    PARQUET = "parquet"
    JSON_LINES = "json-lines"
    """An object a line, as in the Amazon reviews."""
    PYTHON_LINES = "python-lines"
    """A Python literal of a dict a line, as in the Steam reviews."""
    ADJACENCY = "adjacency"
    """A user and all items of that user a line, with blanks between, as in LightGCN's files."""
    COUNTED_LISTS = "counted-lists"
    """A number and so many items a line, as in CiteULike; the user is the line's number, from 0."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table of ratings is laid out; None for what recbench recognises by itself.

    Attributes:
        user: Column of user ids: a header's name, or a position counted from 1.
        item: Column of item ids.
        rating: Column of ratings, or of other strengths such as counts; an empty text for none.
        timestamp: Column of times; an empty text for none.
        separator: The text between two columns.
        form: The kind of file.
        encoding: The encoding of its text.
        member: The file within a zip archive.
        skip_bad_rows: Skip and count unreadable rows instead of raising an error.
        negative: Column of the negatives of the case (user, item), in files of candidates.
        predicted: Whether the ratings are scores that a model predicted.
        ranked: Whether the rows are lists of items; a column of ranks, if there is one, gives their order.
        timestamp_format: The form of the times: their unit since 1970, or a pattern of strptime.
        keep_repeated: Keep all rows of a (user, item) pair, for a rule that counts or adds them.
        any_text: Read texts such as ``nan`` as ids too, in files that recbench wrote.
    """

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    timestamp: str | None = None
    separator: str | None = None
    form: Form | None = None
    encoding: str = "utf-8"
    member: str | None = None
    skip_bad_rows: bool = False
    negative: str | None = None
    predicted: bool = False
    ranked: bool = False
    timestamp_format: str | None = None
    keep_repeated: bool = False
    any_text: bool = False

    def names(self) -> dict[str, str | None]:
        """Returns the column of each role, as text."""
        named = {"user": self.user, "item": self.item, "rating": self.rating, "timestamp": self.timestamp}
        # Labels of a DataFrame may be numbers.
        names = {role: None if name is None else str(name) for role, name in named.items()}
        if self.negative is not None:
            names["negative"] = self.negative
        return {**names, "rank": None} if self.ranked else names


PLAIN = Layout()
"""Everything is recognised from the file."""


def plain_name(name: str) -> str:
    """Returns a column's name without its type (``user_id:token``), in lower case, with underscores for blanks."""
    return name.partition(":")[0].strip().lower().replace(" ", "_")


def choose_columns(source: Path | str, names: Sequence[str], layout: Layout, hint: str = NAMING_HINT) -> dict[str, str]:
    """Returns the column of each role that the table has, and logs the choice.

    Args:
        source: The file, or a name for the DataFrame, for messages.
        names: The table's columns; ``1``, ``2``, ... if it has no header.
        layout: Which columns were named.
        hint: How to name a column, for messages.

    Raises:
        RecbenchError: A named column does not exist, or user or item cannot be recognised, or two columns have the
            same name.
    """
    plain = {plain_name(name): name for name in reversed(names)}
    headless = list(names) == [str(i + 1) for i in range(len(names))]
    aliases = {**ALIASES, "rating": (*SCORES, *ALIASES["rating"])} if layout.predicted else ALIASES
    chosen = {}
    for position, (role, named) in enumerate(layout.names().items()):
        if named == "" and role in ("rating", "timestamp"):
            continue
        if named is not None:
            if named not in names:
                raise RecbenchError(
                    f"{source} has no column {named!r} (for the {role}). Its columns: {', '.join(names)}.",
                    hint,
                )
            chosen[role] = named
        elif headless and position < len(names) and not any(layout.names().values()):
            chosen[role] = names[position]
        elif alias_column := next((plain[alias] for alias in aliases.get(role, ()) if alias in plain), None):
            chosen[role] = alias_column
    missing = [role for role in ("user", "item") if role not in chosen]
    if missing:
        raise RecbenchError(
            f"{source} has no column that can be recognised as the {' or the '.join(missing)}. "
            f"Its columns: {', '.join(names)}.",
            "\n".join(filter(None, [hint, _example(source, names, chosen, missing, layout)])),
        )
    _check_unambiguous(source, names, chosen, layout, hint)
    name = source.name if isinstance(source, Path) else source
    log.info("Columns of %s: %s", name, ", ".join(f"{role} = {column}" for role, column in chosen.items()))
    if layout.timestamp is None and layout.negative is None and not (layout.predicted or layout.ranked):
        _warn_of_times_passed_over(name, names, chosen)
    return chosen


def _example(
    source: Path | str, names: Sequence[str], chosen: Mapping[str, str], missing: Sequence[str], layout: Layout
) -> str:
    """Returns a command, or arguments of Python, that name columns for the missing roles; empty if there are none."""
    free = [name for name in names if name not in chosen.values() and not TIME_WORDS.search(plain_name(name))]
    if len(free) < len(missing):
        return ""
    named = {role: name for role, name in layout.names().items() if name} | dict(zip(missing, free, strict=False))
    if isinstance(source, str):
        return f"For example: {', '.join(f'{role}_column={name!r}' for role, name in named.items())}."
    options: dict[str, str | None] = {f"--{role}-column": name for role, name in named.items()}
    options |= {"--separator": layout.separator, "--form": layout.form, "--member": layout.member}
    options |= {} if layout.encoding == PLAIN.encoding else {"--encoding": layout.encoding}
    words = [f"{option} {shell_word(value)}" for option, value in options.items() if value]
    return f"For example: recbench data info {shell_word(source)} {' '.join(words)}"


def _warn_of_times_passed_over(source: str, names: Sequence[str], chosen: Mapping[str, str]) -> None:
    """Warns if no column is read as the times, and one has a name that speaks of time."""
    if "timestamp" in chosen:
        return
    likely = [name for name in names if TIME_WORDS.search(plain_name(name)) and name not in chosen.values()]
    if likely:
        log.warning(
            "%s: no column is read as the times. %r may hold them: name it with --timestamp-column (Python: "
            "timestamp_column=).",
            source, likely[0],
        )  # fmt: skip


def _check_unambiguous(
    source: Path | str, names: Sequence[str], chosen: Mapping[str, str], layout: Layout, hint: str
) -> None:
    """Checks that no other column could be meant by the chosen names.

    Raises:
        RecbenchError: There is one.
    """
    for role, column in chosen.items():
        if list(names).count(column) > 1:
            positions = [str(position) for position, name in enumerate(names, start=1) if name == column]
            raise RecbenchError(
                f"{source} has more than one column with the name {column!r}, which is the {role}: "
                f"columns {', '.join(positions)}.",
                "Rename or remove all but one of them: every name must occur once.",
            )
        alike = [name for name in names if plain_name(name) == plain_name(column)]
        if len(alike) > 1 and layout.names().get(role) is None:
            raise RecbenchError(f"{source} has more than one column for the {role}: {', '.join(alike)}.", hint)
