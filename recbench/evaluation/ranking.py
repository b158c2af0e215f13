"""Scores to ranks: how many negatives a model scores above, and equal to, each case's positive.

Ranks are counted, never sorted out, so neither the order of the candidates nor a sort's treatment of ties can favour
anyone.

Two scores are equal if they are the same number; 0.0 and -0.0 are. There is no tolerance: it would have to guess the
size of a model's rounding errors, and would turn real differences into ties. So the rounding of a model can decide a
rank. A model that adds the same numbers in another order for two items gives them scores that differ in the last
places, such as 0.0 and -1.7e-18, where exact arithmetic would give a tie. Such pairs are counted beside the ranks, see
``NearTies``, and reports tell the share of hits that they decide.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recbench.evaluation.score_arrays import MaskedScoresError, score_array
from recbench.protocol import FloatArray, Int32Array, Int64Array
from recbench.tasks.task import NO_ITEM, Cases

CASES_AT_ONCE = 1024
ROUNDINGS = 8
"""Units in the last place of the largest score by which two scores may differ and still be nearly tied."""


class Ranking(StrEnum):
    """Among which items a positive is ranked."""

    CANDIDATES = "candidates"
    FULL = "full"
    """All items that the user has not interacted with."""


class Scores(Protocol):
    """A trained model, or anything else that scores pairs."""

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Scores candidates; see ``recbench.protocol.Recommender``."""
        ...


class ScoreError(Exception):
    """A model's scores cannot be ranked; the message names the case and the value."""


@dataclass(frozen=True, slots=True, eq=False)
class NearTies:
    """The others whose scores differ from the positive's by no more than rounding can explain.

    That is at most ``ROUNDINGS`` units in the last place of the largest score, by magnitude, of the same call of
    ``score``. They are counted as ranks count them, above or below; nothing is computed from them but a caution.

    Attributes:
        above: int32[cases], those of ``Ranks.better``.
        below: int32[cases], those that are neither better nor tied.
    """

    above: Int32Array
    below: Int32Array


@dataclass(frozen=True, eq=False)
class Ranks:
    """Where each case's positive stands among those it is ranked with.

    Attributes:
        users: int32[cases], whose case it is.
        n_others: int32[cases], items that the positive is ranked with: the case's negatives, or the whole catalogue.
        better: int32[cases], those scored strictly higher than the positive.
        tied: int32[cases], those scored equal.
        near: Those scored nearly equal; None where that was not counted, as in a file.
    """

    users: Int32Array
    n_others: Int32Array
    better: Int32Array
    tied: Int32Array
    near: NearTies | None = None

    def __len__(self) -> int:
        return len(self.better)

    @property
    def after_ties(self) -> Int64Array:
        """int64[cases], the place, from 0, after all that are tied with the positive; a file may hold any int32."""
        return self.better.astype(np.int64) + self.tied + 1

    def within(self, k: int) -> int:
        """Returns the cut-off, or the last place of all cases where that comes before; a record may name any k."""
        return min(k, self._last_place)

    @cached_property
    def _last_place(self) -> int:
        return int(self.after_ties.max(initial=0))


def rank_cases(model: Scores, cases: Cases, cases_at_once: int = CASES_AT_ONCE) -> Ranks:
    """Lets the model score the candidates of every case.

    A model sees each case's candidates in ascending item index, the positive among them, so that their order tells
    nothing. A case with fewer negatives than others is filled up with a repetition of its first negative.

    Args:
        model: A trained model.
        cases: The cases.
        cases_at_once: How many cases one call of ``score`` gets; bounds the memory.

    Raises:
        ScoreError: The scores have a wrong shape or type, or are not finite.
    """
    better, tied, above, below = (np.empty(len(cases), dtype=np.int32) for _ in range(4))
    for start in range(0, len(cases), cases_at_once):
        rows = slice(start, start + cases_at_once)
        users, positives, negatives = cases.users[rows], cases.items[rows], cases.negatives[rows]
        filled = np.where(negatives == NO_ITEM, negatives[:, :1], negatives)
        candidates = np.sort(np.column_stack([positives, filled]), axis=1)
        scores = _scored(model, users, candidates, start)
        better[rows], tied[rows] = count_ranks(scores, candidates, positives)
        above[rows], below[rows] = count_near_ties(scores, candidates, positives)
    return Ranks(cases.users, cases.n_negatives.astype(np.int32), better, tied, NearTies(above, below))


