"""Before it is asked to score, a model holds nothing that leads to a held-out row.

Everything that a trial hands to a model is walked: attributes, slots, closures, bases of arrays, targets of weak
references, the namespaces of recbench's own modules, and whatever else the garbage collector knows of an object. Not
walked are other modules' namespaces, for they are open to everyone, and stack frames:
``recbench/trials/model_context.py`` says where the boundary is.
"""

import contextlib
import gc
import sys
import types
import weakref
from collections import defaultdict, deque
from dataclasses import replace
from functools import cache
from itertools import chain

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.records.schema import Status
from recbench.registry.hyperparameters import configure
from recbench.registry.models import ModelReference, Origin
from recbench.tasks.task import Cases, Task
from recbench.trials.clock import TimedContext
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.events import ignore
from recbench.trials.learning_curve import Curve
from recbench.trials.model_context import ModelContext, context_for_model
from recbench.trials.trial import run_trial

HARNESS = (Task, Cases, Curve, TimedContext)
"""Nothing of these may be within reach: they hold held-out rows, or the clock."""


@cache
def attributes_of(kind):
    """The names under which an object of a class may hold others, beside what the garbage collector knows."""
    slots = [vars(base).get("__slots__", ()) for base in kind.__mro__]
    names = chain.from_iterable([names] if isinstance(names, str) else names for names in slots)
    return (*dict.fromkeys(names), *(["__dict__"] if kind.__dictoffset__ else []))


def neighbours(thing):
    referents = gc.get_referents(thing)
    if isinstance(thing, np.ndarray):
        referents.append(thing.base)
    if isinstance(thing, memoryview):
        referents.append(thing.obj)
    if isinstance(thing, weakref.ref):
        referents.append(thing())
    for name in attributes_of(type(thing)):
        # Past whatever the class makes of the access to an attribute.
        with contextlib.suppress(AttributeError, TypeError):
            referents.append(object.__getattribute__(thing, name))
    return referents


def in_harness(module_name):
    """Whether a module is part of a trial's process.

    ``recbench.testing`` is not: pytest loads it, and the module's loader leads to pytest's own objects, hence to every
    fixture of this process.
    """
    first, _, rest = module_name.partition(".")
    return first == "recbench" and rest.partition(".")[0] != "testing"


def reachable(*roots):
    """Everything within reach, each once."""
    foreign = {
        id(vars(module))
        for name, module in list(sys.modules.items())
        if isinstance(module, types.ModuleType) and not in_harness(name)
    }
    seen, waiting = {}, deque(roots)
    while waiting:
        thing = waiting.popleft()
        if id(thing) in seen or id(thing) in foreign or isinstance(thing, types.FrameType):
            continue
        if isinstance(thing, types.ModuleType) and not in_harness(thing.__name__):
            continue
        seen[id(thing)] = thing
        waiting.extend(neighbours(thing))
    return list(seen.values())


def secrets_of(task):
    splits = {"test": task.test, "validation": task.validation}
    return {
        **{f"{part}.{name}": getattr(cases, name) for part, cases in splits.items() for name in vars(Cases(0, 0, 0))},
        "validation_rows": task.validation_rows,
    }


def leaks(things, secrets):
    """Names what is within reach and should not be."""
    leaked = [type(thing).__name__ for thing in things if isinstance(thing, HARNESS)]
    arrays = [thing for thing in things if isinstance(thing, np.ndarray)]
    texts = [thing for thing in things if isinstance(thing, bytes | bytearray)]
    by_length = defaultdict(list)
    for thing in things:
        if isinstance(thing, list | tuple):
            by_length[len(thing)].append(thing)
    for name, secret in secrets.items():
        leaked += [f"memory of {name}" for array in arrays if np.shares_memory(array, secret)]
        numbers = (array for array in arrays if array.dtype.kind in "iuf" and array.size)
        leaked += [f"values of {name}" for array in numbers if holds(array, secret)]
        hidden = secret.tobytes()
        leaked += [f"bytes of {name}" for text in texts if hidden in text]
        leaked += [f"a list of {name}" for values in by_length[len(secret)] if is_list_of(values, secret)]
    return leaked


