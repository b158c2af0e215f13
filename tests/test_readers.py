import gzip
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbench.data.readers.layout import Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError

CSV = "userId,movieId,rating,timestamp\n1,10,4.0,100\n2,10,3.5,90\n1,007,5,110\n"


def write(folder: Path, text: str | bytes, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def check(interactions):
    assert list(interactions.user_ids) == ["1", "2"]
    assert list(interactions.item_ids) == ["10", "007"]
    assert interactions.users.tolist() == [0, 1, 0]
    assert interactions.items.tolist() == [0, 0, 1]
    assert interactions.users.dtype == np.int32


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_reads_separated_text_and_finds_separator_and_columns(tmp_path, separator):
    interactions = read_interactions(write(tmp_path, CSV.replace(",", separator)))
    check(interactions)
    assert interactions.ratings.tolist() == [4.0, 3.5, 5.0]
    assert interactions.timestamps.tolist() == [100, 90, 110]


def test_reads_gzip_crlf_and_a_byte_order_mark(tmp_path):
    check(read_interactions(write(tmp_path, gzip.compress(CSV.encode()), "ratings.csv.gz")))
    check(read_interactions(write(tmp_path, CSV.replace("\n", "\r\n"), "crlf.csv")))
    check(read_interactions(write(tmp_path, "\ufeff" + CSV, "bom.csv")))


def test_reads_parquet_with_numbers_or_times(tmp_path):
    path = tmp_path / "ratings.parquet"
    pd.DataFrame(
        {"item": ["10", "10", "007"], "user": [1, 2, 1], "time": pd.to_datetime([100, 90, 110], unit="s")}
    ).to_parquet(path)
    interactions = read_interactions(path)
    check(interactions)
    assert interactions.ratings is None
    assert np.argsort(interactions.timestamps).tolist() == [1, 0, 2]


def test_reads_rows_without_a_header_by_position(tmp_path):
    path = write(tmp_path, "1\t10\t4\t100\n2\t10\t3\t90\n1\t007\t5\t110\n")
    check(read_interactions(path))
    swapped = read_interactions(path, Layout(user="2", item="1"))
    assert list(swapped.user_ids) == ["10", "007"]
    assert swapped.ratings is None


def test_reads_typed_headers_and_named_columns(tmp_path):
    check(read_interactions(write(tmp_path, "user_id:token\titem_id:token\n1\t10\n2\t10\n1\t007\n")))
    odd = write(tmp_path, "buyer,thing,other\n1,10,x\n2,10,y\n1,007,z\n")
    check(read_interactions(odd, Layout(user="buyer", item="thing")))


def test_says_which_columns_it_took(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "recbench"):
        read_interactions(write(tmp_path, CSV))
    assert "user = userId, item = movieId, rating = rating, timestamp = timestamp" in caplog.text


def test_keeps_the_first_of_duplicate_rows_and_says_so(tmp_path, caplog):
    path = write(tmp_path, "user,item,rating\n1,10,4\n2,10,3\n1,10,1\n1,10,2\n")
    interactions = read_interactions(path)
    assert interactions.ratings.tolist() == [4.0, 3.0]
    assert interactions.n_duplicates == 2
    assert "2 rows repeat an earlier (user, item) pair" in caplog.text


def test_ids_may_hold_separators_quotes_and_any_script(tmp_path):
    interactions = read_interactions(write(tmp_path, 'user,item\n"a,b","say ""hi"""\nü,日本\n'))
    assert list(interactions.user_ids) == ["a,b", "ü"]
    assert list(interactions.item_ids) == ['say "hi"', "日本"]


def test_times_are_read_exactly_and_keep_their_order(tmp_path):
    nanoseconds = [1_700_000_000_000_000_001, 1_700_000_000_000_000_003, 1_700_000_000_000_000_002]
    rows = "".join(f"u,i{n},{time}\n" for n, time in enumerate(nanoseconds))
    assert read_interactions(write(tmp_path, "user,item,ts\n" + rows)).timestamps.tolist() == nanoseconds
    path = tmp_path / "ratings.parquet"
    times = pd.to_datetime(["2020-01-01 00:00:00.003", "2020-01-01 00:00:00.001"]).tz_localize("Asia/Seoul")
    pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"], "time": times}).to_parquet(path)
    later, earlier = read_interactions(path).timestamps.tolist()
    assert later > earlier
    whole = read_interactions(write(tmp_path, "user,item,ts\n1,2,8.8e8\n1,3,880000001.0\n"))
    assert whole.timestamps.tolist() == [880_000_000, 880_000_001]


def test_leading_blank_lines_and_text_ids_without_a_header(tmp_path):
    check(read_interactions(write(tmp_path, "\n \n" + CSV)))
    bare = read_interactions(write(tmp_path, "u0,i0\nu1,i0\n"), Layout(user="1", item="2"))
    assert list(bare.user_ids) == ["u0", "u1"]
    tabs = read_interactions(write(tmp_path, CSV.replace(",", "\t")), Layout(separator="\\t"))
    check(tabs)


BAD = {
    "time has a fraction": ("user,item,timestamp\n1,2,3.5\n", "line 2: the timestamp is '3.5', not a whole number"),
    "time is too large": ("user,item,timestamp\n1,2,10000000000000000000\n", "not a whole number"),
    "carriage returns of a mixed file": ("user,item\n1,2\r3,4\n", "line 2: it contains a carriage return"),
    "one endless line": ("x" * 200_000, "only one column"),
    "empty": ("", "is empty"),
    "only a header": ("user,item\n", "has no rows"),
    "no columns to recognise": ("a,b\nx,y\n", "recognised as the user or the item. Its columns: a, b"),
    "no item column": ("user,b\nx,y\n", "recognised as the item"),
    "one column": ("user:item\n1:2\n", "only one column"),
    "rating is text": ("user,item,rating\n1,2,3\n1,3,good\n", "line 3: the rating is 'good'"),
    "rating is infinite": ("user,item,rating\n1,2,inf\n", "line 2: the rating is 'inf'"),
    "rating is NaN": ("user,item,rating\n1,2,nan\n", "line 2: the rating is 'nan'"),
    "time is NaN": ("user,item,timestamp\n1,2,3\n\n1,3,NaN\n", "line 4: the timestamp is 'NaN'"),
    "time is negative": ("user,item,timestamp\n1,2,-3\n", "line 2: the timestamp is '-3'"),
    "time is text": (
        "user,item,timestamp\n1,2,monday\n",
        "line 2: the timestamp is 'monday', not a date in the form of ISO 8601",
    ),
    "truncated line": ("user,item,rating\n1,2,3\n\n1,3", "line 4: Expected 3 columns, got 2"),
    "missing id": ("user,item\n1,2\n,3\n", "line 3: the user is missing"),
    "too many fields": ("user,item\n1,2\n1,2,3\n", "line 3: Expected 2 columns, got 3"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_files_are_named_with_the_line(tmp_path, text, message):
    with pytest.raises(RecbenchError) as caught:
        read_interactions(write(tmp_path, text))
    assert message in caught.value.message
    assert "ratings.csv" in caught.value.message
    assert caught.value.hint


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(RecbenchError, match="No such file"):
        read_interactions(tmp_path / "absent.csv")
    whole = gzip.compress(CSV.encode() * 100)
    with pytest.raises(RecbenchError, match="cannot be read"):
        read_interactions(write(tmp_path, whole[: len(whole) // 2], "cut.csv.gz"))
    with pytest.raises(RecbenchError, match=r"line 2: it is not valid text in utf-8"):
        read_interactions(write(tmp_path, b"user,item\n\xff\xfe,1\n"))
    with pytest.raises(RecbenchError, match="read as utf-16-le"):
        read_interactions(write(tmp_path, b"\xff\xfeu,item\n1,1\n"))
    with pytest.raises(RecbenchError, match="not a Parquet file"):
        read_interactions(write(tmp_path, "PAR1 nonsense", "x.parquet"))
    with pytest.raises(RecbenchError, match=r"no column .uid.*user, item"):
        read_interactions(write(tmp_path, "user,item\n1,2\n"), Layout(user="uid"))
    with pytest.raises(RecbenchError, match="only one column when split at '::'"):
        read_interactions(write(tmp_path, CSV), Layout(separator="::"))
    nested = tmp_path / "nested.parquet"
    pd.DataFrame({"user": ["u"], "item": ["a"], "rating": [[1, 2]]}).to_parquet(nested)
    with pytest.raises(RecbenchError, match="rating column 'rating' holds list"):
        read_interactions(nested)
    old = tmp_path / "old.parquet"
    pd.DataFrame({"user": ["u"], "item": ["a"], "time": pd.to_datetime(["1960-01-01"])}).to_parquet(old)
    with pytest.raises(RecbenchError, match="row 1: the timestamp is '1960-01-01 00:00:00', not a time from 1970 on"):
        read_interactions(old)
    with pytest.raises(RecbenchError, match="only one column when split at ';'"):
        read_interactions(write(tmp_path, CSV), Layout(separator=";"))
