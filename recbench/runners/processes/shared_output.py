"""A temporary file that another process writes and this one reads."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

READ_BYTES: Final = 2**16


class SharedOutput:
    """The file. Reading it does not move the position of the process that writes."""

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="recbench-")
        self._path = Path(name)
        self.writer: IO[bytes] = os.fdopen(descriptor, "wb")
        self._reader = self._path.open("rb", buffering=0)
        self._remove()

    def start(self) -> bytes:
        """Returns its first bytes, at most ``READ_BYTES``."""
        self._reader.seek(0)
        return self._reader.read(READ_BYTES) or b""

    def close(self) -> None:
        """Closes and removes it."""
        self.writer.close()
        self._reader.close()
        self._remove()

    def _remove(self) -> None:
        # An open file can be removed, except on Windows: there once it is closed.
        with suppress(OSError):
            self._path.unlink()