def holds(array, secret):
    """Whether the values of ``secret`` stand in ``array`` one after the other; 0, 1, 2, ... is no secret."""
    if array.size < secret.size or np.array_equal(secret, np.arange(len(secret))):
        return False
    return secret.astype(np.float64).tobytes() in array.astype(np.float64).tobytes()


def is_list_of(values, secret):
    return all(type(value) is int for value in values) and [*values] == secret.tolist()


def trial(task, model, curve=None):
    configuration = configure(ModelReference("probe", "probe:Probe", Origin.MODULE), model, {})
    return run_trial(task, configuration, 0, Conditions(ks=(1,), curve=curve), ignore)


class Probe:
    """A model that looks around at every moment at which it is handed something.

    Found and met are in this module's namespace: the walk reaches the class itself, in the protocol's cache of classes.
    """

    def __init__(self, factors: int = 8, loss: str = "bpr"):
        look(factors, loss)

    def warm_up(self, train, context):
        look(train, context, context.end_epoch, context.report)

    def fit(self, train, context):
        look(train, context, context.end_epoch, context.report)
        for _ in range(2):
            context.end_epoch(0.5)
            context.report(device="cpu")
            look(train, context, context.end_epoch, context.report)

    def score(self, users, items):
        return np.zeros(items.shape)


SECRETS: dict[str, np.ndarray] = {}
FOUND: list[list[str]] = []
MET: set[type] = set()


def look(*handed):
    things = reachable(*handed)
    MET.update(type(thing) for thing in things)
    FOUND.append(leaks(things, SECRETS))


