import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.tasks import storage


def test_a_task_comes_back_as_it_went_in(synthetic_task, tmp_path):
    path = tmp_path / "task.npz"
    storage.save(synthetic_task, path)
    back = storage.load(path)
    assert back.digest == synthetic_task.digest
    assert back.spec == synthetic_task.spec
    for (name, one), (other_name, other) in zip(synthetic_task.arrays(), back.arrays(), strict=True):
        assert name == other_name
        assert np.array_equal(one, other)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["task.npz"]


def test_files_that_are_not_tasks(synthetic_task, tmp_path):
    path = tmp_path / "task.npz"
    with pytest.raises(RecbenchError, match="No such task file"):
        storage.load(path)
    storage.save(synthetic_task, path)
    whole = path.read_bytes()
    for content in (b"", b"nonsense", whole[: len(whole) // 2], whole[:100] + whole[400:]):
        path.write_bytes(content)
        with pytest.raises(RecbenchError, match="is not a task file that can be read"):
            storage.load(path)
    np.savez(path, something=np.arange(3))
    with pytest.raises(RecbenchError, match="is not a task file that can be read"):
        storage.load(path)


def rewritten(path, **changes):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **{**arrays, **changes})


def test_a_changed_array_is_noticed(synthetic_task, tmp_path):
    path = tmp_path / "task.npz"
    storage.save(synthetic_task, path)
    items = synthetic_task.test.items.copy()
    items[0] += 1
    rewritten(path, **{"test.items": items})
    with pytest.raises(RecbenchError, match="was changed after it was written"):
        storage.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"test.items": np.zeros(3, dtype=np.int32)},
        {"test.items": np.zeros(600, dtype=np.float64)},
        {"users": np.array([object()], dtype=object)},
        {"user_ids.offsets": np.array([0, 5], dtype=np.int64)},
        {"recbench": np.frombuffer(b"{}", dtype=np.uint8)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(synthetic_task, tmp_path, changes):
    path = tmp_path / "task.npz"
    storage.save(synthetic_task, path)
    rewritten(path, **changes)
    with pytest.raises(RecbenchError, match="is not a task file that can be read"):
        storage.load(path)


def test_a_folder_that_cannot_be_written(synthetic_task, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecbenchError, match="Cannot write"):
        storage.save(synthetic_task, tmp_path / "file" / "task.npz")
