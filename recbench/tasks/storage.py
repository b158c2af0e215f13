"""A task as one file: an uncompressed .npz of its arrays, its spec and its digest. Data only; nothing is unpickled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.data.archives import read_npz
from recbench.data.cache import atomic_path
from recbench.data.ids import IdTable
from recbench.errors import RecbenchError
from recbench.tasks.spec import TaskSpec
from recbench.tasks.task import Cases, Task
from recbench.tasks.verify import verify

FORMAT = 1
HEADER = "recbench"


def save(task: Task, path: Path) -> None:
    """Writes the task, whole or not at all."""
    header = {
        "format": FORMAT,
        "digest": task.digest,
        "n_duplicates": task.n_duplicates,
        "spec": task.spec.model_dump(mode="json"),
    }
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode("utf-8"), dtype=np.uint8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **{HEADER: text}, **dict(task.arrays()))


def load(path: Path) -> Task:
    """Reads and verifies a task.

    Raises:
        RecbenchError: The file is missing, truncated, of another kind, changed since it was written, or breaks a rule.
    """
    try:
        with path.open("rb") as file:
            arrays = read_npz(file)
        header = json.loads(arrays.pop(HEADER).tobytes())
        if header["format"] != FORMAT:
            raise RecbenchError(
                f"{path} is a task file of format {header['format']}; this version reads {FORMAT}.",
                "Build the task again, or update recbench.",
            )
        task = _from_arrays(TaskSpec.model_validate(header["spec"]), arrays, int(header["n_duplicates"]))
        stored = header["digest"]
    except FileNotFoundError as error:
        raise RecbenchError(f"No such task file: {path}.", "Check the path.") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecbenchError(
            f"{path} is not a task file that can be read ({type(error).__name__}: {str(error)[:200]}).",
            "It may be truncated, or not recbench's. Delete it and build the task again.",
        ) from error
    if task.digest != stored:
        raise RecbenchError(
            f"{path} was changed after it was written: its digest is {task.digest}, it claims {stored}.",
            "Delete it and build the task again.",
        )
    verify(task)
    return task


def _from_arrays(spec: TaskSpec, arrays: dict[str, npt.NDArray[Any]], n_duplicates: int) -> Task:
    wanted = {
        "user_ids.blob": (np.uint8, 1), "user_ids.offsets": (np.int64, 1),
        "item_ids.blob": (np.uint8, 1), "item_ids.offsets": (np.int64, 1),
        "users": (np.int32, 1), "items": (np.int32, 1), "ratings": (np.float32, 1), "timestamps": (np.int64, 1),
        "test.users": (np.int32, 1), "test.items": (np.int32, 1), "test.negatives": (np.int32, 2),
        "validation_rows": (np.int64, 1), "validation.users": (np.int32, 1), "validation.items": (np.int32, 1),
        "validation.negatives": (np.int32, 2),
    }  # fmt: skip
    optional = {"ratings", "timestamps"}
    for name, (dtype, dimensions) in wanted.items():
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
    for one, other in [*same_length, ("validation_rows", "validation.users")]:
        if other in arrays and len(arrays[one]) != len(arrays[other]):
            raise ValueError(f"arrays {one!r} and {other!r} differ in length")
    return Task(
        spec,
        _ids(arrays, "user_ids"),
        _ids(arrays, "item_ids"),
        arrays["users"],
        arrays["items"],
        arrays.get("ratings"),
        arrays.get("timestamps"),
        Cases(arrays["test.users"], arrays["test.items"], arrays["test.negatives"]),
        arrays["validation_rows"],
        Cases(arrays["validation.users"], arrays["validation.items"], arrays["validation.negatives"]),
        n_duplicates,
    )


def _ids(arrays: dict[str, npt.NDArray[Any]], name: str) -> IdTable:
    blob, offsets = arrays[f"{name}.blob"], arrays[f"{name}.offsets"]
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(blob) or (np.diff(offsets) < 0).any():
        raise ValueError(f"the offsets of {name} do not fit its text")
    return IdTable(blob, offsets)
