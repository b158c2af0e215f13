"""Ids that differ only in how they are written: told, and refused where they would make most cases cold."""

import pandas as pd
import pytest

from recbench.data.id_forms import other_forms, plain, same_things
from recbench.data.readers.layout import Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError
from recbench.experiments.evaluate import evaluate
from recbench.tasks.build import build
from recbench.tasks.exchange.export import export
from recbench.tasks.exchange.forms import ExportForm
from recbench.tasks.exchange.imports import import_folder
from recbench.tasks.make import make_task
from recbench.tasks.spec import TaskSpec

WAYS = {
    "blank": " 39",
    "no-break space": "39\u00a0",
    "byte order mark": "\ufeff39",
    "bytes": "b'39'",
    "quotes": '"39"',
    "decimals": "39.0",
    "no decimals": "39.",
    "exponent": "3.9e+01",
    "leading zeros": "0039",
    "full width": "\uff13\uff19",
    "bytes of decimals": "b'39.0'",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_ways_to_write_an_id_are_one_plain_form(text):
    assert plain(text) == plain("39") == "39"
    (same,) = same_things(["7", "39", text, "u1"])
    assert (same.count, same.first, same.second) == (1, "39", text)


def test_ids_that_name_different_things_stay_apart():
    ids = ["39", "3.9", "390", "-39", "u1", "u-1", "u10", "1e5", "1.5e1", "0", "00x", "", "[39]", "é", "e"]
    assert same_things(ids) == []
    (composed,) = same_things(["é", "e\u0301"])
    assert "Unicode" in composed.difference
    (case,) = same_things(["U1", "u1", "U2", "u2", "u3"])
    assert (case.count, case.first, case.second) == (2, "U1", "u1")
    assert list(other_forms(["39.0", "40.0", "39"], ["39", "41"])) == [("39.0", "39")]


def frame(users=20, items=12, **text):
    """Returns rows of users with six items each, the last of them by time the one that is held out."""
    rows = pd.DataFrame(
        [(str(u), str((u * 5 + i) % items), u * 100 + i) for u in range(users) for i in range(6)],
        columns=["user", "item", "timestamp"],
    )
    for column, form in text.items():
        rows[column] = rows[column].map(form.format)
    return rows


def split(**test_forms):
    rows = frame()
    last = rows["timestamp"] % 100 == 5
    test = rows[last].copy()
    for column, form in test_forms.items():
        test[column] = test[column].map(form.format)
    return rows[~last], test


def test_a_split_whose_ids_differ_in_form_is_refused_with_an_example():
    for column, form in (("item", "{}.0"), ("user", " {}"), ("item", "b'{}'")):
        with pytest.raises(RecbenchError) as caught:
            make_task(split(**{column: form}), negatives=2)
        assert f"20 of 20 cases have {'an item' if column == 'item' else 'a user'} that has no train row" in str(
            caught.value
        )
        assert "20 of them it has train rows under another id" in caught.value.message
        assert any(f"{form.format(i)!r} and '{i}' differ" in caught.value.message for i in range(20))
    with pytest.raises(RecbenchError, match="Most cases are cold") as caught:
        make_task(split(item="other-{}"), negatives=2)
    assert "cold-cases" in caught.value.hint
    assert make_task(split(item="other-{}"), negatives=2, waivers=["cold-cases"]).spec.waivers == ("cold-cases",)
    assert make_task(split(), negatives=2).n_items == 12


def test_a_few_ids_in_another_form_are_told(caplog):
    rows = frame()
    rows.loc[3, "item"] += ".0"
    task = make_task(rows, negatives=2)
    assert task.n_items == 13
    assert "items that may have several ids: 1, such as '3.0' and '3', which differ only by the form" in caplog.text
    caplog.clear()
    train, test = split()
    test.iloc[0, 1] += ".0"
    make_task((train, test), negatives=2)
    assert "1 of 20 cases have an item that has no train row; in 1 of them" in caplog.text


def test_held_out_rows_whose_ids_have_another_form_are_refused():
    rows = frame()
    rows.loc[rows["timestamp"] % 100 == 5, "item"] += ".0"
    with pytest.raises(RecbenchError, match="20 of 20 cases have an item that has no train row; in 20 of them"):
        make_task(rows, negatives=2)


MISSING = ["nan", "None", "null", "NULL", r"\N", "<NA>", "inf"]
NO_IDS = [" ", "{'id': 72}", '{"id": 72}', "[1, 2]", "(1, 2)"]


def test_texts_that_stand_for_no_id_are_refused_where_a_format_has_nothing_but_text(tmp_path, caplog):
    csv, lines = tmp_path / "r.csv", tmp_path / "r.jsonl"
    for text in MISSING + NO_IDS:
        pd.DataFrame({"user": ["7", text, "8.0"], "item": [1, 2, 3]}).to_csv(csv, index=False)
        with pytest.raises(RecbenchError, match="line 3: the user is .*which (is not an id|stands for a)"):
            read_interactions(csv)
        assert list(read_interactions(csv, Layout(skip_bad_rows=True)).user_ids) == ["7", "8.0"]
        with pytest.raises(RecbenchError, match="row 2 .*: the item is .*which (is not an id|stands for a)"):
            make_task(pd.DataFrame({"user": ["u"] * 4, "item": ["1", "2", text, "3"]}), negatives=1)
        with pytest.raises(RecbenchError, match="position 1 of the catalogue"):
            make_task(split(), negatives=2, items=["0", text])
    for text in MISSING:
        # Somebody may be called so.
        named = make_task(pd.DataFrame({"user": ["u", "u", text, text], "item": ["a", "b", "a", "c"]}), negatives=1)
        assert text in list(named.user_ids)
        assert f"2 rows have the user {text!r}, which many programs write for a missing value" in caplog.text
    lines.write_text('{"user": "nan", "item": "[deleted]"}\n{"user": "[deleted]", "item": "None"}\n')
    assert list(read_interactions(lines).user_ids) == ["nan", "[deleted]"]
    for value in ({"id": 1}, [1], b"\xff", float("nan"), None, ""):
        with pytest.raises(RecbenchError, match="position 1 of the catalogue"):
            make_task(split(), negatives=2, items=["0", value])


def test_an_exported_task_may_have_users_called_nan(tmp_path):
    lines = tmp_path / "r.jsonl"
    rows = frame()
    rows["user"] = rows["user"].replace({"3": "nan", "4": "None"})
    rows.to_json(lines, orient="records", lines=True)
    split_rule = {"split": {"method": "leave-one-out"}, "negatives": {"method": "uniform", "count": 2}}
    task = build(TaskSpec(name="named", dataset={"source": "file", "path": lines}, **split_rule))
    export(task, tmp_path / "out", ExportForm.CSV)
    assert import_folder("again", tmp_path / "out").digest == task.digest
    assert {"nan", "None"} <= set(task.user_ids)


def test_scores_of_ids_in_another_form_are_refused_or_told(caplog):
    task = make_task(frame(), negatives=2)
    cases = task.cases_frame()
    pairs = [(r.user, item) for r in cases.itertuples() for item in (r.item, *r.negatives)]
    scores = pd.DataFrame(pairs, columns=["user", "item"]).assign(score=range(len(pairs)))
    for column in ("user", "item"):
        with pytest.raises(RecbenchError, match=f"60 of 60 rows have {column} ids that the task writes in another"):
            evaluate(task, scores.assign(**{column: scores[column] + ".0"}), name="x", ks=(1,), missing_last=True)
    scores.loc[0, "item"] += ".0"
    evaluate(task, scores, name="x", ks=(1,), missing_last=True)
    assert "1 of 60 rows have item ids" in caplog.text
