"""Ranks that must not have moved, and choices of cases."""

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import Ranks
from recbench.selftest.check import expect
from recbench.tasks.task import Cases

IntArray = npt.NDArray[np.intp]


def same_ranks(expected: Ranks, found: Ranks) -> str:
    """Expects that no case moved; returns how many cases there are, and how many with ties."""
    moved = np.zeros(len(expected), dtype=np.bool_)
    for name in ("users", "n_others", "better", "tied"):
        moved |= getattr(expected, name) != getattr(found, name)
    case = int(moved.argmax())
    expect(
        not moved.any(),
        f"{int(moved.sum()):,} of {len(moved):,} cases moved; case {case} had {expected.better[case]} above its "
        f"positive and {expected.tied[case]} tied, and now {found.better[case]} and {found.tied[case]}",
    )
    return f"{len(expected):,} cases, {int((expected.tied > 0).sum()):,} of them with ties"


def take_cases(cases: Cases, rows: IntArray) -> Cases:
    """Returns the cases at ``rows``, in that order."""
    return Cases(cases.users[rows], cases.items[rows], cases.negatives[rows])


def take_ranks(ranks: Ranks, rows: IntArray) -> Ranks:
    """Returns the ranks at ``rows``, in that order."""
    return Ranks(ranks.users[rows], ranks.n_others[rows], ranks.better[rows], ranks.tied[rows])
