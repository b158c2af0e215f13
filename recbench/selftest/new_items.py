"""Items without train rows: whether a model ranks them above the items that it has learned from.

No model that learns from the train rows alone knows anything of such an item. If its scores are high all the same, the
items are new winners by accident: in most cases because the model never draws them as negatives, so that nothing lowers
their scores.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int32Array, Recommender, TrainSet
from recbench.selftest.check import NotApplicableError, SuspectError, check
from recbench.selftest.fits import Fit
from recbench.selftest.score_requests import request_scores

MOST_USERS: Final = 256
MOST_ITEMS: Final = 200
"""Of each kind, new and known."""
DEVIATIONS: Final = 2


def share_above_known(model: Recommender, train: TrainSet) -> float:
    """Returns how often a new item has a higher score than a known one, 0 to 1; 0.5 is chance, and a tie counts half.

    The mean over users of the share of pairs of a new item, which has no train row, and a known item that the user has
    not interacted with in train.

    Args:
        model: A trained model.
        train: Its train rows.

    Raises:
        NotApplicableError: There is no such pair.
    """
    known = np.bincount(train.items, minlength=train.n_items) > 0
    new_items, known_items = _some(np.flatnonzero(~known), MOST_ITEMS), _some(np.flatnonzero(known), MOST_ITEMS)
    if not len(new_items):
        raise NotApplicableError("every item has a train row")
    users = _some(np.flatnonzero(np.diff(train.indptr)), MOST_USERS)
    items = np.sort(np.concatenate([new_items, known_items]))
    scores = request_scores(model, users, np.tile(items, (len(users), 1)))
    shares = []
    for user, of_user in zip(users.tolist(), scores, strict=True):
        is_unseen = known[items] & ~np.isin(items, train.indices[train.indptr[user] : train.indptr[user + 1]])
        own, others = of_user[~known[items]][:, None], of_user[is_unseen]
        if len(others):
            shares.append(float(((own > others) + 0.5 * (own == others)).mean()))
    if not shares:
        raise NotApplicableError("no user lacks a known item")
    return float(np.mean(shares))


def highest_by_chance(n_new: int) -> float:
    """Returns the share that a model exceeds seldom if it gives each new item a random place, the same for all users.

    A random place among the known items has the mean 1/2 and the variance 1/12; this is the mean of ``n_new`` such
    places, plus two standard deviations.
    """
    return 0.5 + DEVIATIONS / math.sqrt(12 * n_new)


@check("new items do not rank above known items")
def new_items_below_known(train: TrainSet, first: Fit) -> str:
    """Items without train rows. A warning only: a model may know items by more than their rows, such as their texts."""
    first.answered()
    share = share_above_known(first.trained(), train)
    n_new = train.n_items - len(np.unique(train.items))
    most = highest_by_chance(n_new)
    finding = f"a new item has a higher score than a known item in {share:.1%} of pairs, over {n_new:,} new items"
    if share > most:
        raise SuspectError(
            f"{finding}; by chance at most {most:.1%}. Unless the model uses item features, items that it has not "
            "learned improve its metrics: draw items without train rows as negatives too"
        )
    return finding


def _some(indices: npt.NDArray[np.intp], most: int) -> Int32Array:
    """Returns at most so many of the indices, from all over them."""
    positions = np.linspace(0, len(indices) - 1, min(most, len(indices))).astype(np.int64)
    return indices[positions].astype(np.int32)
