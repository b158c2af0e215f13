"""Commands of a GitHub workflow, which are lines of its log."""

from typing import Literal

from recbench.escaping.terminal import one_line

Level = Literal["error", "warning", "notice"]

_OF_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_OF_PROPERTY = {**_OF_DATA, ":": "%3A", ",": "%2C"}


def annotation(level: Level, title: str, lines: list[str]) -> str:
    """Returns the command that makes an annotation. Neither title nor message can end it or begin another command.

    Args:
        level: How GitHub shows it.
        title: One line.
        lines: The message.

    >>> annotation("error", "a:b, 5 %", ["x::y", "z"])
    '::error title=a%3Ab%2C 5 %25::x::y%0Az'
    """
    message = "\n".join(map(one_line, lines))
    return f"::{level} title={_escaped(one_line(title), _OF_PROPERTY)}::{_escaped(message, _OF_DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
