"""Ids that differ only in how they are written: told, and refused where they would make most cases cold."""

import pandas as pd
import pytest

from recbench.data.id_forms import other_forms, plain, same_things
from recbench.errors import RecbenchError
from recbench.tasks.make import make_task

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
