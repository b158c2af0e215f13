"""The checks that every task passes when it is built, and when its digest is loaded for the first time."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.data.ordering import count_distinct, pair_keys
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.protocol import Int64Array
from recbench.tasks.exchange.forms import TooFew
from recbench.tasks.spec import FrameData, Negatives, PublishedData, Waiver
from recbench.tasks.task import NO_ITEM, Cases, Task

RULES = 1
"""Increases when ``verify`` checks more, so that tasks that passed before are checked again."""
CASES_AT_ONCE = 2**15
"""Bounds the memory."""
NEGATIVES = (
    "a {} positive is a negative",
    "a {} case has the same negative twice",
    "a {} negative is an item that the user interacted with",
)


def verify(task: Task) -> None:
    """Checks the rules of a task.

    There are a train row and a test case; indices are in range; no pair is in train twice or in train and test;
    every validation case is a train row; the negatives of a case are distinct, as many as the spec says, none is
    the positive and none is an item that its user ever interacted with, in train, validation or test; and the
    digest is the one that the spec pins.

    A task for tuning withholds rows that its negatives were drawn around, see ``recbench.tasks.tuning_task``. The exact
    number of negatives is not known there if the spec lets users have fewer of them.

    Raises:
        RecbenchError: A rule is broken; the message names the rule and the first offender.
    """
    _check_rows(task)
    train = pair_keys(task.users, task.items, task.n_items)
    train.sort()
    if (train[1:] == train[:-1]).any():
        raise _broken(task, "a (user, item) pair is in train twice")
    test = pair_keys(task.test.users, task.test.items, task.n_items)
    _refuse(task, _among(train, test), "a test row is in train", task.test)
    test.sort()
    if (test[1:] == test[:-1]).any():
        raise _broken(task, "a (user, item) pair is a test case twice")
    for column, name in ((task.users, "users"), (task.items, "items")):
        if not np.array_equal(column[task.validation_rows[: len(task.validation)]], getattr(task.validation, name)):
            raise _broken(task, "a validation case is not the train row that it names")
    for what, cases in (("test", task.test), ("validation", task.validation)):
        _check_counts(task, what, cases)
        # One chunk at least: there may be no validation case.
        chunks = [cases.part(start, start + CASES_AT_ONCE) for start in range(0, len(cases) or 1, CASES_AT_ONCE)]
        broken = [_broken_negatives(chunk, task.n_items, train, test) for chunk in chunks]
        for rule, offending in zip(NEGATIVES, zip(*broken, strict=True), strict=True):
            _refuse(task, np.concatenate(offending), rule.format(what), cases)
    check_digest(task)


def check_digest(task: Task) -> None:
    """Checks that the digest is the one that the spec pins, if it pins one.

    Raises:
        RecbenchError: It is another.
    """
    if task.spec.digest not in (None, task.digest):
        raise RecbenchError(
            f"Task {task.name!r} has the digest {task.digest}, but its spec pins {task.spec.digest}.",
            "The data, the rules or the code that draws candidates have changed; results are not comparable. "
            "To accept that: in a spec of your own, remove the line that begins with digest, or give the new one; "
            "a task that was built with --dataset, build again with --force.",
        )


def _check_rows(task: Task) -> None:
    if not len(task.test):
        raise _broken(
            task,
            "there is no test case: no user has a row to hold out and another to train on",
            "Keep users with two rows or more: give more rows, or weaker filters.",
        )
    if not len(task.users):
        raise _broken(task, "there is no train row: all rows are held out", "Hold out fewer rows, or give more.")
    bounds: dict[str, tuple[npt.NDArray[Any], int]] = {
        "users": (task.users, task.n_users),
        "items": (task.items, task.n_items),
        "validation_rows": (task.validation_rows, task.n_train),
        "test.users": (task.test.users, task.n_users),
        "test.items": (task.test.items, task.n_items),
        "validation.users": (task.validation.users, task.n_users),
        "validation.items": (task.validation.items, task.n_items),
        "test.negatives": (task.test.negatives, task.n_items),
        "validation.negatives": (task.validation.negatives, task.n_items),
    }
    for name, (array, bound) in bounds.items():
        lowest = NO_ITEM if name.endswith("negatives") else 0
        if array.size and not (array.min() >= lowest and array.max() < bound):
            raise _broken(task, f"{name} has an index outside 0 .. {bound - 1}")


def _check_counts(task: Task, what: str, cases: Cases) -> None:
    count, waivers = task.spec.negatives.count, task.spec.waivers if what == "test" else ()
    wrong = cases.n_negatives != count
    if Waiver.POSITIVE_AMONG_NEGATIVES in waivers:
        wrong &= cases.n_negatives != count - 1
    if Waiver.SEEN_AMONG_NEGATIVES in waivers:
        wrong &= cases.n_negatives > count
    if isinstance(rule := task.spec.negatives, Negatives) and rule.too_few is TooFew.FEWER:
        if task.may_withhold_rows:
            # Some of the items that a user interacted with are not in this task: the number cannot be computed again.
            wrong &= cases.n_negatives > count
        else:
            every = np.concatenate([task.items, task.test.items])
            drawable = count_distinct(every, task.n_items) if rule.method == "popularity" else task.n_items
            wrong &= cases.n_negatives != drawable - task.n_seen[cases.users]
    _refuse(task, cases.n_negatives == 0, f"a {what} case has no negative at all", cases)
    _refuse(task, wrong, f"a {what} case does not have {count} negatives", cases)


def _broken_negatives(
    cases: Cases, n_items: int, train: Int64Array, test: Int64Array
) -> tuple[npt.NDArray[np.bool_], ...]:
    """Marks (bool[cases] each) the cases that break a rule of ``NEGATIVES``.

    Args:
        cases: The cases.
        n_items: Number of items.
        train: The sorted keys of the train rows.
        test: Those of the test cases.
    """
    negatives = np.sort(cases.negatives, axis=1)
    present = negatives != NO_ITEM
    repeated = (negatives[:, 1:] == negatives[:, :-1]) & present[:, 1:]
    keys = cases.users.astype(np.int64)[:, None] * n_items + negatives
    known = (_among(train, keys) | _among(test, keys)) & present
    own = negatives == cases.items[:, None]
    return own.any(axis=1), repeated.any(axis=1), known.any(axis=1)


def _among(ordered: Int64Array, keys: Int64Array) -> npt.NDArray[np.bool_]:
    """Marks the ``keys`` that stand in ``ordered``; searches are quick where the keys ascend."""
    if not len(ordered):
        return np.zeros(keys.shape, dtype=np.bool_)
    at = np.searchsorted(ordered, keys)
    np.minimum(at, len(ordered) - 1, out=at)
    return np.asarray(ordered[at] == keys)


def _refuse(task: Task, offending: npt.NDArray[np.bool_], rule: str, cases: Cases) -> None:
    if offending.any():
        case = int(offending.argmax())
        user, item = task.user_ids[int(cases.users[case])], task.item_ids[int(cases.items[case])]
        raise _broken(task, f"{rule} ({int(offending.sum())} cases; first: user {user!r}, item {item!r})")


def _broken(task: Task, rule: str, advice: str | None = None) -> RecbenchError:
    """Returns the error about a rule; without advice, it advises to make the task again in the way that made it."""
    return RecbenchError(f"Task {task.name!r} is not valid: {rule}.", advice or _again(task))


def _again(task: Task) -> str:
    source = task.spec.dataset
    if isinstance(source, FrameData):
        return "Make it again in Python: recbench.make_task(ratings, ...)."
    if isinstance(source, PublishedData):
        return "Correct the files or DataFrames that it was made from, and make it again."
    return f"Build it again: recbench task build {shell_word(task.name)} --force"
