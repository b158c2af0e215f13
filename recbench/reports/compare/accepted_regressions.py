"""Regressions that somebody has declared as intended, each with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recbench.errors import RecbenchError, shortened
from recbench.records.target import Target, parse_target
from recbench.reports.compare.comparison import Compared

MOST_REASON = 300
"""Characters of a reason that a report shows."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A declaration that a regression is intended.

    Attributes:
        target: What may regress.
        reason: Why.
        source: Where it was declared, such as ``--allow``.
    """

    target: Target
    reason: str
    source: str

    @property
    def explanation(self) -> str:
        """The reason on one line, and where it was declared."""
        return f"{shortened(' '.join(self.reason.split()), MOST_REASON)} ({self.source})"


@dataclass(frozen=True, slots=True, eq=False)
class AcceptedRegression:
    """A regression that an allowance covers.

    Attributes:
        model: The model.
        metric: The measure, such as ``hr@10``, or ``throughput``.
        line: The regression, with its figures.
        allowance: The declaration.
    """

    model: Compared
    metric: str
    line: str
    allowance: Allowance


def read_allowances(texts: Iterable[tuple[str, str]], source: str) -> list[Allowance]:
    """Reads pairs of ``MODEL:METRIC`` and a reason.

    Raises:
        RecbenchError: A target cannot be read, or a reason is empty.
    """
    allowances = []
    for target, reason in texts:
        if not reason.strip():
            raise RecbenchError(
                f"The accepted regression {target} in {source} has no reason.",
                'Give the reason, for example: --allow bpr:hr "half the memory"',
            )
        allowances.append(Allowance(parse_target(target), reason, source))
    return allowances


def allowance_for(model: Compared, metric: str, allowances: Sequence[Allowance], k: int) -> Allowance | None:
    """Returns the first allowance that covers a metric of a model; None if there is none."""
    return next((allowance for allowance in allowances if allowance.target.covers(model.names, metric, k)), None)
