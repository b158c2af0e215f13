"""The checks that every task passes each time it is built or loaded."""

import numpy as np
import numpy.typing as npt

from recbench.errors import RecbenchError
from recbench.protocol import Int64Array
from recbench.tasks.spec import Waiver
from recbench.tasks.task import NO_ITEM, Cases, Task


def verify(task: Task) -> None:
    """Checks the rules of a task.

    Indices are in range; no pair is in train twice or in train and test; every validation case is a train row; the
    negatives of a case are distinct, as many as the spec says, none is the positive and none is an item that its user
    ever interacted with, in train, validation or test; and the digest is the one that the spec pins.

    Raises:
        RecbenchError: A rule is broken; the message names the rule and the first offender.
    """
    _check_rows(task)
    train = np.sort(_keys(task, task.users, task.items))
    if (train[1:] == train[:-1]).any():
        raise _broken(task, "a (user, item) pair is in train twice")
    test = _keys(task, task.test.users, task.test.items)
    if len(np.unique(test)) != len(test):
        raise _broken(task, "a (user, item) pair is a test case twice")
    _refuse(task, np.isin(test, train), "a test row is in train", task.test)
    held = _keys(task, task.users[task.validation_rows], task.items[task.validation_rows])
    if not np.array_equal(held, _keys(task, task.validation.users, task.validation.items)):
        raise _broken(task, "a validation case is not the train row that it claims to be")
    seen = np.sort(np.concatenate([train, test]))
    for what, cases in (("test", task.test), ("validation", task.validation)):
        _check_negatives(task, what, cases, seen)
    if task.spec.digest not in (None, task.digest):
        raise RecbenchError(
            f"Task {task.name!r} has the digest {task.digest}, but its spec pins {task.spec.digest}.",
            "The data, the rules or the code that draws candidates have changed; results are not comparable. "
            "In a spec of your own, remove the line that begins with digest, or give the new one.",
        )


def _check_rows(task: Task) -> None:
    if not len(task.test):
        raise _broken(task, "there is no test case: no user can give a row and keep one")
    bounds = {
        "users": (task.users, task.n_users),
        "items": (task.items, task.n_items),
        "validation_rows": (task.validation_rows, task.n_train),
        "test.users": (task.test.users, task.n_users),
        "test.items": (task.test.items, task.n_items),
        "validation.users": (task.validation.users, task.n_users),
        "validation.items": (task.validation.items, task.n_items),
        "test.negatives": (task.test.negatives[task.test.negatives != NO_ITEM], task.n_items),
        "validation.negatives": (
            task.validation.negatives[task.validation.negatives != NO_ITEM],
            task.n_items,
        ),
    }
    for name, (array, bound) in bounds.items():
        if array.size and not (array.min() >= 0 and array.max() < bound):
            raise _broken(task, f"{name} has an index outside 0 .. {bound - 1}")


def _check_negatives(task: Task, what: str, cases: Cases, seen: Int64Array) -> None:
    negatives = cases.negatives
    present = negatives != NO_ITEM
    waived = Waiver.POSITIVE_AMONG_NEGATIVES in task.spec.waivers and what == "test"
    count = task.spec.negatives.count
    wrong = ~((cases.n_negatives == count) | (waived & (cases.n_negatives == count - 1)))
    _refuse(task, cases.n_negatives == 0, f"a {what} case has no negative at all", cases)
    _refuse(task, wrong, f"a {what} case has not {count} negatives", cases)
    _refuse(task, (negatives == cases.items[:, None]).any(axis=1), f"a {what} positive is a negative", cases)
    ordered = np.sort(negatives, axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NO_ITEM)
    _refuse(task, repeated.any(axis=1), f"a {what} case has the same negative twice", cases)
    keys = cases.users.astype(np.int64)[:, None] * task.n_items + negatives
    at = np.minimum(np.searchsorted(seen, keys), len(seen) - 1)
    known = (seen[at] == keys) & present
    _refuse(task, known.any(axis=1), f"a {what} negative is an item that the user interacted with", cases)


def _keys(task: Task, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> Int64Array:
    return users.astype(np.int64) * task.n_items + items


def _refuse(task: Task, offending: npt.NDArray[np.bool_], rule: str, cases: Cases) -> None:
    if offending.any():
        case = int(offending.argmax())
        user, item = task.user_ids[int(cases.users[case])], task.item_ids[int(cases.items[case])]
        raise _broken(task, f"{rule} ({int(offending.sum())} cases; first: user {user!r}, item {item!r})")


def _broken(task: Task, rule: str) -> RecbenchError:
    return RecbenchError(
        f"Task {task.name!r} is not valid: {rule}.",
        "Build it again ('recbench task build'), or correct the files that it was imported from.",
    )
