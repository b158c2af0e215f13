"""A recommender that needs numpy only."""

import numpy as np


class Neighbours:
    """Scores an item by its similarity to the items of the user.

    The similarity of two items is the cosine of their users, with a constant added to the denominator.

    Args:
        shrink: This constant; pairs of rare items count less if it is larger.
    """

    def __init__(self, shrink: float = 10.0):
        if shrink < 0:
            raise ValueError(f"shrink must be 0 or more, not {shrink}")
        self.shrink = shrink

    def fit(self, train, context):
        """Counts the users of each item and of each pair of items."""
        self.rows = np.zeros((train.n_users, train.n_items))
        self.rows[train.users, train.items] = 1
        together = self.rows.T @ self.rows
        counts = together.diagonal()
        norms = np.sqrt(np.outer(counts, counts)) + self.shrink
        self.similarity = np.divide(together, norms, out=np.zeros_like(together), where=norms > 0)

    def score(self, users, items):
        """Returns float64[n, c]: the score of each candidate; higher is better."""
        return np.take_along_axis(self.rows[users] @ self.similarity, items, axis=1)
