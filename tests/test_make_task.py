import doctest
import logging
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from recbench.errors import RecbenchError
from recbench.tasks import make, task_file
from recbench.tasks.exchange.imports import import_split
from recbench.tasks.exchange.split_files import SplitFiles
from recbench.tasks.lookup import keep_as_own, load_task, stored_path
from recbench.tasks.make import make_task, make_task_of_file
from recbench.tasks.rules import SPLITS
from recbench.tasks.spec import FileData, LeaveOneOut, Negatives, Order, TaskSpec


def ratings(**columns):
    """40 users with 10 rows each, in no order of time."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(40), 10)
    items = np.concatenate([rng.permutation(60)[:10] for _ in range(40)])
    times = rng.integers(10**9, 2 * 10**9, 400)
    stars = rng.integers(1, 6, 400) / 2
    frame = pd.DataFrame({"user": users, "item": items, "rating": stars, "timestamp": times})
    return frame.sample(frac=1, random_state=0).assign(**columns)


FORMS = {
    "integers": lambda frame: frame,
    "text": lambda frame: frame.assign(user="u " + frame["user"].astype(str), item='i,"' + frame["item"].astype(str)),
    "leading zeros": lambda frame: frame.assign(user=frame["user"].map("{:05d}".format)),
    "categories": lambda frame: frame.astype({"user": "category", "item": str}),
    "objects": lambda frame: frame.astype({"user": object, "item": "string"}),
    "nullable": lambda frame: frame.astype({"user": "Int64", "item": "int64[pyarrow]"}),
    "mixed types": lambda frame: frame.assign(user=[u if u % 2 else f"u{u}" for u in frame["user"]]),
    "floats": lambda frame: frame.astype({"user": float}),
    "no ratings, no times": lambda frame: frame[["user", "item"]],
    "no times": lambda frame: frame[["user", "item", "rating"]],
    "other names": lambda frame: frame.rename(columns={"user": "reviewerID", "item": "Movie ID", "timestamp": "date"}),
    "dates": lambda frame: frame.assign(timestamp=pd.to_datetime(frame["timestamp"], unit="s")),
    "dates in a zone": lambda frame: frame.assign(
        timestamp=pd.to_datetime(frame["timestamp"], unit="s", utc=True).dt.tz_convert("Asia/Kolkata")
    ),
    "nanoseconds": lambda frame: frame.assign(timestamp=frame["timestamp"] * 10**9 + 1),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_frame_gives_the_task_of_its_csv_file(tmp_path, form):
    frame = form(ratings())
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    task = make_task(frame, negatives=Negatives(method="uniform", count=20), name="mine")
    rules = _rules(tmp_path, timed=bool({"timestamp", "date"} & set(frame)))
    of_file = make_task_of_file("mine", FileData(source="file", path=tmp_path / "ratings.csv"), rules)
    assert task.digest == of_file.digest
    assert task.spec.split == of_file.spec.split


def _rules(folder, timed):
    (folder / "rules.toml").write_text(
        'name = "rules"\n[dataset]\nsource = "synthetic"\n[negatives]\nmethod = "uniform"\ncount = 20\n'
        f'[split]\nmethod = "leave-one-out"\norder = "{"timestamp" if timed else "file"}"\n'
    )
    return str(folder / "rules.toml")


def test_last_means_by_time_if_there_are_times_and_nobody_says_otherwise():
    frame = ratings()
    assert make_task(frame, negatives=5).spec.split.order is Order.TIMESTAMP
    assert make_task(frame, negatives=5, timestamp_column="").spec.split.order is Order.FILE
    assert make_task(frame, split={"method": "leave-last-n", "n": 2}, negatives=5).spec.split.order is Order.TIMESTAMP
    in_order = make_task(frame, split={"method": "leave-last-n", "n": 2, "order": "file"}, negatives=5)
    assert in_order.spec.split.order is Order.FILE
    assert len(in_order.test) == 80
    chosen = LeaveOneOut(method="leave-one-out", order=Order.FILE)
    assert make_task(frame, split=chosen, negatives=5).spec.split == chosen


@pytest.mark.parametrize("method", SPLITS)
def test_the_example_of_each_split_in_hints_is_valid(method):
    split = {"method": method, **SPLITS[method].example}
    assert make_task(ratings(), split=split, negatives=1).spec.split.method == method


def test_all_splits_and_rules():
    frame = ratings()
    shares = {
        "leave-last-fraction": make_task(frame, split={"method": "leave-last-fraction", "fraction": 0.2}, negatives=5),
        "random-fraction": make_task(frame, split={"method": "random-fraction", "fraction": 0.2}, negatives=5),
    }
    assert {method: len(task.test) for method, task in shares.items()} == dict.fromkeys(shares, 80)
    moment = datetime(2025, 1, 1)
    late = make_task(frame, split={"method": "global-time", "at": moment}, negatives=5)
    assert (late.cases_frame()["timestamp"] >= moment.timestamp() - 86_400).all()
    by_popularity = make_task(frame, negatives={"method": "popularity", "count": 7, "seed": 3})
    assert by_popularity.test.negatives.shape == (40, 7)
    filtered = make_task(frame, negatives=5, filters={"min_rating": 1.5, "k_core": 2})
    assert filtered.train_frame()["rating"].min() == 1.5


def test_rules_of_another_task():
    frame = ratings()
    base = make_task(frame, split={"method": "leave-last-n", "n": 3}, negatives=9)
    for like in (base, base.spec):
        again = make_task(frame, like=like)
        assert again.digest == base.digest
    assert make_task(frame, like=base, negatives=4).test.negatives.shape == (120, 4)


def test_train_and_test_give_the_task_of_the_files(tmp_path):
    frame = ratings()
    test = frame.drop_duplicates("user", keep="last")
    train = frame.drop(test.index)
    for name, part in (("train", train), ("test", test)):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    task = make_task([train, test], negatives=20)
    files = SplitFiles(tmp_path / "train.csv", tmp_path / "test.csv")
    assert task.digest == import_split("x", "pairs", files, Negatives(method="uniform", count=20)).digest
    again = make_task((task.train_frame(), task.cases_frame(), task.cases_frame()))
    assert again.test.negatives.tolist() == task.test.negatives.tolist()
    in_rows = task.cases_frame().explode("negatives").rename(columns={"negatives": "negative"})
    assert make_task((task.train_frame(), task.cases_frame(), in_rows)).digest == again.digest


def test_lists_of_candidates_beside_columns_that_are_not_read():
    frame = ratings()
    test = frame.drop_duplicates("user", keep="last")
    task = make_task((frame.drop(test.index), test), negatives=20)
    lists = task.cases_frame().rename(columns={"user": "customer", "item": "sku"})
    noted = pd.concat([lists.assign(note=1), lists.assign(note=2)[["note"]]], axis=1)
    train = task.train_frame().rename(columns={"user": "customer", "item": "sku"})
    again = make_task((train, lists.drop(columns="negatives"), noted), user_column="customer", item_column="sku")
    assert again.test.negatives.tolist() == task.test.negatives.tolist()


def test_items_of_the_catalogue_without_a_row():
    frame = ratings()
    test = frame.drop_duplicates("user", keep="last")
    task = make_task((frame.drop(test.index), test), negatives=20, items=range(100), users=range(50))
    assert (task.n_items, task.n_users) == (100, 50)


def test_frames_of_a_task_have_the_original_ids(synthetic_task, board):
    frame = synthetic_task.train_frame()
    assert list(frame.columns) == ["user", "item", "timestamp"]
    assert frame["user"].tolist() == [synthetic_task.user_ids[int(user)] for user in synthetic_task.users]
    assert frame["timestamp"].tolist() == synthetic_task.timestamps.tolist()
    frame.loc[0, "timestamp"] = 0
    cases = board.cases_frame()
    assert list(cases.columns) == ["user", "item", "negatives"]
    for case in (0, len(cases) - 1):
        assert cases["item"][case] == board.item_ids[int(board.test.items[case])]
        assert cases["negatives"][case] == [board.item_ids[int(item)] for item in board.test.negatives[case]]


def test_shorter_lists_stay_shorter():
    frame = ratings()
    test = frame.drop_duplicates("user", keep="last")
    task = make_task((frame.drop(test.index), test), negatives=20)
    candidates = task.cases_frame()
    candidates.at[3, "negatives"] = [*candidates["negatives"][3][:19], candidates["item"][3]]
    with pytest.raises(RecbenchError, match=r"hold their own positive(.|\n)*waivers=\["):
        make_task((task.train_frame(), task.cases_frame(), candidates))
    waived = make_task(
        (task.train_frame(), task.cases_frame(), candidates), waivers=["positive-among-negatives"], name="waived"
    )
    assert waived.cases_frame()["negatives"].map(len).tolist() == [19 if case == 3 else 20 for case in range(40)]


def test_a_task_says_what_it_is():
    task = make_task(ratings(), negatives=5, name="a.b")
    assert repr(task).startswith("Task 'a.b': 40 users, 60 items, 360 train rows, 40 cases, negatives per case: 5; sha")
    assert "<b>Task a.b</b>" in task._repr_html_()
    renamed = task.spec.model_copy(update={"name": "<i>"})
    assert "&lt;i&gt;" in type(task)(renamed, *[getattr(task, n) for n in (
        "user_ids", "item_ids", "rows", "test", "validation_rows", "validation")])._repr_html_()  # fmt: skip


def test_duplicates_are_counted(caplog):
    frame = ratings()
    with caplog.at_level(logging.WARNING):
        task = make_task(pd.concat([frame, frame.iloc[:3]]), negatives=5)
    assert "3 rows repeat an earlier (user, item) pair; the first is kept" in caplog.text
    assert task.n_duplicates == 3
    assert "3 duplicate rows left out" in repr(task)
    assert task.digest == make_task(frame, negatives=5).digest


def test_a_stored_task_is_found_by_its_digest(home, synthetic_task):
    task = make_task(ratings(), negatives=5)
    path = stored_path(task)
    assert path.is_relative_to(home)
    assert task_file.load(path).digest == task.digest
    before = path.stat().st_mtime_ns
    assert stored_path(task) == path
    assert path.stat().st_mtime_ns == before
    other = make_task(ratings(), negatives=6)
    assert stored_path(other) != path
    kept = keep_as_own(other)
    assert stored_path(other) == kept
    loaded = load_task("synthetic")
    assert "built" in stored_path(loaded).parts
    with pytest.raises(RecbenchError, match="made from a DataFrame; it cannot be built"):
        load_task("dataframe", rebuild=True)


def test_a_spec_file_by_its_path(tmp_path):
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[dataset]\nsource = "synthetic"\n[split]\nmethod = "leave-one-out"\n'
        '[negatives]\nmethod = "uniform"\ncount = 9\n'
    )
    assert load_task(tmp_path / "own.toml").test.negatives.shape[1] == 9
    assert isinstance(load_task(str(tmp_path / "own.toml")).spec, TaskSpec)


def split_of(frame):
    return frame.iloc[40:], frame.iloc[:40]


def candidates(**columns):
    test = ratings().iloc[:1]
    return pd.DataFrame({"user": test["user"], "item": test["item"], "negative": 0} | columns)


def in_lists(lists):
    return candidates().drop(columns="negative").assign(negatives=pd.Series(lists, dtype=object).to_numpy())


BAD = {
    "no frame": (lambda: make_task({"user": [1]}), "not a pandas DataFrame, but has the type dict", "pandas.DataFrame"),
    "no user column": (
        lambda: make_task(ratings().rename(columns={"user": "who"})),
        "no column that can be recognised as the user. Its columns: who, item, rating, timestamp",
        "user_column=",
    ),
    "a column that is not there": (
        lambda: make_task(ratings(), item_column="sku"),
        "has no column 'sku'",
        "item_column=",
    ),
    "missing ids": (
        lambda: make_task(ratings(user=[np.nan, 1, np.nan, *range(397)])),
        "'ratings', row 0 (counted from 0): the user is missing (2 such rows here)",
        "dropna",
    ),
    "missing text": (
        lambda: make_task(ratings(item=["a", None, "b", *map(str, range(397))])),
        "row 1 (counted from 0): the item is missing",
        "dropna",
    ),
    "a missing time": (lambda: make_task(ratings(timestamp=pd.NaT)), "the timestamp is missing (400", "dropna"),
    "a rating that is text": (lambda: make_task(ratings(rating="good")), "rating is 'good', not a number", "Correct"),
    "lists for ids": (lambda: make_task(ratings(item=[[1]] * 400)), "the item column 'item' holds list<", "plain"),
    "no rows": (lambda: make_task(ratings().iloc[:0]), "'ratings' has no rows", "one row for each"),
    "too few items": (lambda: make_task(ratings()), "a case needs 100 negatives", "Lower the number of negatives"),
    "no case": (
        lambda: make_task(ratings().drop_duplicates("user"), negatives=1),
        "there is no test case: no user has a row to hold out",
        "Keep users with two rows or more",
    ),
    "an unknown split": (lambda: make_task(ratings(), split="leave-one"), "Did you mean: leave-one-out", "n\": 3"),
    "a split without its field": (
        lambda: make_task(ratings(), split="leave-last-fraction"),
        "not valid: fraction: Field required",
        '"fraction": 0.2',
    ),
    "no negatives": (lambda: make_task(ratings(), negatives=0), "Input should be greater", "negatives=100"),
    "an unknown filter": (lambda: make_task(ratings(), filters={"kcore": 5}), "kcore: Extra inputs", "[filters]"),
    "an unknown task": (lambda: make_task(ratings(), like="synthetc"), "Did you mean: synthetic", "Available"),
    "a name that is taken": (lambda: make_task(ratings(), name="ml-100k"), "name of a builtin task", "another name"),
    "test rows in train": (
        lambda: make_task((ratings(), ratings().iloc[:7]), negatives=5),
        "7 rows of DataFrame 'test' are also in DataFrame 'train' (first: user '",
        "Remove them",
    ),
    "no tuple of two": (lambda: make_task([ratings()]), "got 1 DataFrames", "(train, test)"),
    "a split of a split": (lambda: make_task(split_of(ratings()), split="leave-one-out"), "already split", "Leave"),
    "a catalogue without a split": (lambda: make_task(ratings(), items=[1]), "need a split", "Leave them out"),
    "candidates and a rule": (
        lambda: make_task((*split_of(ratings()), candidates()), negatives=3),
        "cannot be combined with candidates",
        "Leave one",
    ),
    "candidates of nobody": (
        lambda: make_task((*split_of(ratings()), candidates(user=77))),
        "names 1 users that occur in no row",
        "users=[",
    ),
    "candidates that are unknown": (
        lambda: make_task((*split_of(ratings()), candidates(negative=7777))),
        "names 1 items that occur in no row of train or test, such as '7777'",
        "items=[",
    ),
    "candidates of no case": (
        lambda: make_task((*split_of(ratings()), candidates(item=ratings()["item"].iloc[50]))),
        "is not a case (1 such rows)",
        "same split",
    ),
    "candidates without rows": (
        lambda: make_task((*split_of(ratings()), candidates().iloc[:0])),
        "DataFrame 'candidates' has no rows",
        "recbench then draws negatives",
    ),
    "lists without an entry": (
        lambda: make_task((*split_of(ratings()), in_lists([[]]))),
        "the negative is missing",
        "dropna",
    ),
    "lists without an entry, as the hint says": (
        lambda: make_task((*split_of(ratings()), in_lists([[]]).explode("negatives").dropna())),
        "DataFrame 'candidates' has no rows",
        "recbench then draws negatives",
    ),
    "two columns of lists": (
        lambda: make_task((*split_of(ratings()), pd.concat([in_lists([[1]]), in_lists([[2]])[["negatives"]]], axis=1))),
        "more than one column with the name 'negatives'",
        "Rename or remove all but one",
    ),
    "candidates without a negative": (
        lambda: make_task((*split_of(ratings()), candidates(negative=None))),
        "the negative is missing",
        "dropna",
    ),
    "an id with NUL in the catalogue": (
        lambda: make_task(split_of(ratings()), items=["a", "b\0c"]),
        "The id at position 1 of the catalogue holds the character NUL: 'b\\x00c'",
        "Leave it out",
    ),
    "waivers that are one text": (
        lambda: make_task((*split_of(ratings()), candidates()), waivers="cold-cases"),
        "The argument waivers='cold-cases' is not valid",
        'waivers=["cold-cases"]',
    ),
    "an unknown waiver": (
        lambda: make_task((*split_of(ratings()), candidates()), waivers=["all"]),
        "Unknown waiver 'all'",
        "positive-among-negatives",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message", "hint"), BAD.values(), ids=BAD)
def test_bad_input(call, message, hint):
    with pytest.raises(RecbenchError) as caught:
        call()
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_example_runs():
    assert doctest.testmod(make).failed == 0
