"""The base of all verbs: how they read options, and how their help looks. A verb itself only names its options."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from enum import Enum
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.models import OptionInfo

from recbench.cli.shared.command_words import Option, Word, as_click_words, long_spelling, read_words
from recbench.cli.shared.examples import shown_examples, split_examples
from recbench.cli.shared.help_renderer import import_renderer
from recbench.cli.shared.hints import own_sentences
from recbench.cli.shared.old_spellings import OLD_FLAGS, note, with_old_arguments, with_old_spellings, with_other_number
from recbench.cli.shared.option_checks import (
    Numbers,
    check_arguments,
    check_choices,
    check_given_once,
    check_known,
    check_numbers,
    check_required,
    check_values,
)
from recbench.cli.shared.terminal import report_output
from recbench.errors import RecbenchError, did_you_mean
from recbench.garbage import without_collection
from recbench.path_checks import check_working_folder
from recbench.progress.console import write_message
from recbench.unexpected_errors import end_unexpectedly

ONLY_PRINT: Final = frozenset(
    {
        *("list", "compare", "score-file", "history", "doctor", "task list", "task show", "data list", "data info"),
        *("baseline list", "suite report", "suite lint", "suite list", "suite show"),
    }
)
"""The verbs that have no other result than what they print: it must not get lost with exit code 0."""

READ_MANY_RECORDS: Final = frozenset({"compare", "gate", "leaderboard", "plot", "report", "site"})
"""The verbs that read records, print and end. The records stay until then, and to look for garbage takes time."""


class Verb(TyperCommand):
    """A verb.

    - List options accept commas and repetition, and their names in the singular and the plural.
    - Another option that is given twice is an error.
    - Old spellings work, with a note.
    - The examples of its docstring are at the end of its help, one unbroken line each.

    Attributes:
        examples: The commands of its docstring.
    """

    def __init__(self, *args: Any, help: str | None = None, **settings: Any) -> None:  # noqa: A002 - click's name
        prose, self.examples = split_examples(help or "")
        super().__init__(*args, help=prose, **settings)

    @cached_property
    def choices(self) -> Mapping[str, tuple[str, ...]]:
        """The values of options that take one of a few names, by the option's spelling."""
        hints = get_type_hints(inspect.unwrap(self.callback)) if self.callback is not None else {}
        all_choices = {long_spelling(option): _choices(hints.get(name)) for name, option in self._named_options()}
        return {spelling: choices for spelling, choices in all_choices.items() if choices}

    @cached_property
    def numbers(self) -> Mapping[str, Numbers]:
        """The numbers that options take, by the option's spelling."""
        hints = get_type_hints(inspect.unwrap(self.callback), include_extras=True) if self.callback is not None else {}
        ranges = {long_spelling(option): _numbers(hints.get(name)) for name, option in self._named_options()}
        return {spelling: numbers for spelling, numbers in ranges.items() if numbers is not None}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Checks the command line and writes it as click reads it; the completion of a shell is left alone."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        command = ctx.command_path
        # The first word is the program.
        verb = command.partition(" ")[2]
        shown = {spelling: option for option in self._options(ctx) for spelling in option.opts}
        options = with_other_number(shown) | with_old_spellings(verb, shown) | shown
        words = list(read_words(args, options))
        if not any(word.spelling == "--help" for word in words):
            words = _with_notes(verb, with_old_arguments(verb, words, options), options)
            check_known(words, shown, command)
            check_values(words)
            check_given_once(words)
            check_arguments(words, self._most_arguments(), command)
            check_choices(words, self.choices)
            check_numbers(words, self.numbers)
            check_required(words, self._needed_arguments(), self._needed_options(), command)
            args = as_click_words(words)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs the verb; the hint of an error names only options that the verb has."""
        try:
            check_working_folder()
            verb = ctx.command_path.partition(" ")[2]
            collection = without_collection() if verb in READ_MANY_RECORDS else nullcontext()
            with collection, report_output(only_prints=verb in ONLY_PRINT):
                return super().invoke(ctx)
        except (EOFError, BrokenPipeError) as error:
            # Nobody has expected them here; typer would end the program with 1, which is "regressed" of the gate.
            end_unexpectedly(error)
        except RecbenchError as error:
            own = {spelling for option in self._options(ctx) for spelling in option.opts}
            error.hint = own_sentences(error.hint, own, _all_spellings(ctx.find_root().command))
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help, and then the examples, which no renderer may wrap."""
        import_renderer()
        super().format_help(ctx, formatter)
        if self.examples:
            formatter.write(shown_examples(self.examples))

    def _options(self, ctx: Any) -> list[Option]:
        return [parameter for parameter in self.get_params(ctx) if isinstance(parameter, TyperOption)]

    def _named_options(self) -> list[tuple[str, Option]]:
        return [(parameter.name or "", parameter) for parameter in self.params if isinstance(parameter, TyperOption)]

    def _most_arguments(self) -> int | None:
        counts = [parameter.nargs for parameter in self.params if parameter.param_type_name == "argument"]
        return None if -1 in counts else sum(counts)

    def _needed_arguments(self) -> list[str]:
        arguments = [
            parameter for parameter in self.params if parameter.param_type_name == "argument" and parameter.required
        ]
        return [argument.metavar or (argument.name or "").upper() for argument in arguments]

    def _needed_options(self) -> list[Option]:
        return [parameter for parameter in self.params if isinstance(parameter, TyperOption) and parameter.required]


