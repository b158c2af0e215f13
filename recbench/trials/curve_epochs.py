"""After which epochs a learning curve has points."""

import re
from dataclasses import dataclass
from typing import Final

WHOLE: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class CurveEpochs:
    """After which epochs to score, besides the last.

    Attributes:
        every: After each epoch that this divides; 0 for none.
        chosen: After these as well.
    """

    every: int = 0
    chosen: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "CurveEpochs":
        """Reads ``all``, ``every:N`` or ``N,N,...``.

        Raises:
            ValueError: It is none of these.
        """
        if text == "all":
            return cls(every=1)
        kind, _, number = text.rpartition(":")
        numbers = [int(part) if WHOLE.fullmatch(part) else 0 for part in number.split(",")]
        if min(numbers) < 1 or kind not in ("", "every") or (kind and len(numbers) > 1):
            raise ValueError(f"{text!r} is not all, every:N, or N,N,...")
        return cls(every=numbers[0]) if kind else cls(chosen=frozenset(numbers))

    def __contains__(self, epoch: int) -> bool:
        return epoch in self.chosen or (self.every > 0 and epoch % self.every == 0)
