"""Scorers whose metrics are known in advance, and score changes that must not move a rank."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet
from recbench.tasks.task import Cases

UInt64Array = npt.NDArray[np.uint64]
Scores = Callable[[Int32Array, Int32Array], FloatArray]
"""users int32[n], items int32[n, c] -> float[n, c]."""

LEVELS = 64
"""So few that ties are common among a hundred candidates."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model that learns nothing.

    Attributes:
        scores: Its scores.
    """

    scores: Scores

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Learns nothing."""

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the scores."""
        return self.scores(users, items)


@dataclass(frozen=True, slots=True)
class FullScorer(Scorer):
    """A scorer that also offers ``score_all``.

    Attributes:
        n_items: How many there are.
    """

    n_items: int

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the scores of all items."""
        return self.scores(users, np.tile(np.arange(self.n_items, dtype=np.int32), (len(users), 1)))


def constant(_: Int32Array, items: Int32Array) -> FloatArray:
    """The same score for everything: every negative is tied with the positive."""
    return np.full(items.shape, 0.5)


def hashed(seed: int) -> Scores:
    """Scores in [0, 1) by a hash of user, item and seed: 2**53 values, so that ties are next to impossible."""
    return lambda users, items: (hash_pairs(users, items, seed) >> np.uint64(11)) * 2.0**-53


def levels(seed: int) -> Scores:
    """Whole numbers from -LEVELS / 2 up, by a hash of user, item and seed: about 1 pair in LEVELS is tied."""
    return lambda users, items: (
        (hash_pairs(users, items, seed) % np.uint64(LEVELS)).astype(np.float64) - float(LEVELS // 2)
    )


def neighbouring(scores: Scores, dtype: type[np.floating[Any]] = np.float64) -> Scores:
    """Squeezes ``levels`` into neighbouring numbers of float32 around 1, in the order that they had.

    1 + level * 2**-23 is exact in float32, whose numbers are 2**-23 apart above 1 and half of that below. So nothing is
    rounded, no tie is made and none is broken.
    """
    return lambda users, items: (1.0 + scores(users, items) * 2.0**-23).astype(dtype)


def oracle(cases: Cases, n_items: int, sign: float = 1.0) -> Scores:
    """Scores ``sign`` for the held-out pairs and 0 for all others; with -1, the inverse oracle."""
    held_out = np.sort(cases.users.astype(np.int64) * n_items + cases.items)

    def scores(users: Int32Array, items: Int32Array) -> FloatArray:
        keys = users.astype(np.int64)[:, None] * n_items + items
        at = np.minimum(np.searchsorted(held_out, keys), len(held_out) - 1)
        values: FloatArray = sign * (held_out[at] == keys).astype(np.float64)
        return values

    return scores


def hash_pairs(users: Int32Array, items: Int32Array, seed: int) -> UInt64Array:
    """uint64[n, c]: the finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014) over user, item and seed."""
    pairs = users.astype(np.uint64)[:, None] << np.uint64(32) | items.astype(np.uint64)
    return _mix(pairs ^ _mix(np.array([seed + 1], dtype=np.uint64)))


def _mix(x: UInt64Array) -> UInt64Array:
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)
