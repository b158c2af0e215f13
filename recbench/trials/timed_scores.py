"""A trained model whose calls of ``score`` are timed."""

import time

from recbench.protocol import FloatArray, Int32Array, Recommender


class TimedScores:
    """Passes calls of ``score`` on to a model, and times each.

    Args:
        model: The trained model.

    Attributes:
        first_seconds: Seconds of the first call.
        longest_seconds: Seconds of the longest call.
    """

    def __init__(self, model: Recommender) -> None:
        self._model = model
        self.first_seconds: float | None = None
        self.longest_seconds = 0.0

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Asks the model; see ``recbench.protocol.Recommender``."""
        began = time.perf_counter()
        scores = self._model.score(users, items)
        seconds = time.perf_counter() - began
        if self.first_seconds is None:
            self.first_seconds = seconds
        self.longest_seconds = max(self.longest_seconds, seconds)
        return scores
