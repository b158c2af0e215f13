import json
import mmap

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.tasks import task_file
from recbench.tasks import verification_cache as checks
from recbench.tasks.array_file import MAGIC, PAGE, map_arrays, write_arrays
from recbench.tasks.task import Cases


def test_a_task_comes_back_as_it_went_in(synthetic_task, tmp_path):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    back = task_file.load(path)
    assert back.digest == synthetic_task.digest
    assert back.spec == synthetic_task.spec
    for (name, array), (other_name, other_array) in zip(synthetic_task.arrays(), back.arrays(), strict=True):
        assert name == other_name
        assert np.array_equal(array, other_array)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["task.task"]


def test_an_array_s_map_holds_its_own_bytes_and_no_others(synthetic_task, tmp_path):
    """What leads to train rows, by whatever base, does not lead to the held-out rows beside them in the file."""
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    for name, array in task_file.load(path).arrays():
        base = array
        while not isinstance(base, mmap.mmap):
            base = base.obj if isinstance(base, memoryview) else base.base
        assert len(base) == array.nbytes, name
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_a_model_that_writes_into_its_rows_changes_neither_the_task_nor_its_file(synthetic_task, tmp_path):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    before = path.read_bytes()
    task = task_file.load(path)
    for name in ("users", "items", "timestamps"):
        array = getattr(task.train_set(), name)
        base = array.base
        while not isinstance(base, mmap.mmap):
            base = base.obj if isinstance(base, memoryview) else base.base
        # A plain map of these bytes only: nothing leads from it to the file.
        assert type(base) is mmap.mmap
        assert len(base) == array.nbytes
        base[:] = bytes(len(base))
        assert not array.any()
        assert np.array_equal(getattr(task, name), getattr(synthetic_task, name))
        assert getattr(task.train_set(), name).any()
    assert path.read_bytes() == before
    # Those of a task in memory are copies.
    assert not np.shares_memory(synthetic_task.train_set().users, synthetic_task.users)


def test_tasks_of_the_old_form_stay_readable(synthetic_task, tmp_path):
    path = tmp_path / "task.npz"
    header = {
        "format": 1,
        "digest": synthetic_task.digest,
        "n_duplicates": 3,
        "spec": synthetic_task.spec.model_dump(mode="json"),
    }
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(path, **{"recbench": text}, **dict(synthetic_task.arrays()))
    back = task_file.load(path)
    assert (back.digest, back.n_duplicates) == (synthetic_task.digest, 3)


def test_files_that_are_not_tasks(synthetic_task, tmp_path):
    path = tmp_path / "task.task"
    with pytest.raises(RecbenchError, match="No such task file"):
        task_file.load(path)
    task_file.save(synthetic_task, path)
    whole = path.read_bytes()
    huge = MAGIC + (2**60).to_bytes(8, "little")
    other = [whole[:40], whole[: len(whole) // 2], whole[: -2 * PAGE], whole[:100] + whole[400:], MAGIC, huge]
    for content in (b"", b"nonsense", *other):
        path.write_bytes(content)
        with pytest.raises(RecbenchError, match="is not a task file"):
            task_file.load(path)
    np.savez(path, something=np.arange(3))
    with pytest.raises(RecbenchError, match="is not a task file that can be read"):
        task_file.load(path.with_name("task.task.npz"))


def rewritten(path, header=None, **changes):
    old, arrays = map_arrays(path)
    write_arrays(path.with_name("new"), {**old, **(header or {})}, {**arrays, **changes})
    path.with_name("new").replace(path)


def test_a_changed_array_is_noticed(synthetic_task, tmp_path):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    task_file.load(path)
    items = synthetic_task.test.items.copy()
    items[0] += 1
    rewritten(path, **{"test.items": items})
    with pytest.raises(RecbenchError, match="was changed after it was written"):
        task_file.load(path)


def test_rules_are_checked_when_a_digest_is_new_and_whatever_the_file_is_called(synthetic_task, tmp_path, monkeypatch):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    checked = []
    monkeypatch.setattr(checks, "verify", checked.append)
    for _ in range(2):
        task_file.load(path.rename(tmp_path / "other.task"))
        path = tmp_path / "other.task"
    assert len(checked) == 1
    monkeypatch.setattr(checks, "RULES", checks.RULES + 1)
    task_file.load(path)
    assert len(checked) == 2


def test_a_task_that_breaks_a_rule_is_refused_each_time(synthetic_task, tmp_path):
    test = synthetic_task.test
    bad = Cases(test.users, test.items, np.roll(test.negatives, 1, axis=0))
    task = type(synthetic_task)(**{**vars_of(synthetic_task), "test": bad})
    path = tmp_path / "task.task"
    task_file.save(task, path)
    for _ in range(2):
        with pytest.raises(RecbenchError, match="is not valid"):
            task_file.load(path)


def test_a_pinned_digest_is_compared_each_time(synthetic_task, tmp_path):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    task_file.load(path)
    spec = synthetic_task.spec.model_dump(mode="json") | {"digest": "sha256:" + "0" * 64}
    rewritten(path, {"spec": spec})
    with pytest.raises(RecbenchError, match="its spec pins"):
        task_file.load(path)


def test_a_cache_that_cannot_be_written_is_no_obstacle_to_loading(synthetic_task, tmp_path, home):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    home.write_text("in the way")
    assert task_file.load(path).digest == synthetic_task.digest


def vars_of(task):
    return {name: getattr(task, name) for name in type(task).__dataclass_fields__}


@pytest.mark.parametrize(
    "changes",
    [
        {"test.items": np.zeros(3, dtype=np.int32)},
        {"test.items": np.zeros(600, dtype=np.float64)},
        {"users": np.zeros((3, 3), dtype=np.int32)},
        {"user_ids.offsets": np.array([0, 5], dtype=np.int64)},
        {"validation_rows": np.zeros(1, dtype=np.int64)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(synthetic_task, tmp_path, changes):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    rewritten(path, **changes)
    with pytest.raises(RecbenchError, match="is not a task file that can be read"):
        task_file.load(path)


@pytest.mark.parametrize("offset", [1, PAGE // 2, PAGE + 1, True, 0.0, "0", -PAGE])
def test_an_array_begins_at_a_page(synthetic_task, tmp_path, offset):
    path = tmp_path / "task.task"
    task_file.save(synthetic_task, path)
    content = path.read_bytes()
    start = len(MAGIC) + 8
    length = int.from_bytes(content[len(MAGIC) : start], "little")
    header = json.loads(content[start : start + length])
    header["arrays"]["users"]["offset"] = offset
    text = json.dumps(header, sort_keys=True).encode()
    path.write_bytes(MAGIC + len(text).to_bytes(8, "little") + text.ljust(PAGE - start, b"\0") + content[PAGE:])
    with pytest.raises(RecbenchError, match="its header describes the array 'users' in no valid way"):
        task_file.load(path)


def test_a_folder_that_cannot_be_written(synthetic_task, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecbenchError, match="is a file, and a folder is expected"):
        task_file.save(synthetic_task, tmp_path / "file" / "task.task")
