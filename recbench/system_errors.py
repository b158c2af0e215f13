"""What the operating system refused: its own words, and what the user can do about it.

A process without a free file handle, a full disk and a folder without permission say nothing about the content of a
file. Whoever reads a file therefore passes these errors on, and calls a file damaged only for what is in it.
"""

import errno
import os
from collections.abc import Iterator
from typing import Final

from recbench.errors import RecbenchError

MEMORY_ADVICE: Final = (
    "Close other programs, raise the limit (see: ulimit -v), or use a smaller task or a larger machine."
)
_HANDLES: Final = "Raise the limit and run the command again: ulimit -n 4096"
_PROCESSES: Final = "Raise the limit and run the command again: ulimit -u 4096. Or end other processes."
_ELSEWHERE: Final = (
    "Choose a folder on another disk. For results: -o FOLDER. For the cache: export RECBENCH_HOME=FOLDER"
)
_ROOM: Final = f"Free some space. {_ELSEWHERE}"
_PERMISSION: Final = "Change the permissions, or run the command as the owner of the file. Look at them: ls -ld {path}"

ADVICE: Final[dict[int, str]] = {
    errno.EMFILE: _HANDLES,
    errno.ENFILE: "The machine has no free file handle. End other programs and run the command again.",
    errno.EAGAIN: _PROCESSES,
    errno.ENOMEM: MEMORY_ADVICE,
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "Raise the limit of a file's size and run the command again: ulimit -f unlimited",
    errno.EROFS: f"The disk is read-only. {_ELSEWHERE}",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENAMETOOLONG: "Use a shorter name or path.",
    errno.ELOOP: "Its symbolic links form a circle. Correct them: ls -l {path}",
    errno.ENOENT: "Check the path: ls -l {path}",
    errno.ENOTDIR: "One of the folders in this path is a file. Check it: ls -l {path}",
    errno.EISDIR: "It is a folder. Give the name of a file.",
    errno.EIO: "The disk or the network file system may be broken. Look at the system's log: dmesg",
    errno.ESTALE: "The network file system has lost the file. Run the command again.",
    errno.ETXTBSY: "Another program runs the file. End it and run the command again.",
}
"""What to do about an error of the system, by its number; ``{path}`` is the file."""


_NO_THREAD: Final = "can't start new thread"
_SHORTAGES: Final = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT)
"""What the process or the machine lacks, whichever file it is about."""


class UnreadableError(RecbenchError):
    """The system does not let this process read a file that exists; nothing is known about the file's content."""


def reason(error: OSError) -> str:
    """Returns what the system said, without the path."""
    return error.strerror or str(error) or type(error).__name__


def advice(error: OSError, otherwise: str = "Run the command again.") -> str:
    """Returns what the user can do about an error of the system.

    Args:
        error: The error.
        otherwise: The advice for an error of no known number.
    """
    path = next((os.fsdecode(name) for name in (error.filename, error.filename2) if _is_path(name)), "PATH")
    return ADVICE.get(error.errno or 0, otherwise).replace("{path}", path)


def advice_to_write(error: OSError, otherwise: str) -> str:
    """Returns what the user can do about a file or folder that cannot be written.

    Args:
        error: The error.
        otherwise: The advice if the place is the cause, and not a shortage of the process or of the machine, or the
            length of the name.
    """
    return ADVICE[error.errno] if error.errno in (*_SHORTAGES, errno.ENAMETOOLONG) else otherwise


def cannot_read(what: str, error: OSError | MemoryError, otherwise: str = "Check the path.") -> RecbenchError:
    """Returns the error for a file that the system does not let the process read.

    Args:
        what: The file, such as ``the record runs/x.json``.
        error: What the system said.
        otherwise: The advice if the file is missing, or if the system's error has no advice of its own.
    """
    if isinstance(error, MemoryError):
        return UnreadableError(f"Cannot read {what}: not enough memory.", MEMORY_ADVICE)
    kind = RecbenchError if isinstance(error, FileNotFoundError | NotADirectoryError) else UnreadableError
    missing = isinstance(error, FileNotFoundError)
    return kind(f"Cannot read {what}: {reason(error)}.", otherwise if missing else advice(error, otherwise))


def system_error(error: BaseException) -> RecbenchError | None:
    """Returns the error that names the true cause if the system is behind an exception; None if it is not.

    A library may wrap an error of the system into one of its own, so the causes of the exception are looked at too.
    Among the errors that were being handled when it was raised, only a shortage counts: a missing file, for example,
    may have been expected.

    Args:
        error: An exception that nobody has expected.
    """
    for cause, certain in _causes(error):
        if isinstance(cause, MemoryError):
            detail = f" ({cause})" if str(cause) else ""
            return RecbenchError(f"There is not enough memory{detail}.", MEMORY_ADVICE)
        if isinstance(cause, RuntimeError) and _NO_THREAD in str(cause):
            return RecbenchError("The system does not let this process start another thread.", _PROCESSES)
        if isinstance(cause, OSError) and (cause.errno in _SHORTAGES or (certain and cause.errno in ADVICE)):
            if cause.errno == errno.EAGAIN:
                return RecbenchError(f"The system does not start another process: {reason(cause)}.", _PROCESSES)
            what = f"refuses the file {os.fsdecode(cause.filename)}" if _is_path(cause.filename) else "reports an error"
            return RecbenchError(f"The system {what}: {reason(cause)}.", advice(cause))
        if isinstance(cause, ImportError) and (number := _shortage_in_words(str(cause))) is not None:
            return RecbenchError(f"{cause.name or 'A package'} cannot be loaded: {cause}.", ADVICE[number])
    return None


def _causes(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """Yields an exception and those that it comes from, each once, and whether it surely comes from them."""
    seen: set[int] = set()
    following: BaseException | None = error
    certain = True
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following, certain
        certain = certain and following.__cause__ is not None
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _shortage_in_words(text: str) -> int | None:
    """Returns the number of a shortage that a library in C names in words only."""
    lower = text.lower()
    return next((number for number in _SHORTAGES if os.strerror(number).lower() in lower), None)


def _is_path(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike)
