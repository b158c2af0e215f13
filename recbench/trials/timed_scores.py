"""A trained model whose calls of ``score`` are timed."""

import time

from recbench.protocol import FloatArray, Int32Array, Recommender
from recbench.trials.cpu_clock import CpuClock


class TimedScores:
    """Passes calls of ``score`` on to a model, and times each.

    Args:
        model: The trained model.

    Attributes:
        first_seconds: Seconds of the first call.
        longest_seconds: Seconds of the longest call.
        longest_busy_seconds: The same without the seconds in which the CPU did not work for the model, as when other
            programs had it.
    """

    def __init__(self, model: Recommender) -> None:
        self._model = model
        self.first_seconds: float | None = None
        self.longest_seconds = 0.0
        self.longest_busy_seconds = 0.0
        self._cpu = CpuClock()
        # To look up the children takes milliseconds. Here they are no part of the time of scoring.
        self._cpu.start()
        self._cpu.stop()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Asks the model; see ``recbench.protocol.Recommender``."""
        cpu_before = self._cpu.seconds
        self._cpu.start()
        began = time.perf_counter()
        scores = self._model.score(users, items)
        seconds = time.perf_counter() - began
        self._cpu.stop()
        if self.first_seconds is None:
            self.first_seconds = seconds
        self.longest_seconds = max(self.longest_seconds, seconds)
        self.longest_busy_seconds = max(self.longest_busy_seconds, min(seconds, self._cpu.seconds - cpu_before))
        return scores
