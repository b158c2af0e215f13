"""A stream for messages to people: whatever becomes of its reader, the program goes on."""

import contextlib
import io
import os
from typing import Final

ENCODING: Final = "utf-8"


class TolerantStream(io.TextIOBase):
    """Writes to a descriptor at once. What it cannot write is lost: its terminal is gone, or its disk is full.

    Args:
        descriptor: The descriptor; None writes nothing.
        errors: What becomes of characters that cannot be encoded.
    """

    def __init__(self, descriptor: int | None, errors: str) -> None:
        self._descriptor = descriptor
        self._errors = errors

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """UTF-8."""
        return ENCODING

    def write(self, text: str) -> int:
        """Writes the text."""
        content = memoryview(text.encode(ENCODING, self._errors))
        if self._descriptor is not None:
            # The terminal is gone or its disk full: a run must not end for that.
            with contextlib.suppress(OSError):
                while content:
                    content = content[os.write(self._descriptor, content) :]
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Returns the descriptor.

        Raises:
            OSError: There is none.
        """
        return super().fileno() if self._descriptor is None else self._descriptor
