"""Removal of tasks and datasets from the cache, and of nothing else."""

import errno
import json
import os
import time
from pathlib import Path

import pytest

import recbench as rb
from recbench.cli.shared.durations import parse_duration
from recbench.data import fetch as fetching
from recbench.data.catalogue import catalogue
from recbench.data.file_use import hold
from recbench.data.removal import remove_file
from recbench.errors import RecbenchError
from recbench.tasks import lookup, task_file
from recbench.tasks.cache_contents import Kind, contents
from recbench.tasks.removal import clean, remove_dataset, remove_task

DAY = 24 * 3600


@pytest.fixture
def built(synthetic_task, home):
    """Stores a task under some name as if it had been built, and returns its file."""

    def store(name: str, folder: str = "built", suffix: str = "0123456789ab.task") -> Path:
        path = home / "tasks" / folder / f"{name}-{suffix}"
        task_file.save(synthetic_task, path)
        return path

    return store


@pytest.fixture
def own(synthetic_task):
    """Stores a task from a DataFrame among the user's own."""

    def store(name: str) -> Path:
        return lookup.keep_as_own(rb.make_task(synthetic_task.train_frame(), name=name, negatives=5))

    return store


@pytest.fixture
def added(tmp_path, monkeypatch):
    """A small file in the place of ml-1m, added by hand."""
    monkeypatch.setitem(
        catalogue(), "ml-1m", catalogue()["ml-1m"].model_copy(update={"rows": 1, "users": 1, "items": 1})
    )
    path = tmp_path / "ratings.dat"
    path.write_text("1::1::3::978300760\n")
    return fetching.add("ml-1m", [path])["ratings.dat"]


def aged(path: Path, days: float) -> Path:
    then = time.time() - days * DAY
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def test_a_name_s_files_are_removed_and_no_longer_name_s(built, home):
    files = [
        built("ml-100k"),
        built("ml-100k", "tuning", "validation-0123456789ab.task"),
        built("ml-100k", "by-digest", f"{'0' * 32}.task"),
    ]
    others = [built("ml-100k-loo"), built("xml-100k"), built("ml-100k", suffix="notes.task")]
    n_bytes = sum(path.stat().st_size for path in files)
    removed = remove_task("ml-100k", yes=True)
    assert (removed.n_files, removed.n_bytes) == (3, n_bytes)
    assert removed.again == "Build it again: recbench task build ml-100k"
    assert not any(path.exists() for path in files)
    assert all(path.exists() for path in others)
    assert remove_task("ml-100k").n_files == 0


def test_a_task_that_cannot_be_made_again_needs_a_yes(own):
    path = own("shop")
    with pytest.raises(RecbenchError, match="'shop' is yours") as caught:
        remove_task("shop")
    assert caught.value.hint.splitlines() == [
        "Keep a copy: recbench task export shop -o FOLDER",
        "Remove it: recbench task remove shop --yes",
    ]
    assert path.exists()
    assert remove_task("shop", yes=True).n_files == 1
    assert not path.exists()


@pytest.mark.parametrize("name", ["../shop", "sho", "/etc/passwd", "*", "", "shop.toml"])
def test_other_names_remove_nothing(own, home, name):
    own("shop")
    before = sorted(home.rglob("*"))
    with pytest.raises(RecbenchError, match="Unknown task"):
        remove_task(name, yes=True)
    with pytest.raises(RecbenchError, match="Unknown dataset"):
        remove_dataset(name)
    assert sorted(home.rglob("*")) == before


def test_nothing_that_recbench_did_not_write_is_removed(own, home, tmp_path):
    own("shop")
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x-0123456789ab.task").write_text("precious")
    strangers = [
        "notes.txt",
        ".notes.tmp",
        "tasks/own/.hidden.task",
        "tasks/built/notes.task",
        "tasks/built/.notes.tmp",
        "tasks/checked/notes",
        "datasets/mine/ratings.csv",
        "datasets/ml-100k/notes.txt",
        "datasets/.mine-abcdefgh/x",
    ]
    for name in strangers:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")
        aged(path, 100)
    links = [home / "tasks" / "built" / "linked-0123456789ab.task", home / "datasets" / ".ml-100k-abcdefgh"]
    links[0].symlink_to(precious / "x-0123456789ab.task")
    links[1].symlink_to(precious)
    for path in (*precious.iterdir(), precious, *links, home / "datasets" / ".mine-abcdefgh"):
        aged(path, 100)
    clean(0, own=True)
    assert all(link.is_symlink() for link in links)
    assert all((home / name).read_text() == "precious" for name in strangers)
    assert (precious / "x-0123456789ab.task").read_text() == "precious"
    assert not (home / "tasks" / "own" / "shop.task").exists()


def test_a_folder_of_the_cache_that_leads_elsewhere_is_left_alone(built, home, tmp_path):
    path = built("ml-100k")
    elsewhere = tmp_path / "elsewhere"
    path.parent.rename(elsewhere)
    path.parent.symlink_to(elsewhere)
    for remove in (lambda: remove_task("ml-100k"), lambda: clean(0)):
        with pytest.raises(RecbenchError, match="outside of the cache"):
            remove()
    assert (elsewhere / path.name).exists()


def test_a_file_in_use_stays_until_its_task_is_gone(built):
    path = built("ml-100k")
    task = task_file.load(path)
    with pytest.raises(RecbenchError, match="in use by a running process"):
        remove_task("ml-100k")
    for dry_run in (True, False):
        cleaning = clean(0, dry_run=dry_run)
        assert [(file.path, reason) for file, reason in cleaning.kept] == [(path, "in use by a running process")]
    assert path.exists()
    del task
    assert remove_task("ml-100k").n_files == 1


