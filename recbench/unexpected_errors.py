"""The end of the program by an error that nobody has expected: a bug of recbench, or a damaged installation."""

import contextlib
import os
import sys
import tempfile
import traceback
from typing import Final, NoReturn

EXIT_CODE: Final = 70
"""No verdict of a verb. It is EX_SOFTWARE of sysexits.h; Python's own would be 1, which is "regressed" of the gate."""
MOST_CHARACTERS: Final = 500


def end_unexpectedly(error: BaseException) -> NoReturn:
    """Writes the traceback to a file, names the file, and ends the program with ``EXIT_CODE``."""
    text = "".join(traceback.format_exception(error))
    summary = "".join(traceback.format_exception_only(error)).strip()[:MOST_CHARACTERS]
    try:
        descriptor, path = tempfile.mkstemp(prefix="recbench-traceback-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        where = f"Its traceback is in {path}. Please report it, with the command and this file."
    except OSError:
        # No room for a file: the message then holds the traceback itself.
        where = f"Its traceback could not be written to a file:\n{text}"
    message = f"Error: recbench itself has failed: {summary}\nThis is not a result of a model or of a gate. {where}\n"
    # Standard error may be closed, or its disk full.
    with contextlib.suppress(OSError):
        os.write(2, message.encode(errors="backslashreplace"))
    sys.exit(EXIT_CODE)
