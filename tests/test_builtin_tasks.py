"""The golden facts of the tasks that come with recbench."""

import logging

import numpy as np
import pytest

from recbench.data.catalogue import catalogue
from recbench.tasks import task_file
from recbench.tasks.build import build, load_interactions
from recbench.tasks.filters import apply_filters
from recbench.tasks.kept import Counts, Kept, kept_line
from recbench.tasks.lookup import load_task
from recbench.tasks.named_specs import builtin_specs


@pytest.fixture
def seed_task(ml_100k):
    return load_task("ml-100k")


def test_every_builtin_task_pins_its_digest():
    assert all(spec.digest for spec in builtin_specs().values())


def test_ml_100k_is_as_published(ml_100k):
    interactions = load_interactions(builtin_specs()["ml-100k"])
    dataset = catalogue()["ml-100k"]
    assert (len(interactions), interactions.n_users, interactions.n_items) == (100_000, 943, 1_682)
    assert (dataset.rows, dataset.users, dataset.items) == (100_000, 943, 1_682)
    assert interactions.n_duplicates == 0


def test_the_filters_reproduce_the_seed_protocol(ml_100k, caplog):
    spec = builtin_specs()["ml-100k"]
    with caplog.at_level(logging.INFO, "recbench"):
        kept = apply_filters(load_interactions(spec), spec.filters)
    assert "After dropping items: 99,991 of 100,000 rows" in caplog.text
    assert (len(kept), kept.n_users, kept.n_items) == (99_023, 943, 1_297)
    counts = np.bincount(kept.items)
    ids = list(kept.item_ids)
    top = [(ids[i], int(counts[i])) for i in np.argsort(-counts, kind="stable")[:5]]
    assert top == [("50", 583), ("258", 509), ("100", 508), ("181", 507), ("294", 485)]


def test_the_split_reproduces_the_seed_protocol(seed_task):
    assert seed_task.n_train == 88_681
    assert len(seed_task.test) == 10_342
    assert seed_task.n_users_without_case == 0
    user = list(seed_task.user_ids).index("1")
    held = [seed_task.item_ids[int(i)] for i in seed_task.test.items[seed_task.test.users == user][:5]]
    assert held == ["124", "95", "217", "58", "142"]
    assert seed_task.test.negatives.shape == (10_342, 100)


def test_leave_one_out_takes_the_latest_row_of_everyone(ml_100k):
    task = load_task("ml-100k-loo")
    assert (task.n_users, task.n_items, task.n_train, len(task.test)) == (943, 1_682, 99_057, 943)
    rows = load_interactions(task.spec)
    latest = {}
    for row in np.lexsort((rows.timestamps, rows.users)):  # stable: the later of two equal times is the later row
        latest[rows.user_ids[int(rows.users[row])]] = rows.item_ids[int(rows.items[row])]
    held = zip(task.test.users.tolist(), task.test.items.tolist(), strict=True)
    assert {task.user_ids[user]: task.item_ids[item] for user, item in held} == latest


@pytest.mark.parametrize("name", builtin_specs())
def test_building_again_gives_the_pinned_digest(ml_100k, name):
    spec = builtin_specs()[name]
    assert build(spec).digest == spec.digest


def test_the_time_split_trains_on_earlier_rows_only_and_counts_what_it_leaves_out(ml_100k, tmp_path):
    task = load_task("ml-100k-time")
    assert task.timestamps.max() < task.test_times.min()
    assert (task.n_users, task.n_items, task.n_train, len(task.test)) == (751, 1_616, 79_999, 2_864)
    assert len(np.unique(task.test.users)) == 107
    stored = task_file.load(task_file_in(tmp_path, task))
    assert stored.kept == task.kept == Kept(
        read=Counts(rows=100_000, users=943, items=1_682), kept=Counts(rows=82_863, users=751, items=1_616)
    )  # fmt: skip
    assert "82,863 of 100,000 rows (82.9%), 751 of 943 users (79.6%) and 1,616 of" in kept_line(stored.kept)
    with pytest.raises(ValueError, match="more users than the data"):
        Kept(read=stored.kept.read, kept=Counts(rows=1, users=944, items=1))


def task_file_in(folder, task):
    task_file.save(task, folder / "time.task")
    return folder / "time.task"
