"""A task that goes out as files comes back with the digest that it had."""

import os
import re

import numpy as np
import pandas as pd
import pytest

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.tasks.build import split_and_draw
from recbench.tasks.exchange.export import SPEC_NAME, export
from recbench.tasks.exchange.forms import ExportForm
from recbench.tasks.exchange.imports import LIGHTGCN, import_folder, import_split
from recbench.tasks.exchange.ncf import import_ncf
from recbench.tasks.exchange.split_files import SplitFiles
from recbench.tasks.spec import LeaveOneOut, Negatives, SyntheticData, TaskSpec, Waiver

TABLES = [ExportForm.CSV, ExportForm.PARQUET, ExportForm.RECBOLE]
UNIFORM = Negatives(method="uniform", count=3)


def a_task(mark=", 'ü", order="timestamp"):
    """Rows whose times are not in file order, ratings that are no round numbers, ids of every kind."""
    rng = np.random.default_rng(0)
    keys = rng.permutation(12 * 30)[:150]
    users, items = (keys // 30).astype(np.int32), (keys % 30).astype(np.int32)
    ids = (
        IdTable.from_strings(f"0{u}{mark}" for u in range(12)),
        IdTable.from_strings(f"i {i}{mark}" for i in range(30)),
    )
    ratings = rng.random(150).astype(np.float32)
    columns = Rows(users, items, ratings, rng.integers(10**9, 2 * 10**9, 150))
    rows = Interactions(columns, *ids, n_duplicates=4)
    spec = TaskSpec(
        name="strange",
        dataset=SyntheticData(source="synthetic"),
        split=LeaveOneOut(method="leave-one-out", order=order),
        negatives=Negatives(method="popularity", count=5),
    )
    return split_and_draw(spec, rows.numbered_by_hash())


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("order", ["file", "timestamp"])
def test_a_task_comes_back_with_its_digest(tmp_path, form, order):
    task = a_task(order=order)
    files = export(task, tmp_path, form)
    assert all(path.exists() for path in files)
    back = import_folder("again", tmp_path)
    assert (back.name, back.digest) == ("again", task.digest)
    assert np.array_equal(back.test_times, task.test_times)
    assert str(tmp_path) not in (tmp_path / SPEC_NAME).read_text()


@pytest.mark.parametrize("form", TABLES)
def test_a_builtin_task_comes_back_with_its_digest(tmp_path, synthetic_task, form):
    export(synthetic_task, tmp_path, form)
    assert import_folder("again", tmp_path).digest == synthetic_task.digest


def test_what_was_changed_does_not_come_back(tmp_path):
    export(a_task(), tmp_path, ExportForm.CSV)
    path = tmp_path / "train.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]))
    with pytest.raises(RecbenchError, match="its spec pins"):
        import_folder("again", tmp_path)
    (tmp_path / SPEC_NAME).write_text("[task]\n")
    with pytest.raises(RecbenchError, match="is not a spec of an exported task: files: Field required"):
        import_folder("again", tmp_path)


@pytest.mark.parametrize("elsewhere", ["/etc/passwd", "../secret.csv", "sub/../../secret.csv", "linked.csv", "pipe"])
def test_a_folder_from_somebody_else_names_no_file_outside_of_it(tmp_path, elsewhere):
    folder = tmp_path / "from-somebody"
    export(a_task(), folder, ExportForm.CSV)
    (tmp_path / "secret.csv").write_text("user,item\nroot:x:0:0,1,2\n")
    (folder / "linked.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe")
    spec = folder / SPEC_NAME
    text = spec.read_text()
    spec.write_text(text.replace('"train.csv"', f'"{elsewhere}"'))
    with pytest.raises(RecbenchError, match="is outside of it|is no file") as raised:
        import_folder("again", folder)
    assert "root:x" not in str(raised.value)
    (tmp_path / "secret.toml").write_text("root:x:0:0")
    spec.unlink()
    spec.symlink_to(tmp_path / "secret.toml")
    with pytest.raises(RecbenchError, match="is outside of it") as raised:
        import_folder("again", folder)
    assert "root:x" not in str(raised.value)


def test_an_imported_task_names_no_file_to_be_built_from(tmp_path):
    export(a_task(), tmp_path, ExportForm.CSV)
    spec = tmp_path / SPEC_NAME
    spec.write_text(
        re.sub(r"\[task.dataset\][^\[]*", '[task.dataset]\nsource = "file"\npath = "/etc/passwd"\n\n', spec.read_text())
    )
    with pytest.raises(RecbenchError, match="its dataset is 'file'"):
        import_folder("again", tmp_path)


def test_the_ncf_form_comes_back_with_its_digest_if_its_ids_are_numbers(tmp_path):
    (tmp_path / "train").write_text("0\t0\t5\t10\n0\t1\t4\t11\n1\t2\t3.0\t12\n1\t3\t3\t13\n".replace("3.0", "3"))
    (tmp_path / "test").write_text("0\t2\t5\t20\n1\t0\t4\t21\n")
    (tmp_path / "negatives").write_text("(0,2)\t2\t4\n(1,0)\t1\t4\n")
    waived = frozenset([Waiver.POSITIVE_AMONG_NEGATIVES])
    task = import_ncf("toy", tmp_path / "train", tmp_path / "test", tmp_path / "negatives", waived)
    export(task, tmp_path / "out", ExportForm.NCF)
    names = [tmp_path / "out" / f"toy.{part}" for part in ("train.rating", "test.rating", "test.negative")]
    assert import_ncf("again", *names, waived).digest == task.digest
    export(task, tmp_path / "csv", ExportForm.CSV)
    again = import_folder("again", tmp_path / "csv")
    assert again.digest == task.digest


def test_a_number_that_occurs_in_no_file_is_no_item(tmp_path):
    (tmp_path / "train").write_text("0\t0\n0\t10\n9\t20\n9\t30\n")
    (tmp_path / "test").write_text("0\t20\n9\t0\n")
    (tmp_path / "negatives").write_text("(0,20)\t30\n(9,0)\t40\n")
    task = import_ncf("toy", tmp_path / "train", tmp_path / "test", tmp_path / "negatives")
    assert sorted(task.user_ids) == ["0", "9"]
    assert sorted(task.item_ids) == ["0", "10", "20", "30", "40"]
    assert [task.item_ids[int(item)] for item in task.test.negatives[:, 0]] == ["30", "40"]


def test_the_ncf_form_of_other_ids_says_what_the_numbers_are(tmp_path):
    task = a_task()
    export(task, tmp_path, ExportForm.NCF)
    back = import_ncf(
        "again", *(tmp_path / f"strange.{part}" for part in ("train.rating", "test.rating", "test.negative"))
    )
    ids = pd.read_csv(tmp_path / "items.csv", dtype=str).set_index("number")["id"]
    assert [ids[back.item_ids[int(i)]] for i in back.test.items] == [task.item_ids[int(i)] for i in task.test.items]
    assert np.array_equal(back.test_times, task.test_times)


def test_recbole_reads_its_files_as_published(tmp_path):
    task = a_task(mark="")
    export(task, tmp_path, ExportForm.RECBOLE)
    head = (tmp_path / "strange.train.inter").read_text().splitlines()[:2]
    assert head[0] == "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    assert len(head[1].split("\t")) == 4
    splits = [pd.read_csv(tmp_path / f"strange.{part}.inter", sep="\t") for part in ("train", "valid", "test")]
    assert [len(part) for part in splits] == [task.n_train - len(task.validation), len(task.validation), len(task.test)]


@pytest.mark.parametrize("mark", ['"', "\t", '"\t,"'])
def test_an_id_that_cannot_stand_in_an_atomic_file(tmp_path, mark):
    task = a_task(mark)
    with pytest.raises(RecbenchError, match="cannot be written to a RecBole file"):
        export(task, tmp_path, ExportForm.RECBOLE)
    export(task, tmp_path, ExportForm.CSV)
    assert import_folder("again", tmp_path).digest == task.digest


def write(folder, **files):
    paths = {}
    for name, text in files.items():
        paths[name] = folder / name
        paths[name].write_text(text)
    return SplitFiles(**paths)


TRAIN = "user,item\nu,a\nu,b\nv,c\nv,a\nw,d\n"
TEST = "user,item\nu,c\nv,d\n"
CANDIDATES = "user,item,negative\nv,d,e\nu,c,d\nu,c,e\nv,d,b\n"
ALL_ITEMS = "id\na\nb\nc\nd\ne\nf\ng\n"


def test_pairs_with_candidates(tmp_path):
    task = import_split(
        "own", "pairs", write(tmp_path, train=TRAIN, test=TEST, candidates=CANDIDATES, items=ALL_ITEMS), UNIFORM
    )
    assert task.n_items == 7
    lists = [[task.item_ids[int(i)] for i in row] for row in task.test.negatives]
    assert lists == [["d", "e"], ["e", "b"]]
    assert task.spec.negatives.method == "published"
    assert task.n_users_without_case == 1


def test_pairs_without_candidates_and_with_validation(tmp_path):
    files = write(tmp_path, train=TRAIN, test=TEST, validation="user,item\nu,d\n", items=ALL_ITEMS)
    task = import_split("own", "pairs", files, UNIFORM)
    assert task.test.negatives.shape == (2, 3)
    assert task.validation_rows.tolist() == [5]
    assert task.item_ids[int(task.validation.items[0])] == "d"
    assert task.uniform_negatives


def test_lightgcn(tmp_path, caplog):
    files = write(tmp_path, train="0 1 2 3\n1 4 6\n", test="0 4 5\n1 1\n2 1\n")
    task = import_split("own", "lightgcn", files, Negatives(method="uniform", count=1), LIGHTGCN)
    assert (task.n_users, task.n_items, task.n_train, len(task.test)) == (3, 6, 5, 4)
    assert "1 of 4 cases have a user that has no train row" in caplog.text
    assert "1 of 4 cases have an item that has no train row" in caplog.text


def test_users_with_several_cases_have_several_validation_rows(tmp_path):
    """A tenth of each user's train rows, so that metrics of users can be selected by; and digests of others stay."""
    train = "".join(f"{user} {' '.join(map(str, range(user, user + n)))}\n" for user, n in enumerate((1, 5, 20, 21)))
    files = write(tmp_path, train=train, test="0 10 11\n1 10 11\n2 1 23\n3 1\n")
    task = import_split("own", "lightgcn", files, Negatives(method="uniform", count=1), LIGHTGCN)
    by_id = dict(zip(task.user_ids, np.bincount(task.validation.users, minlength=4).tolist(), strict=True))
    assert by_id == {"0": 0, "1": 1, "2": 2, "3": 3}
    assert '"validation_share":"0.1"' in task.spec.rules()
    export(task, tmp_path / "exported", ExportForm.CSV)
    again = import_folder("again", tmp_path / "exported")
    assert (again.digest, again.spec.split) == (task.digest, task.spec.split)
    files = write(tmp_path, train=train, test="0 10\n1 10\n2 1 23\n3 1\n")
    task = import_split("own", "lightgcn", files, Negatives(method="uniform", count=1), LIGHTGCN)
    assert np.bincount(task.validation.users).max() == 1
    assert "validation_share" not in task.spec.rules()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"candidates": CANDIDATES.replace("v,d,b", "v,d,zz")}, "names 1 items that occur in no row .* such as 'zz'"),
        ({"candidates": CANDIDATES.replace("v,d,b", "nobody,d,b")}, "names 1 users that occur in no row"),
        ({"candidates": CANDIDATES.replace("v,d,b", "v,a,b")}, "user 'v', item 'a' is not a case"),
        ({"candidates": CANDIDATES.replace("v,d,b", "v,d,e")}, "the same negative twice"),
        ({"candidates": CANDIDATES.replace("u,c,d\n", "")}, "has 1 instead of 2 negatives"),
        ({"candidates": CANDIDATES.replace("v,d,b", "v,d,d")}, "1 of the 2 lists .* hold their own positive"),
        ({"candidates": "user,item\nu,c\n"}, "no column 'negative'"),
        ({"test": TEST + "u,a\n"}, "a test row is in train"),
        ({"test": "user,item\n"}, "has no rows"),
    ],
)
def test_files_that_are_no_split(tmp_path, files, message):
    given = {"train": TRAIN, "test": TEST, "candidates": CANDIDATES, "items": ALL_ITEMS, **files}
    with pytest.raises(RecbenchError, match=message):
        import_split("own", "pairs", write(tmp_path, **given), UNIFORM)


def test_validation_rows_that_are_not_theirs(tmp_path):
    export(a_task(), tmp_path, ExportForm.CSV)
    path = tmp_path / "validation-rows.csv"
    path.write_text(path.read_text().replace("\n", "\nx", 1))
    with pytest.raises(RecbenchError, match="does not name 12 rows"):
        import_folder("again", tmp_path)
