"""The errors that a user can cause, and help with names that were almost right."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

MOST_TEXT: Final = 2000
"""The longest text of a model that is kept in a record or shown, in characters."""


class RecbenchError(Exception):
    """Bad input, or an environment in which recbench cannot work.

    Raised anywhere, caught once, in the command line, which prints it and exits with 2 (4 for
    ``NothingToCompareError``).

    Args:
        message: What is wrong, and where.
        hint: What to do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class NothingToCompareError(RecbenchError):
    """One side of a comparison, or the history, has no records. The command line ends with 4, so no gate passes."""


class NoBaselineError(NothingToCompareError):
    """Nothing was ever accepted as the baseline that a comparison asks for.

    Args:
        message: See ``RecbenchError``.
        hint: See ``RecbenchError``.
        alternatives: The baselines that exist instead, and what to do, in sentences; empty if there are none.
    """

    def __init__(self, message: str, hint: str = "", alternatives: str = "") -> None:
        super().__init__(message, hint)
        self.alternatives = alternatives


def shortened(text: str, most: int = MOST_TEXT) -> str:
    """Returns a text, or its beginning and its end around the number of characters that are left out.

    >>> shortened("abcdefghij" * 10, 40)
    'abcdefghijabcde[... 70 more ...]fghijabcdefghij'
    """
    if len(text) <= most:
        return text
    kept = max(3 * most // 8, 1)
    return f"{text[:kept]}[... {len(text) - 2 * kept:,} more ...]{text[-kept:]}"


def error_text(error: BaseException) -> str:
    """Returns the message of somebody else's exception, of bounded length; whatever its ``__str__`` does."""
    try:
        return shortened(str(error))
    except BaseException as another:  # noqa: BLE001 - it runs a model's code
        return f"(its message cannot be shown: {type(another).__name__})"


def describe_error(error: BaseException) -> str:
    """Returns the name of somebody else's exception and its message, in bounded length.

    >>> describe_error(ValueError("no users"))
    'ValueError: no users'
    """
    return f"{shortened(type(error).__name__, 200)}: {error_text(error)}"


def problem_text(problem: Mapping[str, Any]) -> str:
    """Returns the sentence of an error that pydantic lists, without its name for what our own validators raise.

    >>> problem_text({"msg": "Value error, low 9 is above high 1"})
    'low 9 is above high 1'
    """
    return str(problem["msg"]).removeprefix("Value error, ")


def did_you_mean(name: str, known: Iterable[str], shown: str = "{}") -> str:
    """Returns a sentence with the nearest names, which starts with a space; empty if no name is near.

    Upper and lower case count as equal.

    Args:
        name: The name that was not found.
        known: The names that exist.
        shown: How to show a name.

    >>> did_you_mean("BPR", ["bpr", "ncf"])
    ' Did you mean: bpr?'
    """
    plain: dict[str, list[str]] = {}
    for known_name in sorted(known):
        plain.setdefault(known_name.lower(), []).append(known_name)
    near = [each for match in difflib.get_close_matches(name.lower(), plain, n=3, cutoff=0.5) for each in plain[match]]
    return f" Did you mean: {', '.join(map(shown.format, near))}?" if near else ""


def unknown_name(kind: str, name: str, known: Iterable[str], hint: str = "") -> RecbenchError:
    """Returns the error for a name that does not exist, with the nearest names that do.

    Args:
        kind: What was looked for, such as ``"model"``.
        name: The name that was not found.
        known: The names that exist.
        hint: A further line of advice.
    """
    available = sorted(known)
    listing = f"Available: {', '.join(available) or 'none'}."
    return RecbenchError(
        f"Unknown {kind} {name!r}.{did_you_mean(name, available)}", "\n".join(filter(None, [listing, hint]))
    )
