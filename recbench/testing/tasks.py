"""Small tasks for the tests of a model: one whose right answer is known, and one with tastes and popularity."""

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.tasks.build import load_interactions, split_and_draw
from recbench.tasks.exchange.forms import Order
from recbench.tasks.named_specs import builtin_specs
from recbench.tasks.spec import LeaveOneOut, Negatives, SyntheticData, TaskSpec
from recbench.tasks.task import Cases, Task
from recbench.tasks.verify import verify

N_USERS = 48
N_ITEMS = 24


def checkerboard_task(*, ratings: bool = False, timestamps: bool = False) -> Task:
    """Returns a task whose right answer is known: users and items have two colours, and users want their own colour.

    Each of the 48 users has interacted with all 12 items of the own colour but one, which is the test case; the last
    train row of each user is the validation case. All 12 negatives of a case are of the other colour. Every item has
    nearly the same number of rows, so popularity knows nothing, and a model that has learned the colours ranks every
    held-out item first.

    Args:
        ratings: Whether the rows have ratings; all of them are 1.
        timestamps: Whether the rows have times, which count the rows of each user from 0.
    """
    spec = TaskSpec(
        name="checkerboard",
        dataset=SyntheticData(source="synthetic"),
        split=LeaveOneOut(method="leave-one-out", order=Order.FILE),
        negatives=Negatives(method="uniform", count=N_ITEMS // 2),
    )
    own = np.array([np.roll(np.arange(user % 2, N_ITEMS, 2), user // 2) for user in range(N_USERS)], dtype=np.int32)
    other = np.array([np.arange(1 - user % 2, N_ITEMS, 2) for user in range(N_USERS)], dtype=np.int32)
    users = np.arange(N_USERS, dtype=np.int32)
    rows_of_user = own.shape[1] - 1
    task = Task(
        spec,
        IdTable.from_strings(f"u{user}" for user in range(N_USERS)),
        IdTable.from_strings(f"i{item}" for item in range(N_ITEMS)),
        Rows(
            np.repeat(users, rows_of_user),
            own[:, :-1].flatten(),
            np.ones(N_USERS * rows_of_user, dtype=np.float32) if ratings else None,
            np.tile(np.arange(rows_of_user, dtype=np.int64), N_USERS) if timestamps else None,
        ),
        Cases(users, own[:, -1].copy(), other),
        np.arange(1, N_USERS + 1, dtype=np.int64) * rows_of_user - 1,
        Cases(users, own[:, -2].copy(), other.copy()),
    )
    verify(task)
    return task


def synthetic_task() -> Task:
    """Returns the builtin task ``synthetic``: 600 users, 400 items, a popularity skew, latent tastes and times.

    It is made in a fraction of a second, without network, and is the same on every platform. Nothing is written to
    the cache.
    """
    spec = builtin_specs()["synthetic"]
    task = split_and_draw(spec, load_interactions(spec).numbered_by_hash())
    verify(task)
    return task
