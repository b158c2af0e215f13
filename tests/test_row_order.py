"""Which rows of a user are the last: by time, whatever the order of lines; at random in sorted files without times."""

import json
import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.readers.dataframes import read_frame
from recbench.data.rows import Rows
from recbench.data.sorted_rows import SortedBy, sorted_by
from recbench.errors import RecbenchError
from recbench.tasks.build import build
from recbench.tasks.exchange.forms import Order
from recbench.tasks.make import make_task
from recbench.tasks.spec import FileData, parse_spec
from tests.command_line import CommandLine


@pytest.fixture
def command_line(capfd, monkeypatch):
    return CommandLine(capfd, monkeypatch)


SPLITS = [
    "leave-one-out",
    {"method": "leave-last-n", "n": 2},
    {"method": "leave-last-fraction", "fraction": 0.4},
    {"method": "leave-one-out", "order": "random", "seed": 3},
    {"method": "random-fraction", "fraction": 0.3},
    {"method": "global-time", "fraction": 0.3, "unknown": "keep"},
]
ROWS = st.lists(
    # Few values, so that pairs repeat, times are equal, and equal times of a pair have other ratings.
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.sampled_from([-1.5, 0.0, 0.1, 3.0, 1e7]), st.integers(0, 4)),
    max_size=40,
)


def shuffled(frame, seed):
    return frame.sample(frac=1, random_state=seed)


@settings(max_examples=25)
@given(ROWS, st.sampled_from(SPLITS), st.sampled_from(["first", "last", "count", "sum"]), st.randoms())
def test_with_times_the_order_of_lines_changes_nothing(rows, split, repeated, random):
    # Every user has a row to spare, and an item that only the other users have.
    rows += [(user, 10 + user + n, 1.0, n) for user in range(5) for n in range(2)]
    tasks = []
    for _ in range(2):
        frame = pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"])
        tasks.append(make_task(frame, negatives=1, split=split, filters={"repeated": repeated}))
        random.shuffle(rows)
    assert tasks[0].digest == tasks[1].digest
    assert tasks[0].test_times.tolist() == tasks[1].test_times.tolist()


DRAWN = [
    {"method": "leave-one-out", "order": "random", "seed": 3},
    {"method": "leave-last-n", "n": 2, "order": "random"},
    {"method": "leave-last-fraction", "fraction": 0.4, "order": "random"},
    {"method": "random-fraction", "fraction": 0.3, "seed": 5},
]


@pytest.mark.parametrize("split", DRAWN)
def test_rows_that_are_drawn_without_times_do_not_depend_on_the_order_of_lines(split, tmp_path):
    frame = listens()
    task = make_task(frame, split=split, negatives=5)
    for seed in range(3):
        assert make_task(shuffled(frame, seed), split=split, negatives=5).digest == task.digest
    shuffled(frame, 9).to_csv(tmp_path / "plays.csv", index=False)
    data = FileData(source="file", path=tmp_path / "plays.csv")
    assert build(task.spec.model_copy(update={"dataset": data})).digest == task.digest
    other = make_task(frame, split={**split, "seed": 6}, negatives=5)
    assert not np.array_equal(other.test.items, task.test.items)


def test_every_row_of_a_user_is_as_likely_to_be_drawn():
    rows = [(user, item) for user in range(600) for item in range(user % 7, user % 7 + 10)]
    for frame in (pd.DataFrame(rows, columns=["user", "item"]), listens(users=600, own=10)):
        task = make_task(frame, split={"method": "random-fraction", "fraction": 0.1}, negatives=1)
        train = task.train_set()
        below = [np.sum(train.indices[train.indptr[u] : train.indptr[u + 1]] < i) for u, i in zip(
            task.test.users, task.test.items, strict=True)]  # fmt: skip
        # 600 users: 60 expected at each of the ten places among the items of a user, standard deviation 7.3.
        assert (np.abs(np.bincount(below, minlength=10) - 60) < 37).all()


def test_of_repeated_pairs_the_first_in_time_is_kept_and_then_the_lower_rating():
    columns = ["user", "item", "rating", "timestamp"]
    rows = [
        ("u", "a", 5, 30),
        ("u", "b", 1, 20),
        ("u", "a", 2, 10),
        ("u", "a", 1, 10),
        ("v", "b", 1, 5),
        ("u", "a", 4, 99),
        ("w", "a", -1, 7),
        ("w", "a", -3, 7),
        ("w", "a", 0, 7),
    ]
    read = read_frame(pd.DataFrame(rows, columns=columns), "mine")
    kept = {(read.user_ids[u], read.item_ids[i]): (r, t) for u, i, r, t in zip(
        read.users, read.items, read.ratings, read.timestamps, strict=True)}  # fmt: skip
    assert kept == {("u", "a"): (1, 10), ("u", "b"): (1, 20), ("v", "b"): (1, 5), ("w", "a"): (-3, 7)}
    assert read.n_duplicates == 5
    untimed = read_frame(pd.DataFrame(rows, columns=columns).drop(columns="timestamp"), "mine")
    assert untimed.ratings.tolist() == [5, 1, 1, -1]


