"""Published negatives that are none: refused by name, or dropped and counted under a waiver."""

import re

import numpy as np
import pandas as pd
import pytest

from recbench.errors import RecbenchError
from recbench.selftest.known_answers import known_answers
from recbench.tasks.exchange.export import export
from recbench.tasks.exchange.forms import ExportForm
from recbench.tasks.exchange.imports import import_folder, import_split
from recbench.tasks.exchange.ncf import import_ncf
from recbench.tasks.exchange.split_files import SplitFiles
from recbench.tasks.make import make_task
from recbench.tasks.spec import Negatives, Waiver
from recbench.tasks.task import NO_ITEM
from recbench.tasks.verify import verify

SEEN, POSITIVE = Waiver.SEEN_AMONG_NEGATIVES, Waiver.POSITIVE_AMONG_NEGATIVES
TRAIN = [(0, 0), (0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6)]
TEST = [(0, 3), (1, 4), (2, 0), (2, 1)]
# Item 3 is the positive of its list. Of user 0, items 0 and 1 are train rows; of user 2, item 1 is another case.
LISTS = [[5, 0, 6, 3], [5, 6, 0, 1], [1, 2, 3, 4], [2, 3, 7, 8]]
FORMS = ["ncf", "pairs", "frames", "frame of lists"]


def load(folder, form, waivers, lists=LISTS, train=TRAIN):
    waivers = frozenset(waivers)
    entries = [(*case, negative) for case, of_case in zip(TEST, lists, strict=True) for negative in of_case]
    frames = [pd.DataFrame(rows, columns=["user", "item"]) for rows in (train, TEST)]
    items = range(9)
    if form == "frames":
        candidates = pd.DataFrame(entries, columns=["user", "item", "negative"])
        return make_task((*frames, candidates), items=items, waivers=waivers)
    if form == "frame of lists":
        candidates = frames[1].assign(negatives=lists).set_axis([*"abcd"])
        return make_task((*frames, candidates), items=items, waivers=waivers)
    if form == "ncf":
        paths = [folder / name for name in ("train.rating", "test.rating", "negative")]
        for path, rows in zip(paths, (train, TEST), strict=False):
            path.write_text("".join(f"{user}\t{item}\n" for user, item in rows))
        lines = [f"({u},{i})\t" + "\t".join(map(str, of_case)) for (u, i), of_case in zip(TEST, lists, strict=True)]
        paths[2].write_text("\n".join(lines))
        return import_ncf("toy", *paths, waivers)
    files = {name: folder / f"{name}.csv" for name in ("train", "test", "candidates", "items")}
    frames[0].to_csv(files["train"], index=False)
    frames[1].to_csv(files["test"], index=False)
    files["candidates"].write_text("\n".join(["user,item,negative", *(",".join(map(str, row)) for row in entries)]))
    files["items"].write_text("\n".join(["id", *map(str, items)]))
    return import_split("toy", "pairs", SplitFiles(**files), Negatives(method="uniform", count=4), waivers=waivers)


