"""Locks between processes: one holder at a time, and none after the holder has ended."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from recbench import process_locks
from recbench.errors import RecbenchError
from recbench.process_locks import lock_held

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is a copy of this one")


@pytest.fixture(params=["with locks", "without locks"])
def lock(request, tmp_path, monkeypatch) -> Path:
    """The file of a lock, on a file system that has locks, and on one that has none."""
    if request.param == "without locks":
        monkeypatch.setattr(process_locks, "lock_exclusively", lambda _: None)
    return tmp_path / "x.lock"


def a_child_that(does) -> int:
    child = os.fork()
    if child == 0:
        try:
            does()
        finally:
            os._exit(0)
    return child


@needs_fork
def test_no_two_processes_hold_a_lock_at_once(lock, tmp_path):
    total = tmp_path / "total"
    total.write_text("0")

    def add():
        for _ in range(20):
            with lock_held(lock, 60):
                total.write_text(str(int(total.read_text()) + 1))

    for child in [a_child_that(add) for _ in range(4)]:
        os.waitpid(child, 0)
    assert total.read_text() == "80"


@needs_fork
def test_a_lock_ends_with_its_process(lock):
    def die():
        with lock_held(lock, 60):
            os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(a_child_that(die), 0)
    with lock_held(lock, 0):
        pass
    assert {path.suffix for path in lock.parent.iterdir()} <= {".lock"}


def test_a_process_that_keeps_a_lock_is_named(lock):
    with lock_held(lock, 60), pytest.raises(RecbenchError, match=rf"\b{os.getpid()}\b") as caught, lock_held(lock, 0):
        pass
    assert caught.value.hint
    with lock_held(lock, 0):
        pass


def test_a_lock_that_another_host_has_left(tmp_path, monkeypatch):
    monkeypatch.setattr(process_locks, "lock_exclusively", lambda _: None)
    monkeypatch.setattr(process_locks, "SECONDS_OF_OTHER_HOST", 0.05)
    marker = tmp_path / "x.held.lock"
    marker.write_text(json.dumps({"host": "other.example", "pid": 7, "started": "earlier"}))
    expected = pytest.raises(RecbenchError, match="process 7 of the machine other.example")
    with expected as caught, lock_held(tmp_path / "x.lock", 60):
        pass
    assert caught.value.hint.endswith(f"rm {marker}")
    marker.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "started": "earlier"}))
    with lock_held(tmp_path / "x.lock", 0):  # the id is used again: this process started later
        pass
    assert not marker.exists()
