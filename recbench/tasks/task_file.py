"""A task as one file: its arrays, its spec and its digest.

Loading maps the arrays into memory and hashes every byte of them; the rules are checked once for each digest, see
``recbench.tasks.verification_cache``.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError

from recbench.data.archives import DamagedArchiveError, read_npz
from recbench.data.cache import atomic_path, home
from recbench.data.file_use import record_use
from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.file_content import other_content
from recbench.system_errors import cannot_read
from recbench.tasks.array_file import MAGIC, DamagedFileError, map_arrays, write_arrays
from recbench.tasks.kept import Counts
from recbench.tasks.spec import TaskSpec
from recbench.tasks.task import Cases, Task
from recbench.tasks.verification_cache import verify_once
from recbench.toml_file import describe_problems

OLD_HEADER = "recbench"
OLD_START = b"PK\x03\x04"
"""How an .npz begins."""
TIMES = "test.times"
"""Not in the digest: stored with a checksum of its own."""
NOT_REPLACEABLE = ("own", "by-digest")
"""The folders of tasks that recbench may not be able to make again."""
HEAD = 2**20
"""So much of a file is looked at to say what it is in place of a task file."""


def save(task: Task, path: Path) -> None:
    """Writes the task, whole or not at all."""
    header = {
        "digest": task.digest,
        "n_duplicates": task.n_duplicates,
        "spec": task.spec.model_dump(mode="json", exclude={"replicas"}),
    }
    if task.read is not None:
        header["read"] = task.read.model_dump()
    arrays = dict(task.arrays())
    if task.test_times is not None:
        arrays[TIMES] = task.test_times
        header[TIMES] = _hash(task.test_times)
    with atomic_path(path) as temporary:
        write_arrays(temporary, header, arrays)


def load(path: Path) -> Task:
    """Reads and verifies a task; its arrays are maps of the file.

    Raises:
        RecbenchError: The file is missing, truncated, of another kind, changed since it was written, or breaks a rule.
    """
    try:
        header, arrays = _read(path)
        times = arrays.pop(TIMES, None)
        if times is not None and _hash(times) != header.times:
            raise DamagedFileError("the times of the cases were changed")
        task = replace(_from_arrays(header.spec, arrays, header.n_duplicates, times), read=header.read)
    except FileNotFoundError as error:
        raise RecbenchError(
            f"No such task file: {path}.", "If another process removed it meanwhile, run the command again."
        ) from error
    except (OSError, MemoryError) as error:
        raise cannot_read(f"the task file {path}", error) from error
    except (DamagedFileError, DamagedArchiveError) as error:
        raise _damaged(path, error) from error
    if task.digest != header.digest:
        raise RecbenchError(
            f"{path} was changed after it was written: its digest is {task.digest}, but its header has "
            f"{header.digest}.",
            _again(path),
        )
    verify_once(task)
    record_use(path)
    return task


def identity_of(path: Path) -> tuple[str, str] | None:
    """Returns the name and digest that a task file states, without checking its arrays.

    Returns:
        None if there is no such file, or if it is damaged, so that it is no file of any task.

    Raises:
        RecbenchError: The system does not let the file be read.
    """
    header = _stated(path)
    return None if header is None else (header.spec.name, header.digest)


def spec_of(path: Path) -> TaskSpec | None:
    """Returns the spec that a task file states, without checking its arrays; None under the same conditions.

    Raises:
        RecbenchError: See ``identity_of``.
    """
    header = _stated(path)
    return None if header is None else header.spec


class _Header(BaseModel):
    """What a task file says before its arrays."""

    digest: str
    n_duplicates: int = Field(ge=0)
    spec: TaskSpec
    times: str | None = Field(default=None, alias=TIMES)
    read: Counts | None = None


class _OldHeader(_Header):
    """The header of the format before."""

    format: Literal[1]


def _stated(path: Path) -> _Header | None:
    try:
        return _read(path)[0]
    except FileNotFoundError:
        return None
    except (OSError, MemoryError) as error:
        raise cannot_read(f"the task file {path}", error) from error
    except (DamagedFileError, DamagedArchiveError):
        return None


def _read(path: Path) -> tuple[_Header, dict[str, npt.NDArray[Any]]]:
    """Reads the header and the arrays, which may not belong together.

    Raises:
        OSError: The system does not let the file be read.
        DamagedFileError: The file is not a task file.
        DamagedArchiveError: It is neither a task file nor an archive of arrays.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            content, arrays = map_arrays(path)
            return _checked(_Header, content), arrays
    # What recbench wrote before it mapped tasks: an .npz. Imported tasks cannot be built again, so they stay readable.
    with path.open("rb") as file:
        if file.read(len(OLD_START)) != OLD_START:
            raise DamagedFileError("its first bytes are not those of this format")
        file.seek(0)
        arrays = read_npz(file)
    if OLD_HEADER not in arrays:
        raise DamagedFileError("it is an archive of arrays without a task's header")
    try:
        content = json.loads(arrays.pop(OLD_HEADER).tobytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"its header is not JSON: {error}") from error
    return _checked(_OldHeader, content), arrays


