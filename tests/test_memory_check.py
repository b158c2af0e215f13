"""A model that says how much memory it needs, and does not get it."""

import tracemalloc

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.registry.models import find_model
from recbench.trials.clock import TimedContext
from recbench.trials.events import Event, EventKind
from recbench.trials.memory_check import NotEnoughMemoryError, check_memory


class Needs:
    def __init__(self, needed):
        self.needed = needed

    def memory_bytes(self, train):
        return self.needed


def checked(model, train, limit, free):
    events = []
    check_memory(model, train, limit, events.append, free=lambda: free)
    return events


def test_it_is_said_and_compared_with_what_is_left(board):
    train = board.train_set()
    for needed in (0, 5 * 2**30, np.int64(5 * 2**30)):
        assert checked(Needs(needed), train, None, 5 * 2**30) == [Event(EventKind.MEMORY, done=needed, total=5 * 2**30)]
    for needed in (5 * 2**30 + 1, 2**90):
        with pytest.raises(NotEnoughMemoryError, match=r"not started.* 24 items .*, and 5\.0 GiB are available; use"):
            checked(Needs(needed), train, 2**60, 5 * 2**30)
    # The rest of this process counts.
    with pytest.raises(NotEnoughMemoryError, match=r"needs 3\.0 GiB .* of the limit of 3\.0 GiB are left"):
        checked(Needs(3 * 2**30), train, 3 * 2**30, 2**50)
    assert checked(Needs(3 * 2**30), train, 3 * 2**33, 2**50)
    assert checked(object(), train, 0, 0) == []


@pytest.mark.parametrize("name", ["ease", "slim"])
def test_models_with_square_matrices_say_so(name, board):
    model = find_model(name).load()()
    assert board.n_items**2 * 4 < checked(model, board.train_set(), None, 2**50)[0].done < 2**24


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("itemknn", {"overlap": 1e9}), ("rp3beta", {"overlap": 1e9}), ("ease", {}), ("slim", {}), ("gf-cf", {})],
)
def test_what_they_say_is_about_what_they_take(name, parameters):
    rows = np.random.default_rng(0).random((300, 1000)) < 0.05
    users, items = (index.astype(np.int32) for index in np.nonzero(rows))
    train = TrainSet.from_rows(*rows.shape, users, items)
    model = find_model(name).load()(**parameters)
    tracemalloc.start()
    try:
        model.fit(train, TimedContext(0, 1))
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Memory that does not grow with the square of the number of items is not part of it.
    small = 2**24
    assert 0.3 * model.memory_bytes(train) < taken < model.memory_bytes(train) + small
