"""A model that says how much memory it needs, and does not get it."""

import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.registry.models import find_model
from recbench.trials import memory_check
from recbench.trials.clock import TimedContext
from recbench.trials.container_memory import container_memory_left
from recbench.trials.events import Event, EventKind
from recbench.trials.memory_check import NotEnoughMemoryError, memory_checked, stated_memory
from recbench.trials.memory_claims import Memory, memory_claimed


class Needs:
    def __init__(self, needed):
        self.needed = needed

    def memory_bytes(self, train):
        return self.needed


@pytest.fixture
def checked(tmp_path):
    def check(model, train, limit, free):
        events = []
        with memory_checked(stated_memory(model, train), train, limit, events.append, lambda: free, tmp_path):
            return events

    return check


def test_it_is_said_and_compared_with_what_is_left(board, checked):
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
def test_models_with_square_matrices_say_so(name, board, checked):
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


CLAIM = """
import sys
from pathlib import Path
from recbench.trials.memory_claims import memory_claimed
with memory_claimed(int(sys.argv[1]), lambda: 2**40, Path(sys.argv[2])):
    print(flush=True)
    taken = b"x" * int(sys.argv[3])
    print(flush=True)
    sys.stdin.read()
"""


def test_what_another_trial_has_yet_to_take_is_not_free(board, tmp_path):
    """A trial beside this one takes a half of what it has claimed; then it is killed."""
    claimed, taken, free = 2**28, 2**27, 2**30
    command = [sys.executable, "-c", CLAIM, str(claimed), str(tmp_path), str(taken)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        other.stdout.readline()
        with memory_claimed(1, lambda: free, tmp_path) as memory:
            assert memory.claimed == pytest.approx(claimed - taken, abs=2**24)
            assert memory == Memory(free - memory.claimed, memory.claimed)
        train, events, needed = board.train_set(), [], int(0.9 * 2**30)
        refused = (
            r"needs 0\.9 GiB of memory, and 0\.9 GiB .* beside 1\d\d\.\d MiB that other trials .*; use fewer --jobs"
        )
        with (
            pytest.raises(NotEnoughMemoryError, match=refused),
            memory_checked(needed, train, None, events.append, lambda: free, tmp_path),
        ):
            pass
        assert [event.done for event in events] == [needed]
    finally:
        other.kill()
        other.communicate()
    # It could not withdraw its claim.
    assert len([*tmp_path.glob("*.json")]) == 1
    with memory_claimed(1, lambda: free, tmp_path) as memory:
        assert memory == Memory(free)
    assert not [*tmp_path.glob("*.json")]


def test_only_a_claim_that_is_met_stays_during_the_block(tmp_path):
    for needed, claims in ((2**20, 1), (2**30 + 1, 0)):
        with memory_claimed(needed, lambda: 2**30, tmp_path) as memory:
            assert memory == Memory(2**30)
            assert len([*tmp_path.glob("*.json")]) == claims
        assert not [*tmp_path.glob("*.json")]


def test_a_folder_that_cannot_be_used_tells_nothing_of_others(tmp_path):
    (tmp_path / "file").touch()
    with memory_claimed(2**20, lambda: 2**30, tmp_path / "file" / "memory") as memory:
        assert memory == Memory(2**30)


def cgroup(folder, version, limit, used, droppable):
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")}.get(
        version, ("memory.max", "memory.current", "inactive_file")
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {droppable}\nactive_file 7\n")


@pytest.mark.parametrize(
    ("version", "line", "base", "unlimited"),
    [
        (2, "0::/pod/box", "", "max"),
        (1, "7:cpu,cpuacct:/other\n4:hugetlb,memory:/pod/box\n0::/pod/box", "memory", "9223372036854771712"),
    ],
)
def test_the_limit_of_a_container_counts(tmp_path, version, line, base, unlimited):
    mount, membership = tmp_path / "mount", tmp_path / "cgroup"
    membership.write_text(f"{line}\n")
    left = lambda: container_memory_left(mount, membership)  # noqa: E731
    assert left() is None
    own, above = mount / base / "pod" / "box", mount / base / "pod"
    cgroup(own, version, unlimited, 100, 0)
    assert left() is None or left() > 2**60
    # What is kept of files and was not used for long is dropped first.
    cgroup(own, version, 1000, 700, 200)
    assert left() == 500
    cgroup(above, version, 800, 750, 0)
    assert left() == 50
    cgroup(above, version, 800, 900, 0)
    assert left() == 0
    # In a container, only its own group is mounted, and the path may be that of the host.
    own.parent.rename(tmp_path / "gone")
    assert left() is None
    cgroup(mount / base, version, 300, 100, 0)
    assert left() == 200
    membership.write_text(line.replace("/pod/box", "/../box"))
    assert left() == 200
    (mount / base / ("memory.current" if version == 2 else "memory.usage_in_bytes")).write_text("nonsense")
    assert left() is None
    membership.unlink()
    assert left() is None


def test_the_smaller_of_machine_and_container_is_free(monkeypatch):
    for left, free in ((None, 900), (300, 300), (2**62, 900)):
        monkeypatch.setattr(memory_check, "container_memory_left", lambda left=left: left)
        monkeypatch.setattr(memory_check.psutil, "virtual_memory", lambda: SimpleNamespace(available=900))
        assert memory_check.free_memory() == free
