import dataclasses

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.tasks.spec import Waiver
from recbench.tasks.task import NO_ITEM, Cases, Task
from recbench.tasks.verify import verify


def changed(task: Task, **arrays) -> Task:
    columns = {name: arrays.pop(name) for name in ("users", "items", "timestamps") if name in arrays}
    return dataclasses.replace(task, rows=dataclasses.replace(task.rows, **columns), **arrays)


def with_case(cases: Cases, case: int, *, item: int | None = None, negatives=None) -> Cases:
    items, lists = cases.items.copy(), cases.negatives.copy()
    if item is not None:
        items[case] = item
    if negatives is not None:
        lists[case] = negatives
    return Cases(cases.users, items, lists)


def test_the_digest_is_that_of_rules_and_arrays(board):
    same = changed(board, spec=board.spec.model_copy(update={"name": "other", "description": "new"}))
    assert same.digest == board.digest
    for name in ("users", "items"):
        array = getattr(board, name).copy()
        array[0] += 1
        assert changed(board, **{name: array}).digest != board.digest
    assert changed(board, timestamps=np.arange(board.n_train)).digest != board.digest
    rule = board.spec.negatives.model_copy(update={"seed": 1})
    assert changed(board, spec=board.spec.model_copy(update={"negatives": rule})).digest != board.digest


def test_the_digest_does_not_depend_on_byte_order_or_layout(board):
    big = Cases(board.test.users.astype(">i4"), board.test.items.astype(">i4"), np.asfortranarray(board.test.negatives))
    assert changed(board, test=big).digest == board.digest


def test_train_sets_hold_train_rows_and_cannot_be_written(board):
    train, tuning = board.train_set(), board.train_set_for_validation()
    assert len(train) == board.n_train
    assert len(tuning) == board.n_train - len(board.validation)
    pairs = set(zip(tuning.users.tolist(), tuning.items.tolist(), strict=True))
    held = set(zip(board.validation.users.tolist(), board.validation.items.tolist(), strict=True))
    tested = set(zip(board.test.users.tolist(), board.test.items.tolist(), strict=True))
    assert not pairs & held
    assert not pairs & tested
    for array in (train.users, train.items, train.indptr, train.indices):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    for user in range(train.n_users):
        row = train.indices[train.indptr[user] : train.indptr[user + 1]]
        assert row.tolist() == sorted(train.items[train.users == user].tolist())


def test_nothing_reachable_from_a_train_set_holds_more_than_train_rows(board):
    for train in (board.train_set(), board.train_set_for_validation()):
        for array in (train.users, train.items, train.indptr, train.indices):
            assert array.base is None or array.base.size == array.size


def test_a_good_task_is_good(board, synthetic_task):
    verify(board)
    verify(synthetic_task)


def breakages(task: Task):
    test = task.test
    own_train = int(task.items[task.users == test.users[0]][0])
    negatives = test.negatives[0]
    pinned = task.spec.model_copy(update={"digest": "sha256:" + "0" * 64})
    yield "a test row is in train", {"test": with_case(test, 0, item=own_train)}
    yield (
        "twice",
        {
            "users": np.append(task.users, task.users[-1]),
            "items": np.append(task.items, task.items[-1]),
        },
    )
    yield "the same negative twice", {"test": with_case(test, 0, negatives=[negatives[1], *negatives[1:]])}
    yield "positive is a negative", {"test": with_case(test, 0, negatives=[test.items[0], *negatives[1:]])}
    yield "interacted with", {"test": with_case(test, 0, negatives=[own_train, *negatives[1:]])}
    yield "does not have 12 negatives", {"test": with_case(test, 0, negatives=[*negatives[1:], NO_ITEM])}
    yield "outside 0 .. 23", {"test": with_case(test, 0, negatives=[24, *negatives[1:]])}
    yield "outside 0 .. 23", {"items": np.append(task.items[:-1], np.int32(-1))}
    yield (
        "validation positive is a negative",
        {
            "validation": with_case(
                task.validation, 0, negatives=[task.validation.items[0], *task.validation.negatives[0, 1:]]
            )
        },
    )
    yield "not the train row", {"validation_rows": task.validation_rows - 1}
    nothing = {name: getattr(task, name)[:0] for name in ("users", "items")}
    empty = Cases(test.users[:0], test.items[:0], task.validation.negatives[:0])
    yield "no train row", nothing | {"validation_rows": task.validation_rows[:0], "validation": empty}
    yield "no test case", {"test": Cases(test.users[:0], test.items[:0], test.negatives[:0])}
    yield (
        "a test case twice",
        {"test": Cases(*(np.concatenate([a, a[:1]]) for a in (test.users, test.items, test.negatives)))},
    )
    yield "validation.items has an index outside", {"validation": with_case(task.validation, 0, item=-1)}
    yield "no negative at all", {"test": with_case(test, 0, negatives=[NO_ITEM] * len(negatives))}
    yield "its spec pins", {"spec": pinned}


@pytest.mark.parametrize("which", range(16))
def test_every_rule_is_checked(board, which):
    message, change = list(breakages(board))[which]
    with pytest.raises(RecbenchError, match=message):
        verify(changed(board, **change))


def test_a_waiver_allows_one_negative_less(board):
    short = with_case(board.test, 3, negatives=[*board.test.negatives[3, 1:], NO_ITEM])
    waiving = board.spec.model_copy(update={"waivers": (Waiver.POSITIVE_AMONG_NEGATIVES,)})
    verify(changed(board, test=short, spec=waiving))
    two_short = with_case(board.test, 3, negatives=[*board.test.negatives[3, 2:], NO_ITEM, NO_ITEM])
    with pytest.raises(RecbenchError, match="does not have 12 negatives"):
        verify(changed(board, test=two_short, spec=waiving))
