"""Which columns a table shows, and the order of its rows: ``--columns`` and ``--sort``."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from recbench.errors import RecbenchError, unknown_name
from recbench.reports.columns import Column, Look
from recbench.reports.screen import Screen
from recbench.reports.view import View

WIDER = 1000
"""What the rank of wider looks is above that of the narrowest ones, where the columns were asked for."""


HEADERS = {
    "interactions/s": "speed", "fit s": "fit", "peak mib": "memory", "s": "seconds",
    **{f"{name} sd": f"{name}-sd" for name in ("split", "users", "seeds", "total")}, "usual se": "usual-se",
    "accepted": "time",
}  # fmt: skip
"""The names of columns whose headers in the wide table, or whose earlier names, differ from them."""


def column_names(texts: Iterable[str], known: Sequence[str], option: str) -> tuple[str, ...]:
    """Returns the names of columns that a user has written; upper and lower case count as equal.

    Args:
        texts: What was written: names, or headers of the wide table.
        known: The names that exist.
        option: Where they were written.

    Raises:
        RecbenchError: A name is unknown, or is written twice.
    """
    names: list[str] = []
    for text in texts:
        name = text.lower()
        name = name if name in known else HEADERS.get(name, name)
        if name not in known:
            raise unknown_name(f"column of {option}", text, known)
        if name in names:
            raise RecbenchError(f"{option} names the column {name!r} twice.", "Name each column once.")
        names.append(name)
    return tuple(names)


def chosen_view(
    columns: Iterable[str] | None,
    sort: str | None,
    known: Sequence[str],
    screen: Screen | None = None,
    options: tuple[str, str] = ("--columns", "--sort"),
) -> View:
    """Returns how to show a table.

    Args:
        columns: The columns that were asked for; None if none were.
        sort: The column to sort by, if one was asked for.
        known: The names of all columns.
        screen: The terminal that plain text has to fit; None for the wide table.
        options: Where columns and sort were written.

    Raises:
        RecbenchError: A column is unknown, or is written twice.
    """
    shown = None if columns is None else column_names(columns, known, options[0])
    (by,) = (None,) if sort is None else column_names([sort], known, options[1])
    return View(shown, by, screen, has_options=True)


def chosen_columns(columns: Sequence[Column], names: Sequence[str] | None) -> list[Column]:
    """Returns the columns of these names in their order; all columns without names.

    Each of them is shown before any is shown wider.
    """
    if names is None:
        return list(columns)
    by_name = {column.name: column for column in columns}
    chosen = [by_name[name] for name in names if name in by_name]
    return [_ranked(column, number) for number, column in enumerate(chosen)]


def sorted_columns(columns: Sequence[Column], name: str | None) -> list[Column]:
    """Returns the columns with their rows in the order of one of them; as they are without a name."""
    by = next((column for column in columns if column.name == name), None)
    if by is None:
        return list(columns)
    keys = by.sort_keys
    known = [number for number, key in enumerate(keys) if key is not None]
    rest = [number for number, key in enumerate(keys) if key is None]
    order = [*sorted(known, key=lambda number: keys[number]), *rest]  # type: ignore[arg-type,return-value]

    def permuted(look: Look) -> Look:
        return replace(look, cells=[look.cells[number] for number in order])

    return [
        replace(
            column,
            wide=tuple(map(permuted, column.wide)),
            narrow=tuple(map(permuted, column.narrow)),
            keys=[column.keys[number] for number in order] if column.keys else (),
        )
        for column in columns
    ]


def _ranked(column: Column, number: int) -> Column:
    last = len(column.narrow) - 1
    narrow = tuple(
        replace(look, rank=number if level == last else number + WIDER) for level, look in enumerate(column.narrow)
    )
    wide = tuple(replace(look, rank=number) for look in column.wide)
    return replace(column, wide=wide, narrow=narrow, only_if_asked=False, only_beside=())
