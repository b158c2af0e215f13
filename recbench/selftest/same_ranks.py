"""Comparison of ranks that must be equal, and selections of cases and ranks."""

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import Ranks
from recbench.selftest.check import expect
from recbench.tasks.task import Cases

IntArray = npt.NDArray[np.intp]


def same_ranks(expected: Ranks, actual: Ranks) -> str:
    """Checks that no rank differs; returns the number of cases, and of cases with ties."""
    moved = np.zeros(len(expected), dtype=np.bool_)
    for name in ("users", "n_others", "better", "tied"):
        moved |= getattr(expected, name) != getattr(actual, name)
    case = int(moved.argmax())
    expect(
        not moved.any(),
        f"{int(moved.sum()):,} of {len(moved):,} cases moved; case {case} had {expected.better[case]} above its "
        f"positive and {expected.tied[case]} tied, and now {actual.better[case]} and {actual.tied[case]}",
    )
    return f"{len(expected):,} cases, {int((expected.tied > 0).sum()):,} of them with ties"


def take_cases(cases: Cases, rows: IntArray) -> Cases:
    """Returns the cases at ``rows``, in that order."""
    return Cases(cases.users[rows], cases.items[rows], cases.negatives[rows])


def take_ranks(ranks: Ranks, rows: IntArray) -> Ranks:
    """Returns the ranks at ``rows``, in that order."""
    return Ranks(ranks.users[rows], ranks.n_others[rows], ranks.better[rows], ranks.tied[rows])
