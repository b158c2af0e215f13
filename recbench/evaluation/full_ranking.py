"""Ranks in the whole catalogue: each case's positive among all items that its user has not interacted with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.evaluation.ranking import Ranks, checked_scores
from recbench.evaluation.top_items import top_items
from recbench.protocol import FloatArray, Int32Array, Recommender, ScoreAll, TrainSet
from recbench.tasks.task import NO_ITEM, Cases

CELLS_AT_ONCE = 2**23
"""Scores in one answer of ``score_all``: 32 MB in single precision. Products of fewer rows are slower."""

TILE_CELLS_AT_ONCE = 2**17
"""Pairs in one question to ``score``, about as many as with 100 candidates a case: a model may gather vectors for each
pair, and 1 kB for one is not rare."""

CASES_TO_SORT = 64
"""A user with more cases has the scores sorted; up to there, counting for each case anew is faster."""


@dataclass(frozen=True, slots=True, eq=False)
class CatalogueRanks:
    """What one pass over the catalogue gives.

    Attributes:
        ranks: The ranks of all cases, in the order of the cases; ``n_others`` counts the items that the case's user
            interacted with neither in train nor in test.
        users: int32[users], the users with a case, ascending.
        top: int32[users, k], the k best items of each of them among those not in the user's train rows, the best first,
            ties in ascending item index; ``NO_ITEM`` at the end where fewer are left. None if not asked for.
    """

    ranks: Ranks
    users: Int32Array
    top: Int32Array | None


def rank_catalogue(
    model: Recommender,
    train: TrainSet,
    cases: Cases,
    top: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cells_at_once: int = CELLS_AT_ONCE,
    tile_cells_at_once: int = TILE_CELLS_AT_ONCE,
) -> CatalogueRanks:
    """Lets the model score all items for every user with a case, and ranks each positive among them.

    A positive is ranked with the items that its user has not interacted with: neither train rows nor the user's other
    positives count. Items that nobody has interacted with do count. Ties are counted, as in ``rank_cases``. The items
    are scored by ``score_all`` where the model has it, otherwise by ``score``.

    Args:
        model: A trained model.
        train: All rows that are not test cases, those that validation holds out among them.
        cases: The cases; their negatives are not looked at.
        top: Length of the lists of best items; None for no lists.
        on_progress: Is told how many users are done, of how many, after each block of users.
        cells_at_once: How many scores one call of ``score_all`` may return; never less than one user's.
        tile_cells_at_once: How many pairs one call of ``score`` may get.

    Raises:
        ScoreError: The scores have a wrong shape or type, or are not finite.
    """
    order = np.argsort(cases.users, kind="stable")
    users, first_cases = np.unique(cases.users[order], return_index=True)
    cases_of = np.split(order, first_cases[1:])
    if isinstance(model, ScoreAll):
        all_scores, cells = _by_score_all(model, train.n_items), cells_at_once
    else:
        all_scores, cells = _by_score(model, train.n_items, tile_cells_at_once), tile_cells_at_once
    users_at_once = max(1, cells // train.n_items)

    n_others, better, tied = (np.empty(len(cases), dtype=np.int32) for _ in range(3))
    lists = None if top is None else np.full((len(users), top), NO_ITEM, dtype=np.int32)
    is_new = np.ones(train.n_items, dtype=np.bool_)
    for start in range(0, len(users), users_at_once):
        block = users[start : start + users_at_once]
        for number, (user, scores) in enumerate(zip(block.tolist(), all_scores(block), strict=True), start):
            seen = train.indices[train.indptr[user] : train.indptr[user + 1]]
            own_cases = cases_of[number]
            positives = cases.items[own_cases]
            # A positive may be a train row too, or occur twice; no item is left out twice.
            is_new[seen] = False
            left_out = np.concatenate([seen, _distinct(positives[is_new[positives]])])
            is_new[seen] = True
            n_others[own_cases] = train.n_items - len(left_out)
            better[own_cases], tied[own_cases] = count_others(scores, scores[positives], left_out)
            if lists is not None:
                best = _best_unseen(scores, seen, lists.shape[1])
                lists[number, : len(best)] = best
        if on_progress is not None:
            on_progress(start + len(block), len(users))
    return CatalogueRanks(Ranks(cases.users, n_others, better, tied), users, lists)


def count_others(scores: FloatArray, own: FloatArray, left_out: Int32Array) -> tuple[Int32Array, Int32Array]:
    """Counts one user's other items scored above, and equal to, each positive.

    All items are counted, and those to leave out are subtracted: they are few, and to look at each item whether it
    counts takes longer than to compare it.

    Args:
        scores: float[n_items].
        own: float[cases], the positives' scores.
        left_out: int[m], distinct items that do not count.

    Returns:
        better and tied, int32[cases] each.
    """
    count = _count_sorted if len(own) > CASES_TO_SORT else _count_one_by_one
    better, tied = count(scores, own)
    better_left_out, tied_left_out = count(scores[left_out], own)
    return better - better_left_out, tied - tied_left_out


def _count_sorted(scores: FloatArray, own: FloatArray) -> tuple[Int32Array, Int32Array]:
    ascending = np.sort(scores)
    below = np.searchsorted(ascending, own, side="left")
    not_above = np.searchsorted(ascending, own, side="right")
    return (len(ascending) - not_above).astype(np.int32), (not_above - below).astype(np.int32)


def _count_one_by_one(scores: FloatArray, own: FloatArray) -> tuple[Int32Array, Int32Array]:
    better, tied = (np.empty(len(own), dtype=np.int32) for _ in range(2))
    for case, score in enumerate(own):
        better[case] = np.count_nonzero(scores > score)
        tied[case] = np.count_nonzero(scores == score)
    return better, tied


def _distinct(items: Int32Array) -> Int32Array:
    return items if len(items) < 2 else np.unique(items)


def _best_unseen(scores: FloatArray, seen: Int32Array, k: int) -> npt.NDArray[np.intp]:
    unseen = scores.copy()
    unseen[seen] = -np.inf
    k = min(k, len(scores) - len(seen))
    return top_items(unseen, k) if k else np.empty(0, dtype=np.intp)


def _by_score_all(model: ScoreAll, n_items: int) -> Callable[[Int32Array], FloatArray]:
    def all_scores(users: Int32Array) -> FloatArray:
        return checked_scores(
            model.score_all(users.copy()),
            (len(users), n_items),
            "score_all()",
            f"user indices {users[0]} to {users[-1]}",
            lambda row, item: f"user index {users[row]}, item index {item}",
        )

    return all_scores


def _by_score(model: Recommender, n_items: int, cells_at_once: int) -> Callable[[Int32Array], FloatArray]:
    items = np.arange(n_items, dtype=np.int32)

    def tile(users: Int32Array, first: int) -> FloatArray:
        candidates = np.tile(items[first : first + cells_at_once], (len(users), 1))
        return checked_scores(
            model.score(users.copy(), candidates),
            candidates.shape,
            "score()",
            f"user indices {users[0]} to {users[-1]}",
            lambda row, column: f"user index {users[row]}, item index {first + column}",
        )

    def all_scores(users: Int32Array) -> FloatArray:
        if n_items <= cells_at_once:
            return tile(users, 0)
        # A copy of each tile: a model may return the same array again, with the scores of the next one.
        return np.concatenate([tile(users, first).copy() for first in range(0, n_items, cells_at_once)], axis=1)

    return all_scores
