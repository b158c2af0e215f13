"""Spellings of options that still work, with a note that names the present one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from recbench.cli.shared.command_words import Option, Word, long_spelling

OLD_SPELLINGS = {
    ("plot", "--against"): "--x-axis",
    ("task build", "--replace"): "--force",
    ("task import ncf", "--negatives"): "--candidates",
    ("task import ncf", "--replace"): "--force",
    ("task import lightgcn", "--replace"): "--force",
    ("task import recbole-benchmark", "--replace"): "--force",
    ("task import recbole-benchmark", "--valid"): "--validation",
    ("task import pairs", "--replace"): "--force",
    ("task import folder", "--replace"): "--force",
}
"""By verb and old spelling. A spelling belongs here only if its verb has no option of that name any more."""

OLD_FLAGS = {
    ("run", "--metrics"): ("--more-metrics", None),
    ("tune", "--plot"): ("--plot", "tuning.png"),
}
"""Options that once took no value, by verb: without a value, they stand for this option with this value."""

OLD_ARGUMENT = "argument"
"""Stands for the spelling of an option that was an argument."""

OLD_ARGUMENTS = {("task export", 1): "--output"}
"""Arguments that are options now, by verb and position from 0."""


def with_old_arguments(verb: str, words: Sequence[Word], options: Mapping[str, Option]) -> list[Word]:
    """Returns the words, with old arguments as the options that they are now."""
    arguments = [word for word in words if not word.spelling]
    present = {
        id(word): options[new]
        for position, word in enumerate(arguments)
        if (new := OLD_ARGUMENTS.get((verb, position))) is not None
    }
    return [
        replace(word, option=present[id(word)], spelling=OLD_ARGUMENT) if id(word) in present else word
        for word in words
    ]


def with_other_number(options: Mapping[str, Option]) -> dict[str, Option]:
    """Returns the spellings of list options in the other number: ``--model`` for ``--models``, and the reverse."""
    lists = {spelling: option for spelling, option in options.items() if option.multiple and spelling.startswith("--")}
    plural = {f"{spelling}s": option for spelling, option in lists.items()}
    singular = {spelling.removesuffix("s"): option for spelling, option in lists.items()}
    return {spelling: option for spelling, option in (plural | singular).items() if spelling not in options}


def with_old_spellings(verb: str, options: Mapping[str, Option]) -> dict[str, Option]:
    """Returns the old spellings of a verb's options.

    Args:
        verb: The words of the verb, such as ``task import ncf``.
        options: Its options by their present spellings.
    """
    return {old: options[new] for (owner, old), new in OLD_SPELLINGS.items() if owner == verb}


def note(verb: str, spelling: str, option: Option) -> str:
    """Returns the note on an old spelling; empty if the spelling is not old."""
    if spelling == OLD_ARGUMENT:
        return f"note: this argument is now the option {long_spelling(option)}"
    return f"note: {spelling} is now {long_spelling(option)}" if (verb, spelling) in OLD_SPELLINGS else ""
