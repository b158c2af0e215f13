"""Ids that differ and may name the same thing: ``39`` and ``39.0``, ``u1`` and ``b'u1'``, a name with a blank."""

import logging
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

log = logging.getLogger(__name__)

INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
"""Characters without a width that ``str.strip`` does not take for blanks."""
MAX_DIGITS = 30
"""Numbers of more digits are not written out."""
_BYTES = re.compile(r"""b(['"])(.*)\1""", re.DOTALL)
_QUOTED = re.compile(r"""(['"])(.*)\1""", re.DOTALL)
_DECIMAL = re.compile(r"[+-]?\d+\.0*|\d(?:\.\d+)?[eE]\+?\d+")
_ZEROS = re.compile(r"([+-]?)0+(?=\d)")
_PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]*")
_PLAIN_NAME = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*")


def _without_blanks(text: str) -> str:
    return text.strip().strip(INVISIBLE).strip()


def _without_bytes(text: str) -> str:
    return match[2] if (match := _BYTES.fullmatch(text)) else text


def _without_quotes(text: str) -> str:
    return match[2] if (match := _QUOTED.fullmatch(text)) else text


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _whole_number(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if number.adjusted() >= MAX_DIGITS or number != number.to_integral_value():
        return text
    return str(int(number))


def _without_zeros(text: str) -> str:
    return _ZEROS.sub(r"\1", text, count=1) if _ZEROS.match(text) else text


FORMS: dict[str, Callable[[str], str]] = {
    "blanks or invisible characters around them": _without_blanks,
    "the form of bytes (b'...')": _without_bytes,
    "quotation marks": _without_quotes,
    "the form of Unicode characters": _composed,
    "the form of numbers (7.0 for 7)": _whole_number,
    "leading zeros": _without_zeros,
    "upper and lower case": str.casefold,
}
"""Ways to write the same id, and what undoes each; they are undone in this order."""


def plain(text: str) -> str:
    """Returns the form that ids have in common if they may name the same thing.

    >>> [plain(text) for text in ("39", " 39.0", "b'U1'", "0039", "3.9e+01")]
    ['39', '39', 'u1', '39', '39']
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    if _PLAIN_NAME.fullmatch(text):
        return text.lower()
    for undo in FORMS.values():
        text = undo(text)
    return text


def difference(first: str, second: str) -> str:
    """Returns how two ids of one plain form differ: the last of ``FORMS`` that has to be undone."""
    for name, undo in FORMS.items():
        first, second = undo(first), undo(second)
        if first == second:
            return name
    raise ValueError("the ids have no plain form in common")


@dataclass(frozen=True, slots=True)
class SameThing:
    """Ids that differ only in how they are written.

    Attributes:
        count: How many ids are written in another form than an id before them.
        difference: How the first of them differs.
        first: An id.
        second: The first id that may name the same thing.
    """

    count: int
    difference: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first!r} and {self.second!r}, which differ only by {self.difference}"


def same_things(ids: Iterable[str]) -> list[SameThing]:
    """Finds ids that may name the same thing, one entry for each kind of difference."""
    known: dict[str, str] = {}
    things: dict[str, SameThing] = {}
    for text in ids:
        if (other := known.setdefault(plain(text), text)) != text:
            kind = difference(other, text)
            before = things.get(kind)
            things[kind] = SameThing(before.count + 1, kind, before.first, before.second) if before else SameThing(
                1, kind, other, text
            )  # fmt: skip
    return list(things.values())


def other_forms(ids: Iterable[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yields the ids that are not known, but are in another form, each with that form."""
    forms = {plain(text): text for text in known}
    exact = set(known)
    for text in ids:
        if text not in exact and (other := forms.get(plain(text))) is not None:
            yield text, other


def warn_of_same_things(name: str, kind: str, ids: Iterable[str]) -> None:
    """Warns of ids that may name the same thing.

    Args:
        name: The task or table, for the message.
        kind: ``user`` or ``item``.
        ids: All ids, each once.
    """
    for same in same_things(ids):
        log.warning(
            "%s: %ss that may have several ids: %s, such as %s. Each id counts as its own %s; write them in one form.",
            name, kind, f"{same.count:,}", same, kind,
        )  # fmt: skip
