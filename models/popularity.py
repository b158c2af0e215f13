"""The baseline that every model must beat."""

import numpy as np

from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class Popularity:
    """Scores an item by its number of train rows; no personalisation."""

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Counts the rows of each item."""
        self._counts = np.bincount(train.items, minlength=train.n_items).astype(np.float64)
        context.end_epoch()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the counts of ``items`` (int32[n, c]) as float64[n, c]."""
        return self._counts[items]

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the counts of all items for each of ``users`` (int32[n]), float64[n, n_items]."""
        return np.tile(self._counts, (len(users), 1))
