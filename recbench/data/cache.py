"""Where fetched data and built tasks are kept, and how a file gets there whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from recbench.errors import RecbenchError
from recbench.path_checks import check_no_file_above

HOME_VARIABLE = "RECBENCH_HOME"
PLACES = (
    "Choose a folder with room that you may write to. For results: -o FOLDER. "
    f"For the cache: export {HOME_VARIABLE}=FOLDER"
)


def home() -> Path:
    """Returns the cache folder: ``$RECBENCH_HOME``, else the platform's cache folder for recbench.

    Raises:
        RecbenchError: It lies in a user's home folder, which is not known.
    """
    override = os.environ.get(HOME_VARIABLE)
    try:
        folder = Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("recbench"))
    except RuntimeError as error:
        raise _no_home(override) from error
    # Earlier versions of platformdirs leave the sign of an unknown home folder in the path: a folder "~" of the working
    # folder would be made.
    if folder.parts and folder.parts[0].startswith("~"):
        raise _no_home(override)
    return folder


def _no_home(override: str | None) -> RecbenchError:
    user = Path(override).parts[0].removeprefix("~") if override else ""
    return RecbenchError(
        f"{HOME_VARIABLE}={override} lies in the home folder of the user {user!r}, which is not known."
        if user
        else "The cache folder is not known, because this user has no home folder: HOME is not set.",
        f"Name the folder of the cache: export {HOME_VARIABLE}=/path/to/a/folder",
    )


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``target``, which takes its place if the block ends without an error.

    The file is flushed to the disk before it is renamed, so that after a crash or a killed process the target is
    either the old file or the whole new one.

    Raises:
        RecbenchError: The folder cannot be written, or the disk is full.
    """
    temporary = None
    check_no_file_above(target.parent, PLACES)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile: its files are closed to everyone but their owner, and would stay so.
        made = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        made.touch(exist_ok=False)
        temporary = made
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        raise RecbenchError(
            f"Cannot write {target}: {error.strerror or error}.",
            PLACES,
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
