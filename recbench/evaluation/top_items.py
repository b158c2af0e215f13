"""The items with the highest scores, ties in ascending order of the index.

It needs numpy alone and runs on Python 3.9: ``recbench.foreign.host`` executes this file in other interpreters.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

ITEMS_IN_A_GROUP = 64


def top_items(scores: npt.NDArray[np.floating[Any]], k: int) -> npt.NDArray[np.intp]:
    """Returns the indices of the k highest scores, the highest first; of equal ones the lowest index first.

    ``np.argpartition`` alone would resolve ties at the cut as it happens to come across them, so it only gives a lower
    bound of the k-th highest score here. All items that reach the bound are then sorted.

    Args:
        scores: float[items], no NaN.
        k: How many, 1 to the number of items.
    """
    sample = scores
    groups = len(scores) // ITEMS_IN_A_GROUP
    if groups >= k:
        # The k-th highest of the maxima of disjoint groups is reached by k items at least: a bound ten times cheaper
        # than a partition of all scores, and tight, for the best items seldom share a group.
        sample = scores[: groups * ITEMS_IN_A_GROUP].reshape(ITEMS_IN_A_GROUP, groups).max(axis=0)
    bound = np.partition(sample, len(sample) - k)[len(sample) - k]
    candidates = np.flatnonzero(scores >= bound)
    return np.asarray(candidates[np.argsort(-scores[candidates], kind="stable")[:k]])
