import numpy as np
import pytest

from recbench.data.rows import Rows
from recbench.protocol import TrainSet


def rows(n=4, ratings=True, timestamps=True):
    numbers = np.arange(n, dtype=np.int32)
    return Rows(
        numbers,
        numbers + 10,
        numbers.astype(np.float32) / 2 if ratings else None,
        numbers.astype(np.int64) * 100 if timestamps else None,
    )


@pytest.mark.parametrize(
    "selection", [np.array([False, True, True, False]), np.array([2, 1, 2])], ids=["mask", "order"]
)
def test_every_column_is_taken_alike(selection):
    taken = rows().take(selection)
    kept = np.arange(4)[selection]
    assert len(taken) == len(kept)
    for column, whole in ((taken.users, 1), (taken.items - 10, 1), (taken.ratings, 0.5), (taken.timestamps, 100)):
        assert column.tolist() == (kept * whole).tolist()
    assert (taken.users.dtype, taken.ratings.dtype, taken.timestamps.dtype) == (np.int32, np.float32, np.int64)


def test_columns_that_are_missing_stay_missing():
    bare = rows(ratings=False, timestamps=False)
    for other in (bare.take(np.array([0])), Rows.joined([bare, bare])):
        assert other.ratings is None
        assert other.timestamps is None


def test_joined_rows_have_the_columns_that_all_parts_have():
    joined = Rows.joined([rows(2), rows(3, ratings=False)])
    assert joined.users.tolist() == [0, 1, 0, 1, 2]
    assert joined.ratings is None
    assert joined.timestamps.tolist() == [0, 100, 0, 100, 200]
    assert Rows.joined([rows(2)]).ratings.tolist() == [0, 0.5]


def test_renumbered_rows_keep_their_order():
    renamed = rows(2).renumbered(np.array([7, 8], dtype=np.int32), np.arange(20, dtype=np.int32)[::-1])
    assert renamed.users.tolist() == [7, 8]
    assert renamed.items.tolist() == [9, 8]
    assert renamed.timestamps.tolist() == [0, 100]


def test_a_train_set_leaves_the_arrays_of_its_caller_writeable():
    own = (np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.ones(2, np.float32), np.ones(2, np.int64))
    train = TrainSet.from_rows(1, 2, *own)
    assert all(array.flags.writeable for array in own)
    arrays = (train.users, train.items, train.ratings, train.timestamps, train.indptr, train.indices)
    assert not any(array.flags.writeable for array in arrays)
