"""What is wrong with a command line, before any value is read. The same for all verbs and options."""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from recbench.cli.shared.command_words import Option, Word, list_items, long_spelling, n_values
from recbench.errors import RecbenchError, did_you_mean, shortened, unknown_name

SHOWN: Final = 60
"""So many characters of a wrong value are shown."""

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,400}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?")


def check_known(words: Iterable[Word], spellings: Collection[str], command: str) -> None:
    """Checks that the verb has each option.

    Args:
        words: The command line.
        spellings: The spellings of the verb's options that its help shows.
        command: The command, such as ``recbench run``.

    Raises:
        RecbenchError: The verb has no such option; the message names the nearest.
    """
    for word in words:
        if word.spelling and word.option is None:
            # Without the dashes, which would make all options near.
            bare = [spelling[2:] for spelling in spellings if spelling.startswith("--")]
            near = did_you_mean(word.spelling.lstrip("-"), bare, shown="--{}")
            raise RecbenchError(f"No such option of {command}: {word.spelling}.{near}", f"See: {command} --help")


def check_values(words: Iterable[Word]) -> None:
    """Checks that each option that takes a value has one, and that a flag has none.

    Raises:
        RecbenchError: One has none, a path is empty, a list is empty, or a flag has a value.
    """
    for word in words:
        if word.option is None:
            continue
        if word.option.is_flag:
            if word.value is not None:
                raise RecbenchError(f"{word.spelling} takes no value, not {word.value!r}.", f"Write: {word.spelling}")
            continue
        needed = n_values(word.option)
        if word.value is None or len(word.more) < needed - 1:
            values = f"{needed} values" if needed > 1 else "a value"
            raise RecbenchError(f"{word.spelling} needs {values}.", _explanation(word.option))
        # As a path, it would be the working folder.
        if not word.value and re.search("FILE|FOLDER|PATH", word.option.metavar or ""):
            raise RecbenchError(
                f"{word.spelling} is empty. Check that the shell variable in it is set.", _explanation(word.option)
            )
        if word.option.multiple and not any(list_items(word)):
            raise RecbenchError(f"{word.spelling} {word.value!r} has no item.", _explanation(word.option))


def check_given_once(words: Iterable[Word]) -> None:
    """Checks that no option is given twice, except lists and flags.

    Raises:
        RecbenchError: One is given twice.
    """
    values: dict[str, list[str]] = {}
    for word in words:
        if word.option is not None and not (word.option.is_flag or word.option.multiple):
            values.setdefault(long_spelling(word.option), []).append(word.value or "")
    for spelling, given in values.items():
        if len(given) > 1:
            raise RecbenchError(
                f"{spelling} is given {'twice' if len(given) == 2 else f'{len(given)} times'}: {', '.join(given)}.",
                "Give it only once.",
            )


def check_arguments(words: Sequence[Word], most: int | None, command: str) -> None:
    """Checks that there are not too many arguments. The cause is often a list that is separated by spaces.

    Args:
        words: The command line.
        most: How many arguments the verb takes; None if any number.
        command: The command, such as ``recbench run``.

    Raises:
        RecbenchError: There are too many.
    """
    arguments = [word.value or "" for word in words if not word.spelling]
    if most is None or len(arguments) <= most:
        return
    runs = [list(run) for _, run in groupby(words, key=lambda word: bool(word.spelling))]
    for before, after in pairwise(runs):
        option, following = before[-1], [word.value or "" for word in after]
        if option.option is None or option.option.is_flag:
            continue
        if option.option.multiple:
            spelling, joined = long_spelling(option.option), ",".join([option.value or "", *following])
            raise RecbenchError(
                f"{option.spelling} is followed by {' '.join(following)}.",
                f"Separate its items by commas: {spelling} {joined}",
            )
        raise RecbenchError(
            f"{option.spelling} takes one value, not {' '.join([option.value or '', *following])}.",
            _explanation(option.option),
        )
    takes = "no argument" if not most else "one argument" if most == 1 else f"{most} arguments"
    raise RecbenchError(f"{command} takes {takes}, not {' '.join(arguments)}.", f"See: {command} --help")


def check_choices(words: Iterable[Word], choices: Mapping[str, Sequence[str]]) -> None:
    """Checks the values of options that take one of a few names.

    Args:
        words: The command line.
        choices: The names, by the option's spelling.

    Raises:
        RecbenchError: A value is none of them; the message names the nearest.
    """
    for word in words:
        known = choices.get(long_spelling(word.option), ()) if word.option is not None else ()
        for value in (list_items(word) or [word.value or ""]) if known else ():
            if value not in known:
                raise unknown_name(f"value of {word.spelling}", value, known)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that an option takes.

    Attributes:
        whole: Whether only whole numbers.
        least: The smallest; None for any.
        most: The largest; None for any finite number.
    """

    whole: bool
    least: float | None
    most: float | None

    def holds(self, text: str) -> bool:
        """Whether a text is such a number: ASCII digits, and finite."""
        if not (_WHOLE if self.whole else _NUMBER).fullmatch(text):
            return False
        value = int(text) if self.whole else float(text)
        return (
            math.isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )

    def __str__(self) -> str:
        kind = "whole number" if self.whole else "number"
        if self.least is None:
            return f"a {kind}" if self.most is None else f"a {kind} up to {self.most:,}"
        return f"a {kind} from {self.least:,} {'up' if self.most is None else f'to {self.most:,}'}"


def check_numbers(words: Iterable[Word], numbers: Mapping[str, Numbers]) -> None:
    """Checks the values of options that take a number.

    Args:
        words: The command line.
        numbers: The numbers that the options take, by the option's spelling.

    Raises:
        RecbenchError: A value is not a number or out of range.
    """
    for word in words:
        known = numbers.get(long_spelling(word.option)) if word.option is not None else None
        if known is not None and word.option is not None and not known.holds(word.value or ""):
            value = shortened(word.value or "", SHOWN)
            raise RecbenchError(f"{word.spelling} {value!r} is not {known}.", _explanation(word.option))


def check_required(words: Sequence[Word], arguments: Sequence[str], options: Iterable[Option], command: str) -> None:
    """Checks that nothing is missing that the verb needs.

    Args:
        words: The command line.
        arguments: The arguments that the verb needs, as its help names them.
        options: The options that the verb needs.
        command: The command, such as ``recbench run``.

    Raises:
        RecbenchError: An argument or an option is missing.
    """
    given = sum(not word.spelling for word in words)
    if given < len(arguments):
        raise RecbenchError(f"{command} needs {' and '.join(arguments[given:])}.", f"See: {command} --help")
    spellings = {long_spelling(word.option) for word in words if word.option is not None}
    for option in options:
        if long_spelling(option) not in spellings:
            raise RecbenchError(f"{command} needs {long_spelling(option)}.", _explanation(option))


def _explanation(option: Option) -> str:
    return f"{long_spelling(option)}: {option.help}" if option.help else ""
