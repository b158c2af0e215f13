"""The pipe through which all comes that a trial's process prints; a thread reads it into a bounded log."""

import os
import threading
from pathlib import Path
from typing import Final

from recbench.operating_system.pipes import enlarge_pipe
from recbench.trials.logs import Log

READ_BYTES: Final = 2**16
SECONDS_TO_END: Final = 1.0
"""How long to wait for the end of the pipe: a process that has escaped may still hold it."""


class OutputPipe:
    """The pipe.

    Attributes:
        writer: The descriptor to give to the process; ``close_writer`` closes this process's copy.
    """

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        enlarge_pipe(self._reader)
        self._log = Log()
        self._lock = threading.Lock()
        self._last_lines: tuple[str, ...] | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close_writer(self) -> None:
        """Closes this process's copy of the writing end, once the other process has its own."""
        os.close(self.writer)

    def move_to(self, path: Path) -> None:
        """Continues the log in a file, which gets what has been printed so far."""
        with self._lock:
            self._log.move_to(path)

    def tail(self) -> tuple[str, ...]:
        """Returns the last lines that have been printed so far."""
        with self._lock:
            return self._log.tail() if self._last_lines is None else self._last_lines

    def close(self) -> None:
        """Closes the log, once all is in it that was printed by processes that have ended."""
        self._thread.join(SECONDS_TO_END)
        with self._lock:
            if self._last_lines is None:
                self._last_lines = self._log.tail()
                self._log.close()

    def _listen(self) -> None:
        while content := os.read(self._reader, READ_BYTES):
            with self._lock:
                if self._last_lines is None:
                    self._log.write(content)
        os.close(self._reader)