@pytest.fixture(params=["board", "synthetic_task"])
def task(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("curve", [None, CurveEpochs.parse("all")], ids=["plain", "curve"])
def test_what_a_model_is_handed_leads_to_no_held_out_row(task, curve):
    SECRETS.update(secrets_of(task))
    FOUND.clear()
    MET.clear()
    outcome = trial(task, Probe, curve)
    assert outcome.record.status is Status.DONE, outcome.traceback
    assert len(outcome.record.curve) == (2 if curve else 0)
    # The constructor, warm_up, fit and the two epochs.
    assert FOUND == [[]] * 5
    assert {TrainSet, ModelContext, np.ndarray, types.FunctionType} <= MET


def test_the_walk_finds_what_a_context_with_a_callback_gives_away(task):
    """The walk can see: this is what models would be handed without the for_model."""
    curve = Curve(Probe(), task.test, (1,), CurveEpochs.parse("all"), ignore)
    context = TimedContext(0, 1, lambda epoch, loss: curve.epoch(epoch, 0.0))
    for handed in (context, context.end_epoch):
        leaked = leaks(reachable(handed), secrets_of(task))
        assert {"TimedContext", "Curve", "Cases", "memory of test.items", "values of test.negatives"} <= set(leaked)


def test_the_walk_finds_views_slots_weak_references_and_copies(task):
    class Slotted:
        __slots__ = ("__weakref__", "hidden")

    slotted = Slotted()
    secrets = secrets_of(task)
    for hidden in (
        task.test.items[1:3],
        task.test.items.astype(np.int64),
        np.concatenate([task.items, task.test.items]),
        task.test.items.tolist(),
        task.test.items.tobytes(),
        memoryview(task.test.items),
    ):
        slotted.hidden = hidden
        assert any("test.items" in leak for leak in leaks(reachable(weakref.ref(slotted)), secrets))
    slotted.hidden = task.items[:3]
    assert leaks(reachable(slotted), secrets) == []


def pairs(users, items):
    return set(zip(users.tolist(), items.tolist(), strict=True))


def arrays_of(train):
    ids = [
        array
        for encoded in (train.encoded_user_ids, train.encoded_item_ids)
        for array in (encoded.text, encoded.offsets)
    ]
    rows = (train.users, train.items, train.ratings, train.timestamps, train.indptr, train.indices)
    return [array for array in (*rows, *ids) if array is not None]


def test_train_sets_are_copies_without_held_out_rows(task):
    test = pairs(task.test.users, task.test.items)
    validation = pairs(task.validation.users, task.validation.items)
    whole, part = task.train_set(), task.train_set_for_validation()
    assert len(whole) == task.n_train
    assert len(part) == task.n_train - len(validation)
    own = [array for _, array in task.arrays()]
    for train, hidden in ((whole, test), (part, test | validation)):
        by_row = np.repeat(np.arange(train.n_users), np.diff(train.indptr))
        assert not hidden & pairs(train.users, train.items)
        assert not hidden & pairs(by_row, train.indices)
        for array in arrays_of(train):
            assert not array.flags.writeable
            assert array.base is None or array.base.size == array.size
            assert not any(np.shares_memory(array, other) for other in own)


@pytest.mark.parametrize("validation", [False, True], ids=["train", "train without validation"])
def test_original_ids_cover_the_train_rows_only(task, validation):
    # No task of these tests has a user or an item without a train row.
    absent = {"users": task.users[0], "items": task.items[-1]}
    kept = np.flatnonzero((task.users != absent["users"]) & (task.items != absent["items"]))
    task = replace(task, rows=task.rows.take(kept), validation_rows=np.arange(0, len(kept), 7, dtype=np.int64))
    train = task.train_set_for_validation() if validation else task.train_set()
    for present, decoded, encoded, table in (
        (train.users, train.user_ids, train.encoded_user_ids, task.user_ids),
        (train.items, train.item_ids, train.encoded_item_ids, task.item_ids),
    ):
        every, known = list(table), set(present.tolist())
        assert decoded.tolist() == [text if index in known else None for index, text in enumerate(every)]
        assert None in decoded
        # Nothing of the others is left in the bytes.
        assert encoded.text.tobytes().decode() == "".join(text for text in decoded if text is not None)


def test_train_rows_without_ids_say_so():
    train = TrainSet.from_rows(1, 1, np.zeros(1, np.int32), np.zeros(1, np.int32))
    with pytest.raises(ValueError, match="without original ids; give item_ids"):
        _ = train.item_ids


def test_the_train_set_for_validation_leads_to_no_held_out_row(task):
    secrets = secrets_of(task)
    assert leaks(reachable(task.train_set_for_validation()), secrets) == []
    rows = pairs(task.users[task.validation_rows], task.items[task.validation_rows])
    assert rows == pairs(task.validation.users, task.validation.items)


def test_a_model_that_forces_its_way_spoils_its_own_rows_only(task):
    class Vandal:
        def fit(self, train, context):
            for array in arrays_of(train):
                array.flags.writeable = True
                array[:] = 0

        def score(self, users, items):
            scores = (users[:, None] * 7 + items) % 5 / 5
            users[:] = 0
            items[:] = 0
            return scores

    class Meek(Vandal):
        def fit(self, train, context):
            pass

        def score(self, users, items):
            return (users[:, None] * 7 + items) % 5 / 5

    before = [array.copy() for _, array in task.arrays()]
    outcomes = [trial(task, model) for model in (Vandal, Meek)]
    assert all(np.array_equal(a, b) for a, (_, b) in zip(before, task.arrays(), strict=True))
    vandal, meek = (outcome.ranks.candidates for outcome in outcomes)
    assert np.array_equal(vandal.better, meek.better)
    assert np.array_equal(vandal.tied, meek.tied)


def test_the_context_of_a_model_holds_three_values_and_takes_no_more():
    with context_for_model(TimedContext(3, 2, device="cpu")) as for_model:
        assert (for_model.seed, for_model.threads, for_model.device) == (3, 2, "cpu")
        with pytest.raises(AttributeError):
            for_model.spy = 1
        with pytest.raises(AttributeError):
            for_model.seed = 1


def test_a_message_that_nobody_listens_to_says_why():
    with context_for_model(TimedContext(0, 1)) as for_model:
        assert for_model.end_epoch()
    with pytest.raises(RuntimeError, match="the thread in which fit"):
        for_model.end_epoch()


def test_messages_go_to_the_trial_that_runs():
    outer, inner = TimedContext(0, 1), TimedContext(0, 1)
    with context_for_model(outer) as for_model:
        with context_for_model(inner) as other:
            other.end_epoch()
        for_model.end_epoch(0.5)
        for_model.report(device="cpu")
    assert (outer.epochs, outer.loss, outer.facts, inner.epochs) == (1, 0.5, {"device": "cpu"}, 1)
