"""The words of a command line: which of them are options, values and arguments. The same for all verbs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Protocol

from recbench.registry.model_entries import split_assignments, split_entries


class Option(Protocol):
    """What is needed of an option of click, which typer holds a copy of in some versions."""

    opts: list[str]
    is_flag: bool
    multiple: bool
    metavar: str | None
    help: str | None


BETWEEN_VALUES: Final = "\n"
"""What stands between the values of an option that takes several: typer knows no list of pairs."""


def n_values(option: Option) -> int:
    """Returns how many values an option takes each time: as many as its metavar has words."""
    return len((option.metavar or "").split()) or 1


@dataclass(frozen=True, slots=True)
class Word:
    """An option with its value, or an argument.

    Attributes:
        option: The option; None for an argument, and for an option that the verb does not have.
        spelling: The option as it was typed; empty for an argument.
        value: The value or the argument; None if there is none.
        more: The further values of an option that takes several.
    """

    option: Option | None
    spelling: str
    value: str | None
    more: tuple[str, ...] = ()


def long_spelling(option: Option) -> str:
    """Returns the spelling that the help shows, without short forms."""
    return max(option.opts, key=len)


def read_words(words: Sequence[str], options: Mapping[str, Option]) -> Iterator[Word]:
    """Yields the options and arguments of a verb, as click reads them.

    An option whose value is missing, because the command line ends or another option follows, has the value None.

    Args:
        words: The command line after the verb.
        options: The verb's options by all their spellings.
    """
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            yield from (Word(None, "", argument) for argument in rest)
            return
        spelling, equals, value = word.partition("=")
        short = options.get(word[:2]) if not word.startswith("--") else None
        if spelling in options:
            option = options[spelling]
            if not equals and (option.is_flag or not rest or rest[0].partition("=")[0] in options):
                yield Word(option, spelling, None)
                continue
            first = value if equals else rest.pop(0)
            more = list(takewhile(lambda text: text.partition("=")[0] not in options, rest[: n_values(option) - 1]))
            del rest[: len(more)]
            yield Word(option, spelling, first, tuple(more))
        elif short is not None and len(word) > 2:
            yield Word(short, word[:2], word[2:])
        elif word.startswith("-") and len(word) > 1:
            yield Word(None, spelling, value if equals else None)
        else:
            yield Word(None, "", word)


def list_items(word: Word) -> list[str]:
    """Returns the items of a list option's value: they are separated by commas outside square brackets."""
    if word.option is None or not word.option.multiple or word.value is None:
        return []
    if word.more:
        return [BETWEEN_VALUES.join([word.value, *word.more])]
    split = split_assignments if long_spelling(word.option) == "--param" else split_entries
    return split(word.value)


def as_click_words(words: Sequence[Word]) -> list[str]:
    """Returns the command line that click reads: one spelling of each option, and a list option once per item."""
    options: list[str] = []
    for word in words:
        if word.option is None:
            continue
        spelling = long_spelling(word.option)
        if word.option.is_flag:
            options.append(spelling if word.value is None else f"{spelling}={word.value}")
        elif word.option.multiple:
            options += [piece for item in list_items(word) for piece in (spelling, item)]
        else:
            options += [spelling, word.value or ""]
    arguments = [word.value or "" for word in words if not word.spelling]
    return [*options, "--", *arguments] if arguments else options