def count_ranks(scores: FloatArray, candidates: Int32Array, positives: Int32Array) -> tuple[Int32Array, Int32Array]:
    """Counts the distinct negatives scored above, and equal to, the positive.

    Args:
        scores: float[n, c].
        candidates: int32[n, c], ascending in each row; repetitions count once.
        positives: int32[n], each once among its candidates.

    Returns:
        better and tied, int32[n] each.
    """
    own, counted = _own_and_others(scores, candidates, positives)
    better = ((scores > own) & counted).sum(axis=1, dtype=np.int32)
    tied = ((scores == own) & counted).sum(axis=1, dtype=np.int32)
    return better, tied


def count_near_ties(scores: FloatArray, candidates: Int32Array, positives: Int32Array) -> tuple[Int32Array, Int32Array]:
    """Counts the distinct negatives scored above, and below, the positive by no more than rounding; see ``NearTies``.

    Args:
        scores: float[n, c], all of one call of ``score``.
        candidates: int32[n, c], ascending in each row; repetitions count once.
        positives: int32[n], each once among its candidates.

    Returns:
        above and below, int32[n] each.
    """
    own, counted = _own_and_others(scores, candidates, positives)
    rounding = ROUNDINGS * np.finfo(scores.dtype).eps * np.abs(scores).max(initial=0)
    with np.errstate(over="ignore"):
        difference = scores - own
    near = counted & (np.abs(difference) <= rounding)
    above = (near & (difference > 0)).sum(axis=1, dtype=np.int32)
    below = (near & (difference < 0)).sum(axis=1, dtype=np.int32)
    return above, below


def _own_and_others(
    scores: FloatArray, candidates: Int32Array, positives: Int32Array
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Returns the positives' scores, float[n, 1], and which candidates are distinct negatives, bool[n, c]."""
    is_positive = candidates == positives[:, None]
    first = np.ones(candidates.shape, dtype=np.bool_)
    first[:, 1:] = candidates[:, 1:] != candidates[:, :-1]
    return scores[is_positive][:, None], first & ~is_positive


def _scored(model: Scores, users: Int32Array, candidates: Int32Array, start: int) -> FloatArray:
    return checked_scores(
        model.score(users.copy(), candidates.copy()),
        candidates.shape,
        "score()",
        f"cases {start} to {start + len(users) - 1}",
        lambda row, column: f"case {start + row} (user index {users[row]}, item index {candidates[row, column]})",
    )


def checked_scores(
    scores: Any, shape: tuple[int, ...], method: str, asked: str, name: Callable[[int, int], str]
) -> FloatArray:
    """Returns a model's answer as an array that can be ranked.

    Args:
        scores: What the model returned.
        shape: The shape that it must have, two axes.
        method: Who returned it, for the message: ``score()``.
        asked: What it was asked for, for the message.
        name: Names the pair at a row and column, for the message.

    Raises:
        ScoreError: Masked, a wrong shape, not floating-point, or not finite; names the first pair that is not finite,
            and its value.
    """
    try:
        array = score_array(scores)
    except MaskedScoresError as error:
        raise ScoreError(f"{method} returned a masked array for {asked}: {error}") from error
    if array.shape != shape:
        raise ScoreError(f"{method} returned the shape {array.shape} for {asked}, expected {shape}")
    if not np.issubdtype(array.dtype, np.floating):
        raise ScoreError(f"{method} returned {array.dtype}, expected a floating-point type")
    # Cheaper than to look at each: one that is not finite leaves no finite sum. A sum may also overflow.
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):
            return array
    bad = ~np.isfinite(array)
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        raise ScoreError(
            f"{method} returned {array[row, column]} for {name(row, column)}, and for {int(bad.sum()) - 1} more "
            f"candidates of {asked}"
        )
    return array
