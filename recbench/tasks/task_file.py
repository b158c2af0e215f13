"""A task as one file: its arrays, its spec and its digest.

Loading maps the arrays into memory and hashes every byte of them; the rules are checked once for each digest, see
``recbench.tasks.verification_cache``.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from recbench.data.archives import read_npz
from recbench.data.cache import atomic_path
from recbench.data.file_use import record_use
from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.tasks.array_file import MAGIC, map_arrays, write_arrays
from recbench.tasks.spec import TaskSpec
from recbench.tasks.task import Cases, Task
from recbench.tasks.verification_cache import verify_once

OLD_FORMAT = 1
OLD_HEADER = "recbench"
TIMES = "test.times"
"""Not in the digest: stored with a checksum of its own."""


def save(task: Task, path: Path) -> None:
    """Writes the task, whole or not at all."""
    header = {"digest": task.digest, "n_duplicates": task.n_duplicates, "spec": task.spec.model_dump(mode="json")}
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
        if times is not None and _hash(times) != header[TIMES]:
            raise ValueError("the times of the cases were changed")
        task = _from_arrays(TaskSpec.model_validate(header["spec"]), arrays, int(header["n_duplicates"]), times)
        stored = header["digest"]
    except FileNotFoundError as error:
        raise RecbenchError(
            f"No such task file: {path}.", "If another process removed it meanwhile, run the command again."
        ) from error
    except RecbenchError:
        raise
    # What a damaged file makes zipfile, zlib and numpy raise is no closed set.
    except Exception as error:
        reason = "its spec is not one" if isinstance(error, ValidationError) else str(error)[:200]
        raise RecbenchError(
            f"{path} is not a task file that can be read ({type(error).__name__}: {reason}).",
            "It may be truncated, of a newer recbench, or not recbench's. Delete it and build the task again.",
        ) from error
    if task.digest != stored:
        raise RecbenchError(
            f"{path} was changed after it was written: its digest is {task.digest}, it claims {stored}.",
            "Delete it and build the task again.",
        )
    verify_once(task)
    record_use(path)
    return task


def identity_of(path: Path) -> tuple[str, str] | None:
    """Returns the name and digest that a task file states, without checking them; None if there is no such file."""
    try:
        header, _ = map_arrays(path)
        return str(header["spec"]["name"]), str(header["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def spec_of(path: Path) -> TaskSpec | None:
    """Returns the spec that a task file states, without checking the file; None if it cannot be read."""
    try:
        header, _ = _read(path)
        return TaskSpec.model_validate(header["spec"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            return map_arrays(path)
    # What recbench wrote before it mapped tasks: an .npz. Imported tasks cannot be built again, so they stay readable.
    with path.open("rb") as file:
        arrays = read_npz(file)
    header = json.loads(arrays.pop(OLD_HEADER).tobytes())
    if header["format"] != OLD_FORMAT:
        raise ValueError(f"format {header['format']}")
    return header, arrays


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
            raise KeyError(f"no array {name!r}")
        if arrays[name].dtype != dtype or arrays[name].ndim != dimensions:
            raise TypeError(f"array {name!r} is {arrays[name].dtype}[{arrays[name].ndim} dimensions]")
        arrays[name].flags.writeable = False
    same_length = [("users", "items"), ("users", "ratings"), ("users", "timestamps")]
    for part in ("test", "validation"):
        same_length += [(f"{part}.users", f"{part}.items"), (f"{part}.users", f"{part}.negatives")]
    if times is not None and times.shape != arrays["test.users"].shape:
        raise ValueError("the number of times is not the number of cases")
    for first, second in [*same_length, ("validation_rows", "validation.users")]:
        if second in arrays and len(arrays[first]) != len(arrays[second]):
            raise ValueError(f"arrays {first!r} and {second!r} differ in length")
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
        raise ValueError(f"the offsets of {name} do not fit its text")
    return IdTable(blob, offsets)
