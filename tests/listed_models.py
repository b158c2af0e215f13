"""Classes in the style of scikit-learn, for the bridge to such classes."""

import numpy as np


class Counts:
    def __init__(self, top: int = 0, random_state: int = 0):
        self.top = top

    def fit(self, matrix):
        self.counts = np.asarray(matrix.sum(axis=0)).ravel()
        return self

    def recommend(self, users, n):
        best = np.argsort(-self.counts, kind="stable")[: self.top or n]
        return np.tile(best, (len(users), 1))


class Scored(Counts):
    def recommend(self, users, n):
        items = super().recommend(users, n)
        return items, self.counts[items]


class Twice(Counts):
    def recommend(self, users, n):
        return np.zeros((len(users), 2), int)


class Filtered(Counts):
    """Leaves a gap where it has filtered an item, as it comes, and returns scores for all places."""

    def recommend(self, users, n):
        return np.tile([2, -1, 0, 1], (len(users), 1)), np.tile([4.0, 3.5, 3.0, 2.0], (len(users), 1))


class FewScores(Counts):
    def recommend(self, users, n):
        return np.tile([2, 0, 1], (len(users), 1)), np.tile([4.0, 3.0], (len(users), 1))


class NoList:
    def fit(self, matrix):
        pass
