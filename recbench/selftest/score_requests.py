"""Requests for scores that show what a model's scores depend on, and the comparison of its answers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import ROUNDINGS
from recbench.evaluation.score_arrays import score_array
from recbench.protocol import FloatArray, Int32Array, Recommender
from recbench.selftest.check import BrokenError
from recbench.tasks.task import NO_ITEM, Cases

MOST_CASES = 256
RELATIVE = 1e-5
ABSOLUTE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ScoreRequest:
    """Users and candidates, in the form in which ``rank_cases`` passes them to ``score``.

    Attributes:
        users: int32[n].
        items: int32[n, c], ascending in each row.
        n_items: Size of the catalogue.
    """

    users: Int32Array
    items: Int32Array
    n_items: int

    @classmethod
    def from_cases(cls, cases: Cases, n_items: int, at_most: int = MOST_CASES) -> Self:
        """Takes cases from all over the task, each with all of its candidates."""
        rows = np.linspace(0, len(cases) - 1, min(at_most, len(cases))).astype(np.int64)
        negatives = np.where(cases.negatives[rows] == NO_ITEM, cases.negatives[rows, :1], cases.negatives[rows])
        return cls(cases.users[rows], np.sort(np.column_stack([cases.items[rows], negatives]), axis=1), n_items)

    def different(self) -> "ScoreRequest":
        """Returns another request: the users in another order, and about half as many items, drawn at random."""
        rng = np.random.default_rng(1)
        shape = (len(self.users), self.items.shape[1] // 2 + 1)
        items = np.sort(rng.integers(self.n_items, size=shape, dtype=np.int32), axis=1)
        return ScoreRequest(rng.permutation(self.users), items, self.n_items)


def request_scores(model: Recommender, users: Int32Array, items: Int32Array) -> npt.NDArray[Any]:
    """Returns the model's scores. The model gets copies, because it may write into its arguments."""
    with np.errstate(all="ignore"):
        answer = np.array(score_array(model.score(users.copy(), items.copy())))
    if answer.shape != items.shape:
        raise BrokenError(f"score() returned the shape {answer.shape} for items of the shape {items.shape}")
    return answer


def same_bits(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> bool:
    """Whether two answers are equal bit for bit; NaN, which has a check of its own, equals NaN."""
    return bool(np.array_equal(first, second, equal_nan=True))


def compare(
    expected: FloatArray, actual: FloatArray, users: Int32Array, items: Int32Array, scale: FloatArray, what: str
) -> float:
    """Distinguishes rounding from dependence: matrix kernels may differ in the last bits, by shape and position.

    Scores may differ by RELATIVE times their distance from the middle of ``scale``, plus ABSOLUTE times its spread,
    plus ROUNDINGS units in the last place of its largest: so neither scores that are all tiny nor a large constant in
    all of them hide anything.

    Args:
        expected: float[n, c].
        actual: float[n, c].
        users: int32[n], whose scores they are.
        items: int32[n, c], of which items.
        scale: Scores of this model, enough of them to know their range.
        what: How the request for ``actual`` differed, for the message: ``"in another order"``.

    Returns:
        The largest difference.

    Raises:
        BrokenError: Scores differ by more; the message names the pair that differs most.
    """
    finite = scale[np.isfinite(scale)]
    if not finite.size:
        raise BrokenError("no score is finite")
    low, high = float(finite.min()), float(finite.max())
    epsilon = float(np.finfo(expected.dtype).eps) if np.issubdtype(expected.dtype, np.floating) else 0.0
    rounding = ROUNDINGS * epsilon * max(abs(low), abs(high))
    with np.errstate(all="ignore"):
        allowed = RELATIVE * np.abs(expected - (low + high) / 2) + ABSOLUTE * (high - low) + rounding
        difference = np.abs(expected.astype(np.float64) - actual)
    difference[(expected == actual) | (np.isnan(expected) & np.isnan(actual))] = 0
    # Not "above": of NaN nothing is true.
    wrong = ~(difference <= allowed)
    if wrong.any():
        row, column = np.unravel_index(np.where(wrong, np.nan_to_num(difference, nan=np.inf), -1).argmax(), wrong.shape)
        raise BrokenError(
            f"user index {users[row]}, item index {items[row, column]} has the score {expected[row, column]:.6g}, and "
            f"{actual[row, column]:.6g} {what} ({int(wrong.sum()):,} of {wrong.size:,} scores differ)"
        )
    return float(difference.max(initial=0.0))


def agreement(difference: float) -> str:
    """Returns how equal the answers are, in words."""
    return f"up to rounding ({difference:.1g})" if difference else "bit for bit"
