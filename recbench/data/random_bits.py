"""Random numbers that are the same on every platform and with every version of numpy.

Everything frozen is drawn from the raw 64-bit stream of numpy's Philox generator under an explicit key. numpy
guarantees that stream (NEP 19); it guarantees nothing for the distributions built on it, so those are avoided.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array


class Purpose(IntEnum):
    """What a stream is for; streams of different purposes never overlap. The numbers are part of every digest."""

    TEST_NEGATIVES = 1
    VALIDATION_NEGATIVES = 2
    SYNTHETIC = 3
    RANDOM_SPLIT = 4
    USER_SAMPLE = 5
    PUBLISHED_VALIDATION = 6
    RANDOM_ORDER = 7
    TIES_IN_TIME = 8
    CURVE_USERS = 9
    SERVED_USERS = 10


class RandomBits:
    """One reproducible stream of whole numbers.

    Args:
        seed: 0 .. 2**64 - 1.
        purpose: What the numbers are for.
        block: Which of the purpose's independent streams, 0 .. 2**48 - 1.
    """

    def __init__(self, seed: int, purpose: Purpose, block: int = 0) -> None:
        self._bits = np.random.Philox(key=np.array([seed, purpose << 48 | block], dtype=np.uint64))

    def below(self, bound: int, size: int) -> Int64Array:
        """Draws int64[size], uniform on 0 .. bound - 1.

        The remainder of a 64-bit number favours small results by less than bound / 2**64.
        """
        raw: npt.NDArray[np.uint64] = self._bits.random_raw(size)
        return (raw % np.uint64(bound)).astype(np.int64)