WHERE = {
    "ncf": (r"negative, line 1", r" \(.*train\.rating, line 1\)"),
    "pairs": (r"candidates\.csv, line 3", r" \(.*train\.csv, line 2\)"),
    "frames": (r"DataFrame 'candidates', row 1 \(counted from 0\)", r" \(row 0 \(counted from 0\)\)"),
    "frame of lists": (r"DataFrame 'candidates', row 0 \(counted from 0\)", r" \(row 0 \(counted from 0\)\)"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_error_names_the_entry_and_the_train_row(tmp_path, form):
    with pytest.raises(RecbenchError, match="1 of the 4 lists .* hold their own positive") as caught:
        load(tmp_path, form, [])
    assert "user '0', item '3', negative '3'" in str(caught.value)
    with pytest.raises(RecbenchError) as caught:
        load(tmp_path, form, [POSITIVE])
    entry, train_row = WHERE[form]
    expected = (
        r"2 of the 4 lists in .* hold items that their user interacted with among the negatives \(3 entries\)\. "
        rf"The first: (.*/)?{entry}: user '0', item '3', negative '0', a train row of this user{train_row}\."
    )
    assert re.search(expected, caught.value.args[0])
    assert "--waive seen-among-negatives" in caught.value.hint
    assert 'waivers=["seen-among-negatives"]' in caught.value.hint


@pytest.mark.parametrize("form", FORMS)
def test_with_waivers_the_entries_are_dropped_and_counted(tmp_path, form, caplog):
    task = load(tmp_path, form, [SEEN, POSITIVE])
    item_ids = np.array([*task.item_ids, "-"])
    assert item_ids[task.test.negatives].tolist() == [
        ["5", "6", "-", "-"], ["5", "6", "0", "1"], ["2", "3", "-", "-"], ["2", "3", "7", "8"],
    ]  # fmt: skip
    assert "2 of the 4 lists in " in caplog.text
    assert "(3 entries). These entries are dropped (waiver seen-among-negatives)" in caplog.text
    assert "(1 entry). These entries are dropped (waiver positive-among-negatives)" in caplog.text
    summary = task.summary()
    assert (summary["n_negatives_min"], summary["n_negatives"]) == (2, 4)
    assert summary["waivers"] == ["positive-among-negatives", "seen-among-negatives"]
    for other in (ExportForm.CSV, ExportForm.RECBOLE):
        export(task, tmp_path / other, other)
        assert import_folder("again", tmp_path / other).digest == task.digest
    export(task, tmp_path / "out", ExportForm.NCF)
    paths = [tmp_path / "out" / f"{task.name}.{part}" for part in ("train.rating", "test.rating", "test.negative")]
    assert import_ncf("again", *paths, frozenset([SEEN, POSITIVE])).digest == task.digest


def test_the_ncf_form_comes_back_where_only_seen_negatives_are_waived(tmp_path):
    task = load(tmp_path, "ncf", [SEEN], [[5, 0, 6, 7], *LISTS[1:]])
    export(task, tmp_path / "out", ExportForm.NCF)
    paths = [tmp_path / "out" / f"toy.{part}" for part in ("train.rating", "test.rating", "test.negative")]
    assert import_ncf("again", *paths, frozenset([SEEN])).digest == task.digest


def test_another_case_of_the_user_is_seen(tmp_path):
    with pytest.raises(RecbenchError, match="user '2', item '0', negative '1', another test row of this user"):
        load(tmp_path, "pairs", [], [[5, 6, 7, 8], *LISTS[1:]])


def test_no_waiver_accepts_other_faults(tmp_path):
    twice = [*LISTS[:3], [2, 7, 3, 7]]
    for form in ("ncf", "pairs"):
        with pytest.raises(RecbenchError, match="1 of the 4 lists .* contain the same negative twice") as caught:
            load(tmp_path, form, [SEEN, POSITIVE], twice)
        assert "user '2', item '1', negative '7'" in str(caught.value)
    # An entry that is dropped may stand twice.
    assert load(tmp_path, "pairs", [SEEN, POSITIVE], [[5, 0, 0, 3], *LISTS[1:]]).summary()["n_negatives_min"] == 1
    emptied = "1 of the 4 lists .* have only negatives that are dropped.* user '0', item '3'"
    with pytest.raises(RecbenchError, match=emptied) as caught:
        load(tmp_path, "pairs", [SEEN, POSITIVE], [[1, 0, 2, 3], *LISTS[1:]])
    assert caught.value.hint.startswith("Leave these cases out of the test rows and of the candidates")
    with pytest.raises(RecbenchError, match="1 of the 4 lists .* are shorter .* has 2 instead of 4 negatives"):
        load(tmp_path, "pairs", [SEEN, POSITIVE], [*LISTS[:3], [7, 8]])
    with pytest.raises(RecbenchError, match="user interacted with"):
        load(tmp_path, "pairs", [Waiver.COLD_CASES, POSITIVE])


def test_repeated_train_rows_are_left_out(tmp_path, caplog):
    for form in ("ncf", "pairs"):
        task = load(tmp_path, form, [SEEN, POSITIVE], train=[*TRAIN, TRAIN[0]])
        assert (task.n_train, task.n_duplicates) == (8, 1)
        assert "1 rows repeat an earlier (user, item) pair; the first is kept (in the order of the file)" in caplog.text


def test_lists_of_unequal_length_keep_every_known_answer():
    rng = np.random.default_rng(0)
    train, test, lists = [], [], []
    for user in range(60):
        own = rng.permutation(150)[:12].tolist()
        others = np.setdiff1d(np.arange(150), own)
        train += [(user, item) for item in own[1:]]
        test.append((user, own[0]))
        lists.append([*rng.permutation(others)[: 20 - user % 4].tolist(), *own[1 : 1 + user % 4]])
    frames = [pd.DataFrame(rows, columns=["user", "item"]) for rows in (train, test)]
    task = make_task((*frames, frames[1].assign(negatives=lists)), items=range(150), waivers=[SEEN])
    assert sorted(set(task.test.n_negatives.tolist())) == [17, 18, 19, 20]
    assert ((task.test.negatives == NO_ITEM).sum(axis=1) == np.arange(60) % 4).all()
    verify(task)
    assert [check for check in known_answers(task) if not check.passed] == []
