"""Chance level."""

import numpy as np

from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class RandomScores:
    """Scores every (user, item) pair by a hash of it and the seed; no learning."""

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Remembers the seed."""
        self._seed = np.uint64(context.seed)
        context.end_epoch()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns a number in [0, 1) for each pair, float64[n, c]: the same pair, the same number."""
        pairs = users.astype(np.uint64)[:, None] << np.uint64(32) | items.astype(np.uint64)
        return (_mix(pairs ^ _mix(self._seed + np.uint64(1))) >> np.uint64(11)) * 2.0**-53  # type: ignore[arg-type]


def _mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014), on uint64."""
    with np.errstate(over="ignore"):
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)