def test_a_task_in_memory_keeps_its_file_while_a_run_needs_it(built):
    path = built("ml-100k")
    hold(path)
    assert not remove_file(path)
    again = built("ml-100k")
    hold(again)
    assert not remove_file(again)


def test_a_task_that_is_removed_while_it_is_loaded_is_built_again(monkeypatch):
    first = lookup.load_task("synthetic").digest
    path = lookup.find_task("synthetic").path
    load = task_file.load

    def after_removal(file: Path):
        file.unlink()
        return load(file)

    monkeypatch.setattr(task_file, "load", after_removal)
    assert lookup.load_task("synthetic").digest == first
    assert path.exists()


def test_clean_removes_what_was_not_used_for_that_long(built, home):
    old, new, used = aged(built("a"), 31), aged(built("b"), 29), aged(built("c"), 31)
    task_file.load(used)
    cleaning = clean(30 * DAY, dry_run=True)
    assert [file.path for file in cleaning.removed] == [old]
    assert old.exists()
    assert [file.path for file in clean(30 * DAY).removed] == [old]
    assert (old.exists(), new.exists(), used.exists()) == (False, True, True)
    mark = next((home / "tasks" / "checked").iterdir())
    aged(mark, 31)
    task_file.load(used)
    assert clean(30 * DAY).removed == []
    aged(mark, 31)
    assert [file.kind for file in clean(30 * DAY).removed] == [Kind.CHECK]


def test_clean_keeps_what_cannot_be_made_again_unless_asked_for(own, added, built, home):
    files = [aged(own("shop"), 31), aged(built("df", "by-digest", f"{'0' * 32}.task"), 31), aged(added, 31)]
    aged(added.with_name(f"{added.name}.adopted.json"), 31)
    cleaning = clean(30 * DAY)
    kept = {file.path for file, _ in cleaning.kept}
    # The task by digest is synthetic: recbench builds it again.
    assert (files[0] in kept, files[1].exists(), files[2] in kept) == (True, False, True)
    removed = {file.path for file in clean(30 * DAY, own=True).removed}
    assert {files[0], files[2]} <= removed
    assert not (home / "datasets" / "ml-1m").exists()


def test_a_dataset_is_used_as_a_whole(added):
    note = aged(added.with_name(f"{added.name}.adopted.json"), 100)
    aged(added, 100)
    fetching.fetch("ml-1m")
    assert clean(30 * DAY, own=True).removed == []
    assert note.exists()


def test_a_removed_dataset_says_how_to_get_it_again(added, tmp_path, home):
    assert remove_dataset("ml-1m").again == f"Get it again: recbench data add ml-1m {tmp_path / 'ratings.dat'}"
    assert not (home / "datasets" / "ml-1m").exists()
    assert remove_dataset("ml-1m").n_files == 0
    assert remove_dataset("ml-100k").again == "Get it again: recbench data fetch ml-100k"


def test_left_overs_of_a_day_are_removed_and_younger_ones_may_still_be_written(home):
    temporary = home / "tasks" / "built" / ".x.task.0123456789abcdef.tmp"
    folder = home / "datasets" / ".ml-1m-abc_efgh"
    folder.mkdir(parents=True)
    temporary.parent.mkdir(parents=True)
    temporary.write_text("half")
    (folder / "ratings.dat").write_text("half")
    assert clean(0).removed == []
    for path in (temporary, folder / "ratings.dat", folder):
        aged(path, 2)
    assert sum(file.n_bytes for file in clean(0).removed) == 8
    assert not temporary.exists()
    assert not folder.exists()


def test_a_cache_that_is_missing_or_may_not_be_changed(built, home, monkeypatch):
    assert contents() == []
    assert clean(0).removed == []
    assert not home.exists()
    path = built("ml-100k")

    def refuse(self, missing_ok=False):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(RecbenchError, match=f"Cannot remove {path}: Permission denied"):
        remove_task("ml-100k")


@pytest.mark.parametrize(("text", "seconds"), [("12h", 43_200), ("30d", 2_592_000), (" 4 W", 2_419_200), ("0d", 0)])
def test_durations(text, seconds):
    assert parse_duration("--older-than", text) == seconds


@pytest.mark.parametrize("text", ["30", "d", "-1d", "1.5d", "30m", "1d 2h", "٣d", "9999999d", ""])
def test_what_is_no_duration(text):
    with pytest.raises(RecbenchError, match="is not a length of time"):
        parse_duration("--older-than", text)


def test_the_verbs_show_sizes_and_what_was_removed(recbench, built, home):
    path = aged(built("ml-100k"), 31)
    n_bytes = path.stat().st_size
    (row,) = [row for row in json.loads(recbench("task", "list", "--json").stdout)["tasks"] if row["name"] == "ml-100k"]
    assert row["bytes"] == n_bytes
    done = json.loads(recbench("clean", "--older-than", "30d", "--json").stdout)
    assert (done["bytes"], [file["path"] for file in done["removed"]], done["kept"]) == (n_bytes, [str(path)], [])
    built("ml-100k")
    done = recbench("task", "remove", "ml-100k")
    assert done.stdout == f"Removed the task ml-100k: 1 file, {n_bytes / 1e6:.1f} MB\n"
    assert str(home) in recbench("data", "list").stdout
