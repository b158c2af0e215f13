"""What is checked before a tuning begins, so that nothing is trained in vain."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from recbench.errors import RecbenchError
from recbench.records import tuned_settings as settings_files
from recbench.records.schema import TaskIdentity


def check_output(output: Path, identity: TaskIdentity) -> None:
    """Checks that the settings can go where they shall.

    Raises:
        RecbenchError: There are settings of another task, or something else.
    """
    if not output.exists():
        return
    there = settings_files.load(output).task
    if there.digest != identity.digest:
        raise RecbenchError(
            f"{output} holds settings of another task, {there.name} of digest {there.digest}; "
            f"that of {identity.name} is {identity.digest}.",
            "Write to another file with -o, or delete that one.",
        )


@contextmanager
def locked(storage: Path) -> Iterator[None]:
    """Keeps other tunings away from a storage: to them, the trials of this one would look left behind.

    Raises:
        RecbenchError: Another tuning uses it, or its folder cannot be written.
    """
    try:
        storage.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{storage}.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise RecbenchError(
            f"Another tuning uses {storage}.", "Wait until it is over, or choose another file with --storage."
        ) from error
    except OSError as error:
        raise RecbenchError(
            f"Cannot write to {storage.parent}: {error.strerror}.", "Choose another file with --storage."
        ) from error
    try:
        yield
    finally:
        lock.release()
