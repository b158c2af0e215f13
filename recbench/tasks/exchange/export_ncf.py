"""A task in the form of the NCF paper's files.

Numbers are the original ids where these are the numbers from 0 up, as in a split that was imported from that form;
otherwise they are the task's own, and ``users.csv`` and ``items.csv`` tell what they stand for. All lines have the same
number of fields, so a list that lost entries to a waiver gets others, which the same waiver drops: its own positive, or
with ``seen-among-negatives`` a train row of its user.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.protocol import Int32Array, Int64Array
from recbench.tasks.exchange.export_tables import Writers, original_ids, table_writer
from recbench.tasks.spec import Waiver
from recbench.tasks.task import NO_ITEM, Task


def ncf_files(task: Task) -> Writers:
    """Returns what writes each file."""
    users, items = _numbers(task.user_ids), _numbers(task.item_ids)

    def rating_rows(case_users: Int32Array, case_items: Int32Array, extra: list[npt.NDArray[Any]]) -> str:
        columns = [users[case_users].tolist(), items[case_items].tolist(), *(array.tolist() for array in extra)]
        return "".join("\t".join(map(_plain, row)) + "\n" for row in zip(*columns, strict=True))

    def train(path: Path) -> None:
        extra = [array for array in (task.ratings, task.timestamps) if array is not None]
        if task.ratings is None and task.timestamps is not None:
            extra = [np.ones(task.n_train, dtype=np.float32), *extra]
        path.write_text(rating_rows(task.users, task.items, extra), encoding="utf-8", newline="\n")

    def test(path: Path) -> None:
        extra: list[npt.NDArray[Any]] = (
            [] if task.test_times is None else [np.ones(len(task.test), dtype=np.float32), task.test_times]
        )
        path.write_text(rating_rows(task.test.users, task.test.items, extra), encoding="utf-8", newline="\n")

    def negative(path: Path) -> None:
        lists = items[np.where(task.test.negatives == NO_ITEM, _dropped_by_waiver(task), task.test.negatives)]
        cases = zip(users[task.test.users].tolist(), items[task.test.items].tolist(), lists, strict=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for user, item, row in cases:
                file.write(f"({user},{item})\t" + "\t".join(map(str, row.tolist())) + "\n")

    def numbers(ids: IdTable, of_index: Int64Array) -> Callable[[Path], None]:
        return table_writer("ids.csv", lambda: {"number": of_index, "id": original_ids(ids, np.arange(len(ids)))})

    return {
        f"{task.name}.train.rating": train,
        f"{task.name}.test.rating": test,
        f"{task.name}.test.negative": negative,
        "users.csv": numbers(task.user_ids, users),
        "items.csv": numbers(task.item_ids, items),
    }


def _dropped_by_waiver(task: Task) -> Int32Array:
    """Returns int32[cases, 1], for each case an item that a waiver of the task drops from its list."""
    dropped = task.test.items.copy()
    if Waiver.SEEN_AMONG_NEGATIVES in task.spec.waivers:
        of_user = np.full(task.n_users, NO_ITEM, dtype=np.int32)
        of_user[task.users] = task.items
        train_items = of_user[task.test.users]
        dropped = np.where(train_items == NO_ITEM, dropped, train_items)
    return dropped[:, None]


def _numbers(ids: IdTable) -> Int64Array:
    texts = list(ids)
    if set(texts) == set(map(str, range(len(texts)))):
        return np.array([int(text) for text in texts], dtype=np.int64)
    return np.arange(len(texts), dtype=np.int64)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
