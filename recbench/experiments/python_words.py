"""Advice in the words of Python: the harness writes it for the command line, whose options are the arguments here."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from recbench.errors import RecbenchError
from recbench.reports.formats import Format

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

SHORT_OPTIONS: Final = {"o": "output"}
MODEL: Final = "recbench.Model(...)"
"""What ``--param`` is in Python."""
FORCE_OF_RUNS: Final = 'reuse="repeat"'
COLLECT: Final = 'reuse="only"'

COMMAND: Final = r"(?P<command>\b(?:recbench|git|pip|uv|python|pytest|tox) (?:(?!(?<!\.)\. |; |['\n]).)*)"
"""A command of a terminal, up to the end of the sentence: it stays as it is."""
VALUE: Final = r"(?P<value>[A-Z][A-Z-]*\b|\d[\d.]*\b|all\b|[^\s'\"]*[-:/,@][^\s'\"]*[^\s'\".,;:)])"
"""What follows an option and can be its value: a placeholder, a number, or a word that prose does not have."""
OPTION: Final = rf"(?P<with>\bwith )?(?<![\w-])(?:--(?P<name>[a-z][a-z-]*)|-(?P<short>[a-z])\b)(?:[ =]{VALUE})?"
_ADVICE: Final = re.compile(f"{COMMAND}|{OPTION}")


def in_python(text: str, parameters: Mapping[str, inspect.Parameter]) -> str:
    """Returns a text whose options are written as arguments; commands, and lines that name Python, do not change.

    Args:
        text: Advice, such as ``Use --full, or --seeds 3 or more.``
        parameters: The parameters of the function that the advice is about; other options do not change.

    >>> def run(*, full=False, seeds=3, curve=None): ...
    >>> in_python("Use --full, --seeds 3 or more, and --curve all.", inspect.signature(run).parameters)
    'Use full=True, seeds=3 or more, and curve="all".'
    """

    def replaced(match: re.Match[str]) -> str:
        return match[0] if match["command"] else _argument(match, parameters)

    return "\n".join(line if "Python" in line else _ADVICE.sub(replaced, line) for line in text.split("\n"))


def table_in_python(text: str, form: Format) -> str:
    """Returns a table with the arguments of ``recbench.run`` in its advice; documents for programs do not change."""
    if form in (Format.JSON, Format.CSV):
        return text
    # Here, because that module imports the objects that have tables.
    from recbench.experiments.api import run

    return in_python(text, inspect.signature(run).parameters)


def _argument(match: re.Match[str], parameters: Mapping[str, inspect.Parameter]) -> str:
    before, value = match["with"] or "", match["value"]
    after = "" if value is None else f" {value}"
    name = SHORT_OPTIONS.get(match["short"], "") if match["short"] else match["name"].replace("-", "_")
    if name == "param" and "models" in parameters:
        return f"{before}{MODEL}{after}"
    if name in ("force", "collect") and name not in parameters and "reuse" in parameters:
        return f"{before}{FORCE_OF_RUNS if name == 'force' else COLLECT}{after}"
    if name not in parameters:
        return match[0]
    if isinstance(parameters[name].default, bool):
        return f"{before}{name}=True{after}"
    if value is None:
        return f"with the argument {name}" if before else name
    return f"{before}{name}={_literal(name, value)}"


def _literal(name: str, value: str) -> str:
    if re.fullmatch(r"[A-Z-]+|[\d.]+", value):
        return value
    if name == "models":
        return f"[{', '.join(map(_quoted, value.split(',')))}]"
    return _quoted(value)


def _quoted(text: str) -> str:
    return f'"{text}"'


def advising_in_python(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Makes a function whose errors name its arguments, and not the options of the command line."""
    parameters = inspect.signature(function).parameters

    @wraps(function)
    def advising(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except RecbenchError as error:
            _reword(error, parameters)
            raise

    return advising


def _reword(error: RecbenchError, parameters: Mapping[str, Any]) -> None:
    error.message = in_python(error.message, parameters)
    error.hint = in_python(error.hint, parameters)
    error.args = (error.message,)
