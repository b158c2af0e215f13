import gzip

import pytest

from recbench.data.ids import IdTable
from recbench.data.interactions import hash_order
from recbench.errors import RecbenchError
from recbench.tasks.exchange.ncf import import_ncf
from recbench.tasks.spec import Waiver
from recbench.tasks.task import NO_ITEM

TRAIN = "0\t0\t5\t10\n0\t1\t4\t11\n1\t2\t3\t12\n1\t3\t3\t13\n"
TEST = "0\t2\t5\t20\n1\t0\t4\t21\n"
NEGATIVES = "(0,2)\t3\t4\n(1,0)\t1\t4\n"
WAIVED = frozenset([Waiver.POSITIVE_AMONG_NEGATIVES])


def run(folder, train=TRAIN, test=TEST, negatives=NEGATIVES, waivers=frozenset(), zipped=False):
    paths = []
    for name, text in (("train", train), ("test", test), ("negatives", negatives)):
        path = folder / name
        path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
        paths.append(path)
    return import_ncf("toy", *paths, waivers)


def originals(task, items):
    return [[None if item == NO_ITEM else task.item_ids[int(item)] for item in row] for row in items]


@pytest.mark.parametrize("zipped", [False, True])
def test_reads_a_published_split(tmp_path, zipped):
    task = run(tmp_path, zipped=zipped)
    assert (task.n_users, task.n_items, task.n_train, len(task.test)) == (2, 5, 4, 2)
    assert originals(task, task.test.negatives) == [["3", "4"], ["1", "4"]]
    assert originals(task, [task.test.items]) == [["2", "0"]]
    assert [task.user_ids[int(u)] for u in task.test.users] == ["0", "1"]
    assert task.ratings.tolist() == [5, 4, 3, 3]
    assert sorted(originals(task, [task.validation.items])[0]) == ["1", "3"]
    assert task.validation.negatives.shape == (2, 2)


def test_published_numbers_become_ids_for_they_give_held_out_items_away(tmp_path):
    task = run(tmp_path)
    assert sorted(task.item_ids) == ["0", "1", "2", "3", "4"]
    assert list(task.item_ids) == list(IdTable.from_strings("01234").take(hash_order(IdTable.from_strings("01234"))))
    assert list(task.item_ids) != sorted(task.item_ids)


def test_two_columns_are_enough(tmp_path):
    task = run(tmp_path, train="0\t0\n0\t1\n1\t2\n1\t3\n", test="0\t2\n1\t0\n")
    assert task.ratings is None
    assert task.timestamps is None


def test_users_with_one_row_each_leave_no_validation(tmp_path):
    task = run(tmp_path, train="0\t0\n1\t2\n")
    assert len(task.validation) == 0
    assert len(task.test) == 2


def test_a_list_that_holds_its_positive_needs_the_waiver(tmp_path):
    broken = "(0,2)\t2\t4\n(1,0)\t1\t4\n"
    with pytest.raises(RecbenchError, match="1 of the 2 lists") as caught:
        run(tmp_path, negatives=broken)
    assert "--waive positive-among-negatives" in caught.value.hint
    task = run(tmp_path, negatives=broken, waivers=WAIVED)
    assert originals(task, task.test.negatives) == [["4", None], ["1", "4"]]
    assert task.test.n_negatives.tolist() == [1, 2]
    assert task.summary()["waivers"] == ["positive-among-negatives"]
    assert task.summary()["n_negatives_min"] == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"negatives": "(0,2)\t3\t4\n(1,1)\t1\t4\n"}, "do not name the same"),
        ({"negatives": "(0,2)\t3\t4\n"}, "do not name the same"),
        ({"negatives": "0 3 4\n"}, "not a file of candidates"),
        ({"negatives": "(0,2)\t3\t4\n(1,0)\t1\n"}, "line 2: 1 fields, most lines have 2"),
        ({"negatives": "(0,2)\t3\t3\n(1,0)\t1\t4\n"}, "the same negative twice"),
        ({"negatives": "(0,2)\t1\t4\n(1,0)\t1\t4\n"}, "interacted with"),
        ({"negatives": "(0,2)\n(1,0)\n"}, "not a file of candidates"),
        ({"train": TRAIN + "0\t4294967297\t1\t1\n"}, "has the item number 4294967297, and the split has"),
        ({"train": TRAIN + "0\t99999999999999999999\t1\t1\n"}, "not a whole number"),
        ({"train": ""}, "is empty"),
        ({"train": "0\tx\n"}, "not a whole number"),
        ({"train": "0\t-1\n"}, "not a whole number"),
        ({"train": "0\n"}, "has 1 columns"),
        ({"train": TRAIN.replace("\t5\t", "\t1e99\t")}, "'1e99' is not finite"),
        ({"train": TRAIN.replace("\t5\t", "\tnan\t")}, "'nan' is not finite"),
        ({"train": TRAIN + "0\t2\t5\t9\n", "negatives": "(0,2)\t4\n(1,0)\t4\n"}, "a test row is in train"),
    ],
)
def test_files_that_are_not_a_split(tmp_path, files, message):
    with pytest.raises(RecbenchError, match=message):
        run(tmp_path, **files)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(RecbenchError, match=r"Cannot read .*a: No such file or directory"):
        import_ncf("toy", tmp_path / "a", tmp_path / "b", tmp_path / "c")
    whole = gzip.compress(TRAIN.encode() * 99)
    (tmp_path / "cut").write_bytes(whole[:-20])
    with pytest.raises(RecbenchError, match="cannot be read"):
        import_ncf("toy", tmp_path / "cut", tmp_path / "b", tmp_path / "c")
