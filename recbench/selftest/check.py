"""A check of the self-test: a function whose result, or whose error, is one line of the report."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, ParamSpec, Self

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check.

    Attributes:
        name: What was checked.
        passed: None if the check does not apply here.
        detail: What was measured; of a failure, what is wrong and where.
        warning: Whether it passed, but found something that is wrong for most models.
    """

    name: str
    passed: bool | None
    detail: str
    warning: bool = False

    @property
    def state(self) -> str:
        """``ok``, ``warning``, ``failed`` or ``skipped``."""
        if self.passed is None:
            return "skipped"
        if not self.passed:
            return "failed"
        return "warning" if self.warning else "ok"

    def shortened(self, most: int) -> Self:
        """Returns the check with at most so many characters of its detail."""
        return self if len(self.detail) <= most else replace(self, detail=f"{self.detail[:most]} ...")


class BrokenError(Exception):
    """A check's rule does not hold; the message is its detail."""


class SuspectError(Exception):
    """A check found what is wrong for most models, but breaks no rule; the message is its detail."""


class NotApplicableError(Exception):
    """A check does not apply here; the message says why."""


class CheckFunction(Generic[P]):
    """A check that can be called or skipped.

    Args:
        name: What it checks.
        function: Returns the detail of success, or raises. Whatever it raises becomes the detail of a failed check, so
            that the other checks run; only interruptions pass.
    """

    def __init__(self, name: str, function: Callable[P, str]) -> None:
        self.name = name
        self._function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Check:
        """Runs the check."""
        try:
            return Check(self.name, True, self._function(*args, **kwargs))
        except NotApplicableError as error:
            return Check(self.name, None, str(error))
        except SuspectError as error:
            return Check(self.name, True, str(error), warning=True)
        except BrokenError as error:
            return Check(self.name, False, str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a check that cannot run has failed
            return Check(self.name, False, f"{type(error).__name__}: {error}")

    def skip(self, reason: str) -> Check:
        """Skips the check."""
        return Check(self.name, None, reason)


def check(name: str) -> Callable[[Callable[P, str]], CheckFunction[P]]:
    """Makes a check of a function that returns the detail of success."""
    return lambda function: CheckFunction(name, function)


def expect(holds: bool, otherwise: str) -> None:
    """Raises ``BrokenError`` unless the rule holds."""
    if not holds:
        raise BrokenError(otherwise)