def test_files_in_order_of_time_and_files_without_order_keep_their_digest():
    rows = [(n % 7, n * n % 23, 10**9 + n) for n in range(60)]
    timed = pd.DataFrame(rows, columns=["user", "item", "timestamp"]).drop_duplicates(["user", "item"])
    pinned = {"leave-one-out": ("230d055b", "677da4e5"), "random-fraction": ("4e124850", "7a2ea108")}
    for method, digests in pinned.items():
        split = {"method": method, **({"fraction": 0.3} if method == "random-fraction" else {})}
        made = [make_task(frame, negatives=3, split=split) for frame in (timed, timed.drop(columns="timestamp"))]
        assert tuple(task.digest.removeprefix("sha256:")[:8] for task in made) == digests


def test_ties_in_time_are_drawn_and_not_decided_by_the_numbers_of_items():
    frame = pd.DataFrame([(u, i, 7) for u in range(400) for i in range(5)], columns=["user", "item", "timestamp"])
    frame["item"] += frame["user"] % 3
    task = make_task(frame, negatives=1)
    train = task.train_set()
    below = [np.sum(train.indices[train.indptr[u] : train.indptr[u + 1]] < i) for u, i in zip(
        task.test.users, task.test.items, strict=True)]  # fmt: skip
    # Each of the five places among the items of a user is as likely: 80 expected, standard deviation 8.
    assert (np.abs(np.bincount(below, minlength=5) - 80) < 40).all()


def listens(users=40, items=60, own=12, seed=0):
    """Returns rows without times in a random order; low items are popular."""
    rng, weights = np.random.default_rng(seed), 1 / np.arange(1, items + 1)
    pairs = [
        (f"u{user}", int(item))
        for user in range(users)
        for item in rng.choice(items, own, replace=False, p=weights / weights.sum())
    ]
    return shuffled(pd.DataFrame(pairs, columns=["user", "item"]), seed)


def hidden(frame):
    """Returns an order of the items that neither their ids nor their popularity show."""
    return frame["item"].map(dict(enumerate(np.random.default_rng(5).permutation(60).tolist())))


def evenly(frame):
    """Returns rows of the same users in which many items have the same number of rows."""
    rng = np.random.default_rng(1)
    items = [rng.choice(60, len(rows), replace=False) for _, rows in frame.groupby("user")]
    return shuffled(frame.sort_values("user").assign(item=np.concatenate(items)), 3)


def popularity(frame):
    return frame.groupby("item")["user"].transform("size")


ORDERS = {
    SortedBy.ITEM: [
        lambda frame: frame.sort_values("item", kind="stable"),
        lambda frame: frame.sort_values("item", kind="stable", ascending=False),
        lambda frame: frame.assign(key=hidden(frame)).sort_values("key", kind="stable"),
        lambda frame: frame.assign(item="i" + frame["item"].astype(str)).sort_values("item", kind="stable"),
        # Two sorted parts, one after the other.
        lambda frame: pd.concat([frame[:240].sort_values("item"), frame[240:].sort_values("item")]),
    ],
    SortedBy.USER: [
        lambda frame: frame.sort_values("user", kind="stable"),
        lambda frame: pd.concat([frame[frame["user"] == user] for user in frame["user"].unique()]),
    ],
    SortedBy.USER_THEN_ITEM: [
        lambda frame: frame.sort_values(["user", "item"]),
        lambda frame: frame.assign(key=hidden(frame)).sort_values(["user", "key"]),
        lambda frame: frame.assign(key=popularity(frame)).sort_values(["user", "key"]),
    ],
    SortedBy.ITEM_WITHIN_USER: [
        # As users take turns, neither users nor items stand together.
        lambda frame: frame.assign(key=frame.groupby("user")["item"].rank()).sort_values("key", kind="stable"),
        lambda frame: frame.assign(key=popularity(frame)).sort_values("key", kind="stable"),
        lambda frame: evenly(frame).assign(key=popularity(evenly(frame))).sort_values("key", kind="stable"),
    ],
    None: [lambda frame: frame, lambda frame: frame.head(3)],
}  # fmt: skip


@pytest.mark.parametrize("expected", ORDERS)
def test_sorted_rows_are_told_from_rows_in_a_random_order(expected):
    for number, order in enumerate(ORDERS[expected]):
        rows = order(listens())
        assert sorted_by(read_frame(rows, "mine")) is expected, number