class VerbGroup(TyperGroup):
    """A group of verbs; an unknown verb raises ``RecbenchError`` with the nearest ones."""

    def __init__(self, *args: Any, help: str | None = None, **settings: Any) -> None:  # noqa: A002 - click's name
        prose, self.examples = split_examples(help or "")
        super().__init__(*args, help=prose, **settings)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Checks the options before the verb."""
        if not ctx.resilient_parsing:
            options = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, TyperOption)]
            shown: dict[str, Option] = {spelling: option for option in options for spelling in option.opts}
            # In older versions of typer, --help is no option of this class.
            first = [word for word in list(read_words(args, shown))[:1] if word.spelling != "--help"]
            check_known(first, shown, ctx.command_path)
            check_values(first)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the verb that the command line starts with."""
        if args and not args[0].startswith("-") and args[0] not in self.commands and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            raise RecbenchError(
                f"Unknown command: {ctx.command_path} {args[0]}.{did_you_mean(args[0], known)}",
                f"Available: {', '.join(known)}.\nSee: {ctx.command_path} --help",
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help, and then the examples, which no renderer may wrap."""
        import_renderer()
        super().format_help(ctx, formatter)
        if self.examples:
            formatter.write(shown_examples(self.examples))


class Verbs(typer.Typer):
    """A group whose commands are all of the class ``Verb``.

    Args:
        help: What the verbs are for, with examples as in a verb's docstring.
        cls: The class of the group.
        settings: What ``typer.Typer`` takes.
    """

    def __init__(self, *, help: str, cls: type[VerbGroup] = VerbGroup, **settings: Any) -> None:  # noqa: A002 - typer's name
        super().__init__(help=help, cls=cls, no_args_is_help=True, pretty_exceptions_enable=False, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Returns the decorator that adds a function as a verb."""
        return super().command(name, cls=Verb, **settings)


def _all_spellings(command: Any) -> set[str]:
    own = {spelling for parameter in command.params for spelling in parameter.opts}
    return own.union(*(_all_spellings(below) for below in getattr(command, "commands", {}).values()))


def _with_notes(verb: str, words: list[Word], options: Mapping[str, Option]) -> list[Word]:
    """Replaces flags that take a value now, and prints a note for each old spelling, once."""
    notes, replaced = [], []
    for word in words:
        old = OLD_FLAGS.get((verb, word.spelling))
        if old is not None and word.option is not None and word.value is None:
            present, value = old
            notes.append(f"note: {word.spelling} without a value is now {' '.join(filter(None, old))}")
            replaced.append(replace(word, option=options[present], value=value))
            continue
        if word.option is not None and (text := note(verb, word.spelling, word.option)):
            notes.append(text)
        replaced.append(word)
    if not any(word.spelling == "--quiet" for word in words):
        for text in dict.fromkeys(notes):
            write_message(text, "yellow")
    return replaced


def _numbers(hint: Any) -> Numbers | None:
    """Returns the numbers that a type with typer's settings takes; None if it is not one of numbers."""
    if get_origin(hint) is not Annotated:
        return None
    kind, *settings = get_args(hint)
    kinds = {*(get_args(kind) or (kind,))} - {type(None)}
    if kinds not in ({int}, {float}):
        return None
    option = next((setting for setting in settings if isinstance(setting, OptionInfo)), None)
    return None if option is None else Numbers(kinds == {int}, option.min, option.max)


def _choices(hint: Any) -> tuple[str, ...]:
    """Returns the names that a type is limited to; empty if it is not."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(str(member.value) for member in hint)
    if get_origin(hint) is Literal:
        return tuple(map(str, get_args(hint)))
    if get_origin(hint) in (Union, UnionType, list):
        return next(filter(None, map(_choices, get_args(hint))), ())
    return ()