def _checked(kind: type[_Header], content: object) -> _Header:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise DamagedFileError(f"its header is not a task's:{describe_problems(error)}") from error


def _damaged(path: Path, error: ValueError) -> RecbenchError:
    with path.open("rb") as file:
        other = other_content(path, file.read(HEAD), binary=True)
    if other is not None:
        return RecbenchError(f"{path} is not a task file: it {other.what}.", other.advice or _again(path))
    return RecbenchError(
        f"{path} is not a task file that can be read: {error}.",
        f"It is truncated, damaged, of a newer recbench, or not recbench's. {_again(path)}",
    )


def _again(path: Path) -> str:
    """Returns how to get a task again whose file is damaged. Nobody is told to delete what cannot be made again."""
    folder = home() / "tasks"
    if path.parent.parent == folder and path.parent.name not in NOT_REPLACEABLE:
        return f"recbench makes the task again if the file is removed: rm {shell_word(path)}"
    return "Keep the file: recbench may not be able to make the task again. Restore it from a copy, or import it again."


def _hash(times: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(times, "<i8").data).hexdigest()


def _from_arrays(
    spec: TaskSpec, arrays: dict[str, npt.NDArray[Any]], n_duplicates: int, times: npt.NDArray[Any] | None
) -> Task:
    schema = {
        "user_ids.blob": (np.uint8, 1), "user_ids.offsets": (np.int64, 1),
        "item_ids.blob": (np.uint8, 1), "item_ids.offsets": (np.int64, 1),
        "users": (np.int32, 1), "items": (np.int32, 1), "ratings": (np.float32, 1), "timestamps": (np.int64, 1),
        "test.users": (np.int32, 1), "test.items": (np.int32, 1), "test.negatives": (np.int32, 2),
        "validation_rows": (np.int64, 1), "validation.users": (np.int32, 1), "validation.items": (np.int32, 1),
        "validation.negatives": (np.int32, 2),
    }  # fmt: skip
    optional = {"ratings", "timestamps"}
    for name, (dtype, dimensions) in schema.items():
        if name not in arrays:
            if name in optional:
                continue
            raise DamagedFileError(f"it has no array {name!r}")
        if arrays[name].dtype != dtype or arrays[name].ndim != dimensions:
            raise DamagedFileError(f"array {name!r} is {arrays[name].dtype}[{arrays[name].ndim} dimensions]")
        arrays[name].flags.writeable = False
    same_length = [("users", "items"), ("users", "ratings"), ("users", "timestamps")]
    for part in ("test", "validation"):
        same_length += [(f"{part}.users", f"{part}.items"), (f"{part}.users", f"{part}.negatives")]
    if times is not None and times.shape != arrays["test.users"].shape:
        raise DamagedFileError("the number of times is not the number of cases")
    if len(arrays["validation_rows"]) < len(arrays["validation.users"]):
        raise DamagedFileError("there are fewer validation rows than validation cases")
    for first, second in same_length:
        if second in arrays and len(arrays[first]) != len(arrays[second]):
            raise DamagedFileError(f"arrays {first!r} and {second!r} differ in length")
    return Task(
        spec,
        _ids(arrays, "user_ids"),
        _ids(arrays, "item_ids"),
        Rows(arrays["users"], arrays["items"], arrays.get("ratings"), arrays.get("timestamps")),
        Cases(arrays["test.users"], arrays["test.items"], arrays["test.negatives"]),
        arrays["validation_rows"],
        Cases(arrays["validation.users"], arrays["validation.items"], arrays["validation.negatives"]),
        n_duplicates,
        times,
    )


def _ids(arrays: dict[str, npt.NDArray[Any]], name: str) -> IdTable:
    blob, offsets = arrays[f"{name}.blob"], arrays[f"{name}.offsets"]
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(blob) or (np.diff(offsets) < 0).any():
        raise DamagedFileError(f"the offsets of {name} do not fit its text")
    return IdTable(blob, offsets)
