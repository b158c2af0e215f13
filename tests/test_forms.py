"""Files in the forms in which datasets are published, headers, separators and encodings included."""

import gzip
import json
import zipfile

import pandas as pd
import pytest

from recbench.data.readers.layout import Form, Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.data.times import Unit, unit_of
from recbench.errors import RecbenchError


def write(folder, content, name="ratings.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def pairs(interactions):
    users, items = list(interactions.user_ids), list(interactions.item_ids)
    return [(users[u], items[i]) for u, i in zip(interactions.users, interactions.items, strict=True)]


FORMS = {
    "ml-1m and ml-10m": ("1::1193::5::978300760\n1::661::3.5::978302109\n", Layout(), [5, 3.5]),
    "ml-latest": (
        "userId,movieId,rating,timestamp\r\n1,1193,5.0,978300760\r\n1,661,3.5,978302109\r\n",
        Layout(),
        [5, 3.5],
    ),
    "RecBole": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t1193\t5\t978300760\n1\t661\t3.5\t978302109\n",
        Layout(),
        [5, 3.5],
    ),
    "last.fm": ("userID\tartistID\tweight\n1\t1193\t13883\n1\t661\t11690\n", Layout(), [13883, 11690]),
    "Amazon's ratings only": ("661,1,5.0,978300760\n", Layout(item="1", user="2", rating="3", timestamp="4"), [5]),
    "Amazon's reviews": (
        '{"overall": 5.0, "verified": true, "reviewerID": "1", "asin": "1193", "style": {"a": "b"}, '
        '"unixReviewTime": 978300760}\n'
        '{"overall": 3.5, "reviewerID": "1", "asin": "661", "reviewText": "x\\ny", "unixReviewTime": 978302109}\n',
        Layout(),
        [5, 3.5],
    ),
    "Steam": (
        "{u'username': u'1', u'hours': 0.5, u'product_id': u'1193', u'date': u'2017-12-17', u'text': u'\\u00fc'}\n"
        "{u'username': u'1', u'hours': 2, u'product_id': u'661', u'date': u'2017-12-18', u'text': u'it\\'s'}\n",
        Layout(rating=""),
        None,
    ),
    "LightGCN": ("1 1193 661\n2\n", Layout(form=Form.ADJACENCY), None),
    "CiteULike": ("0\n2 1193 661\n", Layout(form=Form.COUNTED_LISTS), None),
    "plain pairs": ("1 | 1193\n1 | 661\n", Layout(separator=" | "), None),
}


