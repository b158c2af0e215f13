"""DataFrames: every value is read as a CSV file with the same rows would be read, whatever holds it."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from recbench.data.readers.dataframes import read_frame
from recbench.data.readers.layout import Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError
from recbench.tasks.make import make_task


def users_of(values):
    frame = pd.DataFrame({"user": values, "item": range(len(values))})
    interactions = read_frame(frame, "frame")
    return [interactions.user_ids[int(user)] for user in interactions.users]


def objects(*values):
    return pd.Series(values, dtype=object)


IDS = {
    "whole numbers and floats": (objects(1, 1, 2, 2.5), ["1", "1", "2", "2.5"]),
    "numbers and text": (objects(1, "1", np.int32(7)), ["1", "1", "7"]),
    "decimals of several lengths": (objects(Decimal(1), Decimal("7.5")), ["1", "7.5"]),
    "text of numpy": (objects("a", np.str_("b")), ["a", "b"]),
    "bytes and text": (objects("a", b"a"), ["a", "a"]),
    "numbers beyond 64 bits": (objects(2**70, 1), [str(2**70), "1"]),
    "periods": (pd.Series(pd.period_range("2024-01", periods=2, freq="M")), ["2024-01", "2024-02"]),
    "categories of periods": (
        pd.Series(pd.period_range("2024-01", periods=2, freq="M")).astype("category"),
        ["2024-01", "2024-02"],
    ),
    "categories of several types": (objects(1, 2.5, "x").astype("category"), ["1", "2.5", "x"]),
    "intervals": (pd.Series(pd.interval_range(0, 2)), ["(0, 1]", "(1, 2]"]),
}


@pytest.mark.parametrize(("values", "expected"), IDS.values(), ids=IDS)
def test_ids_keep_their_text(tmp_path, values, expected):
    assert users_of(values) == expected
    if not any(isinstance(value, bytes) for value in values):
        pd.DataFrame({"user": values, "item": range(len(values))}).to_csv(tmp_path / "r.csv", index=False)
        assert list(read_interactions(tmp_path / "r.csv").user_ids) == list(dict.fromkeys(expected))


NO_IDS = {
    "a truth value of numpy": (objects("a", np.bool_(True)), "row 1 .*: the user is the value True"),
    "truth values of both kinds": (objects(True, np.bool_(False)), "row 0 .*: the user is the value True"),
    "a complex number": (objects("a", np.complex64(1)), "row 1 .*: the user is the value"),
    "a float that is not exact": (objects("a", np.float32(2**24)), "row 1 .*: the user is .*, a float so large"),
    "infinity": (objects("a", np.float32("inf")), "row 1 .*: the user is the value inf"),
    "NA": (objects("a", pd.NA), "row 1 .*: the user is missing"),
    "NaN of 32 bits": (objects("a", np.float32("nan")), "row 1 .*: the user is missing"),
}


@pytest.mark.parametrize(("values", "message"), NO_IDS.values(), ids=NO_IDS)
def test_values_that_are_no_ids(values, message):
    with pytest.raises(RecbenchError, match=message):
        users_of(values)


def test_texts_in_brackets_that_are_no_literals_are_ids(tmp_path):
    texts = ["{{}}", "{[1]}", "{{1: 2}: 3}", "[deleted]"]
    assert users_of(texts) == texts
    path = tmp_path / "r.txt"
    path.write_text("{'user': 'a', 'item': 1}\n{'user': {{}}, 'item': 1}\n")
    with pytest.raises(RecbenchError, match="line 2 is not an object"):
        read_interactions(path)


def test_labels_may_be_numbers():
    frame = pd.DataFrame([("u", "a", 1_400_000_000)])
    layout = Layout(0, 1, timestamp=2)
    assert read_frame(frame, "frame", layout).timestamps.tolist() == [1_400_000_000]
    assert read_frame(frame.rename(columns={0: "user", 1: "item"}), "frame", Layout(timestamp=2)).timestamps is not None


def parts():
    rows = [(user, (user + i) % 4, 10 * user + i) for user in range(4) for i in range(3)]
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    last = frame["timestamp"] % 10 == 2
    return frame[~last], frame[last]


def test_a_catalogue_is_a_list_of_ids():
    items = pd.DataFrame({"item": [7, 8]})
    with pytest.raises(RecbenchError, match="are a DataFrame, and a list of ids is expected") as caught:
        make_task(parts(), negatives=1, items=items)
    assert 'items=movies["item"]' in caught.value.hint
    assert make_task(parts(), negatives=1, items=items["item"]).n_items == 6
    for missing in (pd.NA, pd.NaT, np.float32("nan"), Decimal("nan")):
        with pytest.raises(RecbenchError, match="position 1 of the catalogue is missing"):
            make_task(parts(), negatives=1, items=[7, missing])
    with pytest.raises(RecbenchError, match="position 1 of the catalogue is missing"):
        make_task(parts(), negatives=1, items=pd.Series([7, None], dtype="Int64"))


@pytest.mark.parametrize("since", ["2015", "20150101", " 7 ", True])
def test_the_start_of_a_window_is_a_time(since):
    for filters in ({"since": since}, {"until": since}):
        with pytest.raises(RecbenchError, match="is not a (date|time)"):
            make_task(pd.concat(parts()), negatives=1, filters=filters)


def test_columns_of_shops_have_usual_names(tmp_path):
    for user, item in (
        ("customer", "sku"),
        ("Customer ID", "product"),
        ("visitorid", "itemid"),
        ("UserId", "ProductId"),
    ):
        path = tmp_path / "orders.csv"
        path.write_text(f"{user},{item},time\nu,a,1400000000\n")
        assert list(read_interactions(path).item_ids) == ["a"]
    path.write_text("session_id,customer,product,asin\ns,c,p,a\n")
    interactions = read_interactions(path)
    assert [*interactions.user_ids, *interactions.item_ids] == ["s", "a"]


def test_columns_without_usual_names_come_with_a_command(tmp_path):
    path = tmp_path / "my orders.csv"
    path.write_text("created_at;buyer;thing;price\n1400000000;u;a;3\n")
    for layout, options in (
        (Layout(), "--user-column buyer --item-column thing"),
        (Layout(item="thing"), "--item-column thing --user-column buyer"),
        (Layout(separator=";", encoding="latin-1"), "--item-column thing --separator ';' --encoding latin-1"),
    ):
        with pytest.raises(RecbenchError) as caught:
            read_interactions(path, layout)
        assert f"recbench data info '{path}' " in caught.value.hint
        assert options in caught.value.hint
    with pytest.raises(RecbenchError, match="user_column='buyer', item_column='thing'"):
        read_frame(pd.DataFrame({"buyer": ["u"], "thing": ["a"]}), "frame")
    path.write_text("user;played_at\nu;1400000000\n")
    with pytest.raises(RecbenchError, match="recognised as the item") as caught:
        read_interactions(path)
    assert "For example" not in caught.value.hint
