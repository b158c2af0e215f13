"""A frozen task as files for other frameworks, which can be imported again to the same digest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tomli_w

from recbench.errors import RecbenchError
from recbench.output_files import write_all
from recbench.tasks.exchange.export_ncf import ncf_files
from recbench.tasks.exchange.export_tables import Writers, original_ids, table_writer
from recbench.tasks.exchange.forms import ExportForm
from recbench.tasks.spec import PublishedData
from recbench.tasks.task import NO_ITEM, Cases, Task

SPEC_NAME = "task.toml"


def export(task: Task, folder: Path, form: ExportForm, *, force: bool = False) -> list[Path]:
    """Writes a task into a folder.

    Args:
        task: The task.
        folder: Made if it does not exist.
        form: Of which form.
        force: Whether to replace files with other content.

    Returns:
        The files.

    Raises:
        RecbenchError: The folder cannot be written, a file exists with other content, or an id cannot stand in a file
            of that form.
    """
    tables = ncf_files(task) if form is ExportForm.NCF else _tables(task, form)
    return write_all(folder, tables, force=force)


def _tables(task: Task, form: ExportForm) -> Writers:
    """Returns the writer of each file."""
    beside = "parquet" if form is ExportForm.PARQUET else "csv"
    names = {"train": f"train.{beside}", "validation": f"validation.{beside}", "test": f"test.{beside}"}
    if form is ExportForm.RECBOLE:
        _refuse_tabs(task)
        names = {part: f"{task.name}.{short}.inter" for part, short in
                 (("train", "train"), ("validation", "valid"), ("test", "test"))}  # fmt: skip
    names |= {
        part: f"{part.replace('_', '-')}.{beside}"
        for part in ("validation_rows", "candidates", "validation_candidates", "users", "items")
    }
    held = np.zeros(task.n_train, dtype=np.bool_)
    held[task.validation_rows] = True

    def rows(chosen: npt.NDArray[Any]) -> dict[str, Any]:
        columns = {
            "user": original_ids(task.user_ids, task.users[chosen]),
            "item": original_ids(task.item_ids, task.items[chosen]),
        }
        optional = {"rating": task.ratings, "timestamp": task.timestamps}
        return columns | {name: array[chosen] for name, array in optional.items() if array is not None}

    test: dict[str, Any] = {
        "user": original_ids(task.user_ids, task.test.users),
        "item": original_ids(task.item_ids, task.test.items),
    }
    if task.test_times is not None:
        test["timestamp"] = task.test_times
    contents: dict[str, Callable[[], dict[str, Any]]] = {
        "train": lambda: rows(~held),
        "validation": lambda: rows(task.validation_rows),
        "test": lambda: test,
        "validation_rows": lambda: {"row": task.validation_rows},
        "candidates": lambda: _candidates(task, task.test),
        "validation_candidates": lambda: _candidates(task, task.validation),
        "users": lambda: {"id": original_ids(task.user_ids, np.arange(task.n_users))},
        "items": lambda: {"id": original_ids(task.item_ids, np.arange(task.n_items))},
    }
    source = task.spec.dataset
    # No path of this machine leaves it; the form of a published split says how its candidates were drawn.
    published = source if isinstance(source, PublishedData) else PublishedData(source="published", form="pairs")
    spec = task.spec.model_copy(update={"digest": task.digest, "dataset": published})
    document = {"files": names, "task": spec.model_dump(mode="json", exclude_none=True)}

    def write_spec(path: Path) -> None:
        path.write_text(tomli_w.dumps(document), encoding="utf-8", newline="\n")

    return {
        **{names[part]: table_writer(names[part], content) for part, content in contents.items()},
        SPEC_NAME: write_spec,
    }


def _candidates(task: Task, cases: Cases) -> dict[str, Any]:
    present = cases.negatives != NO_ITEM
    counts = present.sum(axis=1)
    return {
        "user": original_ids(task.user_ids, np.repeat(cases.users, counts)),
        "item": original_ids(task.item_ids, np.repeat(cases.items, counts)),
        "negative": original_ids(task.item_ids, cases.negatives[present]),
    }


def _refuse_tabs(task: Task) -> None:
    for what, ids in (("user", task.user_ids), ("item", task.item_ids)):
        bad = next((text for text in ids if any(mark in text for mark in '\t\r\n"')), None)
        if bad is not None:
            raise RecbenchError(
                f"The {what} id {bad!r} cannot be written to a RecBole file: it contains a tab, a line end or a "
                "quotation mark.",
                "Export as CSV or Parquet: --form csv, or --form parquet.",
            )
