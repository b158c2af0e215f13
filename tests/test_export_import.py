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
from recbench.tasks.make import make_task
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


def rows_of(**columns):
    numbers = np.random.default_rng(0).choice(20 * 60, 300, replace=False)
    frame = pd.DataFrame({"user": numbers // 60, "item": numbers % 60, "timestamp": 1_700_000_000 + np.arange(300)})
    return frame.assign(**columns)


def item(name):
    """Returns rows in which one of the items has this name."""
    frame = rows_of()
    return frame.assign(item=("i" + frame["item"].astype(str)).where(frame["item"] != 5, name))


WHEN = pd.to_datetime(rows_of()["timestamp"], unit="s").astype(str).tolist()
FAR = "9999" if int(pd.__version__.split(".")[0]) >= 3 else "2261"
"""A late year: pandas 2 reads texts as nanoseconds, which end in 2262."""
STRANGE = {
    "times that read like dates": (rows_of(timestamp=20_140_101 + np.arange(300) % 28), "order"),
    "times of very different sizes": (rows_of(timestamp=(1.5 ** (np.arange(300) % 96)).astype(np.int64)), "order"),
    "times that only give an order": (rows_of(timestamp=np.arange(300)), "seconds"),
    "mostly zeros": (rows_of(timestamp=np.where(np.arange(300) < 200, 0, 10**9)), "seconds"),
    "microseconds in a late year": (rows_of(timestamp=[f"{FAR}-12-31T00:00:00.5", *WHEN[1:]]), None),
    "microseconds in 1970": (rows_of(timestamp=["1970-01-01T00:00:00.5", *WHEN[1:]]), None),
    "no times": (rows_of().drop(columns="timestamp"), None),
    "the user id": (rows_of(user=["id" if user == 3 else str(user) for user in rows_of()["user"]]), None),
    "names of columns": (rows_of(user=["user" if user == 3 else str(user) for user in rows_of()["user"]],
                                 item=["item" if item == 3 else str(item) for item in rows_of()["item"]]), None),
}  # fmt: skip
IDS = [
    *("id", "row", "user", "item", "negative", "nan", "NA", "null", " lead", "trail ", "#c", "a,b", "a;b", "a::b", "é"),
    *("\ufeffb", "'s", "\\N", "<<<<<<< x", "=======", "007", "7.0", "\u2028x", "x\x1fy", "x\x85y", "\x0bz"),
]
NOT_IN_ATOMIC_FILES = ["x\ny", "a\r\nb", "c\rd", 'q"x', '"q"', '"', "tab\tx"]


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("what", STRANGE)
def test_times_and_names_come_back_as_they_are(tmp_path, form, what):
    frame, unit = STRANGE[what]
    task = make_task(frame, negatives=5, timestamp_format=unit)
    export(task, tmp_path, form)
    back = import_folder("again", tmp_path)
    assert back.digest == task.digest
    assert (back.test_times is None) == (task.test_times is None)
    assert task.test_times is None or np.array_equal(back.test_times, task.test_times)


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("name", IDS + NOT_IN_ATOMIC_FILES)
def test_every_id_comes_back(tmp_path, form, name):
    if name in NOT_IN_ATOMIC_FILES and form is ExportForm.RECBOLE:
        form = ExportForm.CSV
    test = item(name).drop_duplicates("user", keep="last")
    train = item(name).drop(test.index)
    split = make_task((train, test), negatives=5, items=[f"{name}2"], users=[f"{name}2"])
    for task in (make_task(item(name), negatives=5), split):
        export(task, tmp_path / task.digest[-8:], form)
        assert import_folder("again", tmp_path / task.digest[-8:]).digest == task.digest


@pytest.mark.parametrize("form", TABLES)
def test_the_folder_of_an_export_may_have_any_name(tmp_path, form):
    task = make_task(rows_of(), negatives=5)
    export(task, tmp_path / "user=1" / "timestamp=x", form)
    assert import_folder("again", tmp_path / "user=1" / "timestamp=x").digest == task.digest


@pytest.mark.parametrize("form", TABLES)
def test_a_task_without_validation_cases_comes_back(tmp_path, form):
    rows = [(user, item) for user in range(8) for item in (user % 5, 5 + user % 3)]
    task = make_task(pd.DataFrame(rows, columns=["user", "item"]), negatives=2)
    assert not len(task.validation)
    export(task, tmp_path, form)
    assert import_folder("again", tmp_path).digest == task.digest


@pytest.mark.parametrize("form", TABLES)
def test_tables_of_several_blocks_come_back(tmp_path, form):
    numbers = np.random.default_rng(0).choice(300 * 400, 30_000, replace=False)
    frame = pd.DataFrame({"user": numbers // 400, "item": numbers % 400}).astype(str)
    task = make_task(frame.assign(item="a rather long name of an item, " + frame["item"]), negatives=100)
    files = export(task, tmp_path, form)
    assert form is ExportForm.PARQUET or max(path.stat().st_size for path in files) > 2**21
    assert import_folder("again", tmp_path).digest == task.digest


def test_an_item_of_a_list_may_have_the_name_of_its_column(tmp_path):
    lists = {"items": "id\na\nb\nc\nd\ne\nf\nid\n", "users": "id\nid\nz\n"}
    task = import_split("own", "pairs", write(tmp_path, train=TRAIN, test=TEST, **lists), UNIFORM)
    assert "id" in set(task.item_ids)
    assert {"id", "z"} < set(task.user_ids)
    with pytest.raises(RecbenchError, match="it repeats the header"):
        import_split("own", "pairs", write(tmp_path, train=TRAIN + TRAIN, test=TEST), UNIFORM)


DAMAGES = {
    "train.csv": [
        (lambda text: "", "is empty"),
        (lambda text: text.replace('"user"', '"who"'), "is no table of an export: it has no column 'user'"),
        (lambda text: text[:-14], "is no table of an export: CSV parse error: .*Expected 3 columns, got"),
        (lambda text: text.replace("1700000000", "yesterday"), "is no table of an export: .*conversion error to int64"),
        (lambda text: text.replace("1700000000", ""), "has a row whose timestamp is missing or no finite number"),
        (lambda text: "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "a Git LFS pointer"),
        (lambda text: text.replace('"7"', '""'), "row [0-9]+: the user is missing"),
        (lambda text: text.replace('"7"', '"7\0"'), "holds the character NUL"),
        (lambda text: text.replace("1700000000", "1700000001"), "its spec pins"),
        (lambda text: text + text.splitlines()[-1] + "\n", "a .user, item. pair is in train twice"),
    ],
    "items.csv": [(lambda text: text + '"another"\n', "its spec pins")],
    "candidates.csv": [(lambda text: text + '"7","nothing","3"\n', "names 1 items that occur in no row of train or")],
    "validation-rows.csv": [
        (lambda text: text.replace('"row"', '"rows"'), "has no column 'row'"),
        (lambda text: text + "99999999999999999999\n", "does not name 20 rows"),
        (lambda text: text + text.splitlines()[1] + "\n", "does not name 20 rows"),
    ],
}


@pytest.mark.parametrize(("name", "number"), [(name, n) for name in DAMAGES for n in range(len(DAMAGES[name]))])
def test_a_damaged_export_is_refused(tmp_path, name, number):
    damage, message = DAMAGES[name][number]
    export(make_task(rows_of(), negatives=5), tmp_path, ExportForm.CSV)
    path = tmp_path / name
    path.write_text(damage(path.read_text()))
    with pytest.raises(RecbenchError, match=message):
        import_folder("again", tmp_path)
    path.unlink()
    with pytest.raises(RecbenchError, match="No such file"):
        import_folder("again", tmp_path)


def test_a_damaged_parquet_file_is_refused(tmp_path):
    export(make_task(rows_of(), negatives=5), tmp_path, ExportForm.PARQUET)
    path = tmp_path / "train.parquet"
    content = path.read_bytes()
    for damaged in (content[:-9], content[:100], b"", content.replace(b"\n", b"\r\n")):
        path.write_bytes(damaged)
        with pytest.raises(RecbenchError, match=r"train.parquet (cannot be read|is no table of an export)"):
            import_folder("again", tmp_path)


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


@pytest.mark.parametrize("mark", [",", ";", "|"])
def test_lists_without_blanks_are_not_taken_for_users_without_items(tmp_path, mark):
    good = {"train": "0 1 2 3\n1 4 6\n", "test": "0 4 5\n1 1\n"}
    for name, text in good.items():
        files = write(tmp_path, **{**good, name: text.replace(" ", mark)})
        with pytest.raises(RecbenchError, match="are not separated by blanks; the first line is '0.[14]") as caught:
            import_split("own", "lightgcn", files, Negatives(method="uniform", count=1), LIGHTGCN)
        assert f"tr '{mark}' ' ' < {tmp_path / name} > lists.txt" in caught.value.hint
    # Commas within ids are no separators, and a user may have no item.
    files = write(tmp_path, train="a,b 1,2 3,4\nc,d 3,4 5,6\ne,f\n", test="a,b 5,6\nc,d 1,2\n")
    with pytest.raises(RecbenchError, match="has interacted with all items|too few items without"):
        import_split("own", "lightgcn", files, Negatives(method="uniform", count=1), LIGHTGCN)


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
