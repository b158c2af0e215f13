"""Original ids as UTF-8 text, in one blob: compact, and the same bytes everywhere."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class IdTable:
    """The original id of each dense index.

    Attributes:
        blob: uint8[bytes], all ids in UTF-8, one after the other.
        offsets: int64[n + 1]; id i is ``blob[offsets[i]:offsets[i + 1]]``.
    """

    blob: npt.NDArray[np.uint8]
    offsets: Int64Array

    @classmethod
    def from_strings(cls, ids: Iterable[str]) -> Self:
        """Encodes the ids in their order."""
        encoded = [text.encode("utf-8") for text in ids]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        return self.blob[self.offsets[index] : self.offsets[index + 1]].tobytes().decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        whole = self.blob.tobytes()
        bounds = self.offsets.tolist()
        return (whole[a:b].decode("utf-8") for a, b in itertools.pairwise(bounds))

    def take(self, indices: npt.NDArray[np.integer]) -> Self:
        """Returns the table of the given dense indices, in that order."""
        every = list(self)
        return type(self).from_strings(every[i] for i in indices.tolist())
