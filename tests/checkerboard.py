"""A task whose right answer is known: users and items of two colours, and users want their own colour.

Each user has interacted with all items of the own colour but one, the test case; the last of them is validation's.
All negatives are of the other colour. Every item has nearly the same number of rows, so popularity knows nothing, and
a model that has learned the colours puts every positive first.
"""

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.tasks.spec import Negatives, SyntheticData, TaskSpec
from recbench.tasks.task import Cases, Task
from recbench.tasks.verify import verify

N_USERS = 48
N_ITEMS = 24


def checkerboard_task() -> Task:
    spec = TaskSpec.model_validate(
        {
            "name": "checkerboard",
            "dataset": SyntheticData(source="synthetic").model_dump(),
            "split": {"method": "leave-one-out", "order": "file"},
            "negatives": Negatives(method="uniform", count=N_ITEMS // 2).model_dump(),
        }
    )
    users, items, test, validation = [], [], [], []
    for user in range(N_USERS):
        own = np.arange(user % 2, N_ITEMS, 2)
        own = np.roll(own, user // 2)
        users += [user] * (len(own) - 1)
        items += own[:-1].tolist()
        test.append(own[-1])
        validation.append(own[-2])
    every = np.arange(N_USERS, dtype=np.int32)
    other = np.array([np.arange(1 - user % 2, N_ITEMS, 2) for user in range(N_USERS)], dtype=np.int32)
    rows = np.cumsum(np.bincount(users)) - 1
    task = Task(
        spec,
        IdTable.from_strings(f"u{user}" for user in range(N_USERS)),
        IdTable.from_strings(f"i{item}" for item in range(N_ITEMS)),
        Rows(np.array(users, dtype=np.int32), np.array(items, dtype=np.int32)),
        Cases(every, np.array(test, dtype=np.int32), other),
        rows.astype(np.int64),
        Cases(every, np.array(validation, dtype=np.int32), other.copy()),
    )
    verify(task)
    return task
