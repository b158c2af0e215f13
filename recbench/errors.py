"""The errors that a user can cause, and help with names that were almost right."""

import difflib
from collections.abc import Iterable


class RecbenchError(Exception):
    """Bad input, or surroundings that the harness cannot work in.

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
    """A side of a comparison holds no records; the command line exits with 4, so that a gate never passes on it."""


def unknown_name(kind: str, name: str, known: Iterable[str], hint: str = "") -> RecbenchError:
    """Returns the error for a name that does not exist, with the nearest names that do.

    Args:
        kind: What was looked for, such as ``"model"``.
        name: The name that was not found.
        known: The names that exist.
        hint: A further line of advice.
    """
    available = sorted(known)
    plain = {known_name.lower(): known_name for known_name in available}
    near = [plain[one] for one in difflib.get_close_matches(name.lower(), plain, n=3, cutoff=0.5)]
    guess = f" Did you mean: {', '.join(near)}?" if near else ""
    listing = f"Available: {', '.join(available) or 'none'}."
    return RecbenchError(f"Unknown {kind} {name!r}.{guess}", "\n".join(filter(None, [listing, hint])))
