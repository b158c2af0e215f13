"""Temporary files: those of killed processes are removed, those of living ones and of anybody else are not."""

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from recbench import temporary_files
from recbench.data.cache import atomic_path, move_into_place
from recbench.errors import RecbenchError
from recbench.tasks.lookup import load_task
from recbench.tasks.removal import clean
from recbench.temporary_files import is_left_over, remove_leftovers, temporary_file, temporary_folder
from tests.killed_children import killed_at_each_write

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is a copy of this one")


def put(target: Path) -> None:
    with atomic_path(target) as temporary:
        temporary.write_text("new")


def leave_behind(folder: Path) -> list[Path]:
    """What a process that is killed while it writes leaves: a file and a folder."""
    child = os.fork()
    if child == 0:
        with temporary_file(folder), temporary_folder(folder) as inner:
            (inner / "half").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    left = sorted(path for path in folder.iterdir() if temporary_files.TEMPORARY_NAME.fullmatch(path.name))
    assert len(left) == 2
    return left


@needs_fork
def test_only_what_ended_processes_have_left_is_removed(tmp_path):
    own = [tmp_path / name for name in (".notes.tmp", ".recbench-notes.tmp", ".x.json.0123456789abcdef.tmp")]
    for path in own:
        path.write_text("precious")
    left = leave_behind(tmp_path)
    (tmp_path / f".recbench-{'0' * 16}.tmp").symlink_to(own[0])
    with temporary_file(tmp_path) as file, temporary_folder(tmp_path) as folder:
        assert [is_left_over(path) for path in (*left, file, folder)] == [True, True, False, False]
        remove_leftovers(tmp_path)
        assert file.exists()
        assert folder.exists()
    assert not any(path.exists() for path in left)
    assert all(path.read_text() == "precious" for path in own)


def test_what_is_removed_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    lock, taken = temporary_files.lock_exclusively, []

    def lock_late(descriptor):
        if not taken:
            taken.extend(tmp_path.iterdir())
            remove_leftovers(tmp_path)
        return lock(descriptor)

    for make in (temporary_file, temporary_folder):
        taken.clear()
        with monkeypatch.context() as patch:
            patch.setattr(temporary_files, "lock_exclusively", lock_late)
            with make(tmp_path) as path:
                assert taken not in ([], [path])
                assert list(tmp_path.iterdir()) == [path]
                assert not is_left_over(path)


@needs_fork
def test_without_locks_only_what_is_a_day_old_is_removed(tmp_path, monkeypatch):
    left = leave_behind(tmp_path)
    monkeypatch.setattr(temporary_files, "lock_exclusively", lambda _: None)
    remove_leftovers(tmp_path)
    assert all(path.exists() for path in left)
    for path in left:
        os.utime(path, (0, time.time() - 25 * 3600))
    remove_leftovers(tmp_path)
    assert not any(path.exists() for path in left)


@needs_fork
@pytest.mark.parametrize("place", ["tasks/built", "tasks/own", "datasets", "datasets/ml-1m"])
def test_the_next_command_removes_what_was_left_in_the_cache(home, place):
    load_task("synthetic")
    (home / place).mkdir(parents=True, exist_ok=True)
    left = leave_behind(home / place)
    load_task("synthetic")
    assert not any(path.exists() for path in left)
    left = leave_behind(home / place)
    with temporary_file(home / place) as file:
        assert set(left) >= {entry.path for entry in clean(0, dry_run=True).removed if entry.path.name.startswith(".")}
        clean(0)
        assert file.exists()


@needs_fork
def test_a_killed_write_leaves_the_old_file_or_the_new_one(tmp_path):
    target = tmp_path / "page.md"

    target.write_text("old")
    seen = set()
    for _ in killed_at_each_write(lambda: put(target)):
        seen.add(target.read_text())
        assert len(list(tmp_path.iterdir())) <= 2
        target.write_text("old")
    assert seen == {"old", "new"}
    put(target)
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_disk_that_takes_no_more_leaves_the_old_file(tmp_path, monkeypatch, number, call):
    target, source = tmp_path / "page.md", tmp_path / "source"
    target.write_text("old")
    source.write_text("new")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    for write in (lambda: move_into_place(source, target), lambda: put(target)):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, refuse)
            with pytest.raises(RecbenchError, match=os.strerror(number)) as caught:
                write()
        assert str(target) in caught.value.message
        assert caught.value.hint
        assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.md", "source"]


def test_an_error_about_a_source_is_not_one_about_the_target(tmp_path):
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_path(tmp_path / "x"):
        Path("/nowhere/elsewhere").read_text()
    assert not list(tmp_path.iterdir())