@pytest.mark.parametrize(("text", "layout", "ratings"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("packed", ["plain", "gzip", "zip", "zip of gzip"])
def test_forms(tmp_path, text, layout, ratings, packed):
    content = text.encode()
    if "gzip" in packed:
        content = gzip.compress(content)
    path = write(tmp_path, content)
    if "zip" in packed.split():
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("folder/", "")
            archive.writestr("folder/ratings.gz" if "gzip" in packed else "folder/ratings", content)
        path = tmp_path / "a.zip"
    interactions = read_interactions(path, layout)
    expected = [("1", "1193"), ("1", "661")]
    assert pairs(interactions) == (expected if len(interactions) == 2 else expected[1:])
    assert (None if interactions.ratings is None else interactions.ratings.tolist()) == ratings


def test_book_crossing_is_latin_1_with_quotes(tmp_path):
    text = '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n"1";"Ébène ""x""; y";"10"\r\n'
    path = write(tmp_path, text.encode("latin-1"))
    with pytest.raises(RecbenchError, match="line 3: it is not valid text in utf-8"):
        read_interactions(path)
    interactions = read_interactions(path, Layout(encoding="latin-1"))
    assert pairs(interactions) == [("276725", "034545104X"), ("1", 'Ébène "x"; y')]
    assert interactions.ratings.tolist() == [0, 10]


def test_an_archive_with_several_members_needs_a_name(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ml/ratings.dat", "1::2::3::4\n")
        archive.writestr("ml/README", "read me")
    with pytest.raises(RecbenchError, match=r"2 members: ml/ratings.dat, ml/README") as caught:
        read_interactions(path)
    assert "--member" in caught.value.hint
    with pytest.raises(RecbenchError, match="no member 'ratings.dat'"):
        read_interactions(path, Layout(member="ratings.dat"))
    assert pairs(read_interactions(path, Layout(member="ml/ratings.dat"))) == [("1", "2")]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(RecbenchError, match="cannot be read"):
        read_interactions(path)


@pytest.mark.parametrize(("at", "value", "message"), [(8, 99, "compression"), (6, 1, "encrypted")])
def test_archives_that_cannot_be_unpacked(tmp_path, at, value, message):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ratings", "1::2::3::4\n")
    content = bytearray(path.read_bytes())
    # In the member's header, and in the directory, where two more bytes stand before these.
    content[at] = content[content.index(b"PK\x01\x02") + at + 2] = value
    path.write_bytes(bytes(content))
    with pytest.raises(RecbenchError, match=f"cannot be read: .*{message}"):
        read_interactions(path)


def test_a_block_of_nulls_among_json_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("recbench.data.readers.opening.BLOCK", 40)
    path = write(tmp_path, '{"user": "a", "item": "x", "rating": 1}\n' + "null\tnull\n" * 9, "x.json")
    with pytest.raises(RecbenchError, match="line 2 .*is not an object"):
        read_interactions(path)


def test_a_separator_across_the_border_of_two_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("recbench.data.readers.opening.BLOCK", 7)
    rows = [(f"u{n % 9}", f"i{n}") for n in range(300)]
    interactions = read_interactions(write(tmp_path, "".join(f"{u}::{i}::4\n" for u, i in rows)), Layout("1", "2", "3"))
    assert pairs(interactions) == rows
    lists = write(tmp_path, "".join(f"{u} {i}\n" for u, i in rows), "lists")
    assert pairs(read_interactions(lists, Layout(form=Form.ADJACENCY))) == rows


def test_ids_of_any_kind_stay_what_they_are(tmp_path):
    ids = ["007", "7", "1000000000000", "-3", "1e3", "a,b", "a\tb", "日本", "ü", "null", "NaN", "None", " x "]
    table = pd.DataFrame({"user": ids, "item": ids[::-1]})
    table.to_csv(tmp_path / "x.csv", index=False)
    expected = list(zip(ids, ids[::-1], strict=True))
    assert pairs(read_interactions(tmp_path / "x.csv")) == expected
    table.to_parquet(tmp_path / "x.parquet")
    assert pairs(read_interactions(tmp_path / "x.parquet")) == expected
    lines = "".join(json.dumps({"user": u, "item": i}) + "\n" for u, i in expected)
    assert pairs(read_interactions(write(tmp_path, lines, "x.json"))) == expected
    numbers = pd.DataFrame({"user": [10**12, 3, 10**12], "item": [5, 5, 10**18]})
    numbers.to_parquet(tmp_path / "n.parquet")
    assert pairs(read_interactions(tmp_path / "n.parquet")) == [
        ("1000000000000", "5"),
        ("3", "5"),
        ("1000000000000", str(10**18)),
    ]


def test_mixed_types_in_json(tmp_path):
    lines = ['{"user": 1, "item": "a", "rating": "3"}', '{"user": "01", "item": 12, "rating": 4}', ""]
    lines += ['{"item": "b", "user": 1, "rating": 5}']
    interactions = read_interactions(write(tmp_path, "\n".join(lines)))
    assert pairs(interactions) == [("1", "a"), ("01", "12"), ("1", "b")]
    assert interactions.ratings.tolist() == [3, 4, 5]
    numbers = '{"user": "x", "item": 12}\n{"user": "y", "item": 13}\n'
    assert pairs(read_interactions(write(tmp_path, numbers))) == [("x", "12"), ("y", "13")]


BAD = {
    "JSON cut off": ('{"user": "1", "item": "2"}\n{"user": "1", "it', Layout(), r"line 2 .*is not an object"),
    "JSON list": ('{"user": "1", "item": "2"}\n[1, 2]\n', Layout(), r"line 2 .*is not an object"),
    "JSON without an item": ('{"user": "1", "item": "2"}\n{"user": "1"}\n', Layout(), "line 2: the item is missing"),
    "Python code": ("{'user': '1', 'item': '2'}\n{'user': print(), 'item': 1}\n", Layout(), r"line 2 .*is not an obj"),
    "count that lies": ("1 5\n3 5 6\n", Layout(form=Form.COUNTED_LISTS), "line 2: it announces 3 items and holds 2"),
    "no rows in lists": ("1\n2\n", Layout(form=Form.ADJACENCY), "has no rows"),
    "too many": ("1::2::3::4\n1::2::3::4::5\n", Layout(), "line 2: Expected 4 columns, got 5"),
    "control character": ("1::2\x1f::3\n", Layout("1", "2"), "control character"),
    "unknown encoding": ("1,2\n", Layout(encoding="latin-99"), "no encoding with the name"),
    "encoding of host names": ("1,2\n", Layout(encoding="idna"), "no encoding with the name"),
    "encoding of bytes": ("1,2\n", Layout(encoding="base64"), "no encoding with the name"),
    "dates, a number": ("user,item,time\nu,1,2020-01-01\nu,2,2020-01-02\nu,3,1577836800\n", Layout(), "line 4: the t"),
    "numbers, a date": ("user,item,time\nu,1,1\nu,2,2\nu,3,2020-01-01\n", Layout(), "line 4: the timestamp is"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "layout", "message"), BAD.values(), ids=BAD)
def test_bad_files(tmp_path, text, layout, message):
    with pytest.raises(RecbenchError, match=message):
        read_interactions(write(tmp_path, text), layout)


SKIPPED = {
    "delimited": ("user,item,rating,time\nu,1,3,5\nu,2\nu,3,x,6\n,4,3,7\nu,5,3,soon\nu,6,nan,8\nu,7,4,9\n", Layout()),
    "JSON": (
        '{"user": "u", "item": "1"}\n{"user"\n{"user": null, "item": "3"}\n{"user": "u", "item": "7"}\n',
        Layout(),
    ),
    "counted lists": ("2 1 7\n3 1\n", Layout(form=Form.COUNTED_LISTS)),
}


@pytest.mark.parametrize(
    ("text", "layout", "count"), [(*SKIPPED[name], n) for name, n in zip(SKIPPED, (5, 2, 1), strict=True)]
)
def test_bad_rows_can_be_left_out_and_are_counted(tmp_path, caplog, text, layout, count):
    path = write(tmp_path, text)
    with pytest.raises(RecbenchError) as caught:
        read_interactions(path, layout)
    assert "--skip-bad-rows" in caught.value.hint
    interactions = read_interactions(path, Layout(form=layout.form, skip_bad_rows=True))
    assert list(interactions.item_ids) == ["1", "7"]
    assert f"{count} rows cannot be read and are left out" in caplog.text


@pytest.mark.parametrize(
    ("times", "read", "said"),
    [
        (("2020-01-01", "2020-01-01T00:00:10Z"), [1577836800, 1577836810], "dates ISO 8601"),
        (("2020-01-01T01:00:00.5+01:00", "2020-01-01"), [1577836800500000, 1577836800000000], "dates ISO 8601"),
        (("1577836800123", "1577836800124"), [1577836800123, 1577836800124], "milliseconds since 1970"),
        (("1577836800", "1577836801"), [1577836800, 1577836801], "seconds since 1970"),
        (("1", "2"), [1, 2], "only give an order"),
    ],
)
def test_times_are_recognised_and_said(tmp_path, times, read, said):
    path = write(tmp_path, "user,item,time\n" + "".join(f"u,{n},{time}\n" for n, time in enumerate(times)))
    interactions = read_interactions(path)
    assert interactions.timestamps.tolist() == read
    assert said in str(interactions.reading)


def test_units_by_size():
    import numpy as np

    times = [5, 1_577_836_800, 1_577_836_800_000, 1_577_836_800_000_000, 1_577_836_800_000_000_000]
    assert [unit_of(np.array([0, time])) for time in times] == list(Unit)