def test_a_random_order_is_not_taken_for_a_sorted_one():
    rng, ids = np.random.default_rng(0), IdTable.from_strings(map(str, range(100)))
    for n in range(200):
        # 20 users with up to 20 rows, or 4 with up to 100; the smallest files have 4 rows.
        users, items = np.divmod(rng.permutation(400)[: 4 + 2 * (n // 2)], (20, 100)[n % 2])
        assert sorted_by(Interactions(Rows(users.astype(np.int32), items.astype(np.int32)), ids, ids)) is None, n


def hit_rate(task):
    """Returns HR@10 of popularity."""
    popularity = np.bincount(task.items, minlength=task.n_items)
    own, others = popularity[task.test.items][:, None], popularity[task.test.negatives]
    better, tied = (others > own).sum(axis=1), (others == own).sum(axis=1)
    return np.clip((10 - better) / (tied + 1), 0, 1).mean()


def test_a_file_sorted_by_item_holds_out_random_rows(caplog):
    caplog.set_level(logging.INFO, "recbench")
    frame = listens(150, 300, 12)
    ordered = frame.sort_values(["user", "item"])
    task, misled = make_task(ordered), make_task(ordered, split={"method": "leave-one-out", "order": "file"})
    assert (task.spec.split.order, task.spec.split.seed) == (Order.RANDOM, 0)
    assert (task.summary()["order"], misled.summary()["order"]) == ("random", "file")
    texts = [record.getMessage() for record in caplog.records if "no timestamps" in record.getMessage()]
    assert "sorted by user and then by item: the last row of a user need not be the latest. Random rows" in texts[0]
    assert '--order file on the command line, split.order = "file" in a spec' in texts[0]
    assert "metrics mislead" in texts[1]
    typical = hit_rate(make_task(frame))
    assert hit_rate(misled) < 0.1 < typical - 0.1
    assert abs(hit_rate(task) - typical) < 0.12
    # The draw depends on the seed and not on the lines.
    assert make_task(shuffled(frame, 9), split=task.spec.split).digest == task.digest
    other = make_task(ordered, split={"method": "leave-one-out", "seed": 1})
    assert (other.spec.split.seed, other.spec.split.order) == (1, Order.RANDOM)
    assert np.mean(other.test.items == task.test.items) < 0.5
    two = make_task(ordered, split={"method": "leave-last-n", "n": 2, "order": "random"})
    assert (np.bincount(two.test.users) == 2).all()
    caplog.clear()
    assert make_task(frame).spec.split.order is Order.FILE
    assert "recbench finds no order by user or item in the rows of dataframe" in caplog.text
    caplog.clear()
    make_task(ordered, split={"method": "random-fraction", "fraction": 0.2})
    make_task(frame, split={"method": "leave-one-out", "order": "file"})
    make_task(frame.sort_values("user", kind="stable"), split={"method": "leave-one-out", "order": "file"})
    assert "no timestamps" not in caplog.text


SPEC = """
name = "x"
dataset = {{ source = "dataframe" }}
negatives = {{ method = "uniform", count = 5 }}

[split]
method = "leave-one-out"
{}
"""


def test_a_spec_may_leave_the_order_open_and_named_orders_keep_their_digest():
    frame = listens().sort_values("item", kind="stable")
    task = build(parse_spec(SPEC.format(""), "x.toml"), read_frame(frame, "mine"))
    assert task.spec.split.order is Order.RANDOM
    assert '"order":"random","seed":0' in task.spec.rules()
    named = parse_spec(SPEC.format('order = "random"\nseed = 0\n'), "x.toml")
    assert build(named, read_frame(frame, "mine")).digest == task.digest
    assert (
        '"split":{"method":"leave-one-out","order":"file"}'
        in parse_spec(SPEC.format('order = "file"\n'), "x.toml").rules()
    )
    with pytest.raises(RecbenchError, match='seed needs order = "random"'):
        parse_spec(SPEC.format('order = "file"\nseed = 1\n'), "x.toml")


def test_the_order_on_the_command_line(command_line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listens(items=150).sort_values("item").to_csv("plays.csv", index=False)
    done = command_line("task", "build", "plays", "--ratings", "plays.csv")
    assert done.code == 0, done.err
    assert "rows of plays are sorted by item" in done.err
    assert "order                random" in done.out
    assert json.loads(command_line("task", "show", "plays", "--json").out)["task"]["order"] == "random"
    (tmp_path / "spec.toml").write_text(command_line("task", "show", "plays", "--spec").out)
    again = command_line("task", "verify", "./spec.toml", "--rebuild")
    assert again.code == 0, again.err
    done = command_line("task", "build", "plays", "--ratings", "plays.csv", "--order", "file", "--force")
    assert "metrics mislead" in done.err
    assert "order                file" in done.out
    done = command_line("task", "build", "spec.toml", "--order", "file")
    assert (done.code, "the rules of spec.toml are in its spec" in done.err) == (2, True)
    options = ("--ratings", "plays.csv", "--like", "ml-100k-random", "--order", "random")
    done = command_line("task", "build", "other", *options)
    assert (done.code, "does not suit the split 'random-fraction'" in done.err) == (2, True)
    done = command_line("task", "build", "other", "--ratings", "plays.csv", "--order", "timestamp")
    assert (done.code, "no timestamps" in done.err, "--order random" in done.err) == (2, True, True)
