"""No file is misread silently: a reader finds exactly the rows that were written, or refuses for the true reason."""

import bz2
import gzip
import json
import lzma
import random
import zipfile
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbench.data.readers.layout import Form, Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError
from recbench.tasks.exchange.ncf import import_ncf
from recbench.tasks.make import make_task
from tests.written_ratings import check_reading, pairs_of, written_file

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ROWS = [(f"u{n % 20}", f"i{n}", n % 5 + 1, 1_400_000_000 + n) for n in range(60)]
PAIRS = [(user, item) for user, item, *_ in ROWS]
CSV = "user,item,rating,timestamp\n" + "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in ROWS)
JSON = "".join(json.dumps({"user": u, "item": i, "rating": r, "timestamp": t}) + "\n" for u, i, r, t in ROWS)
SKIPPING = Layout(skip_bad_rows=True)


def write(folder, content, name="ratings.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path, layout=Layout()):  # noqa: B008 - a frozen value
    with pytest.raises(RecbenchError) as caught:
        read_interactions(path, layout)
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("broken", [False, True])
@MANY
@given(seed=st.integers(0, 2**32), block=st.sampled_from((1, 7, 50, 2**24)))
def test_the_rows_that_were_written_are_found(tmp_path, broken, seed, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recbench.data.readers.opening.BLOCK", block)
        check_reading(written_file(random.Random(seed), broken=broken), tmp_path)


def with_marks(separator, rows=(20, 40)):
    lines = CSV.replace(",", separator).splitlines()
    for row in rows:
        lines[row] = lines[row].replace(separator, f'{separator}"', 1)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", "::"])
def test_stray_marks_swallow_no_row(tmp_path, separator):
    for rows in ((20, 40), (20,), (59,)):
        read_pairs = pairs_of(read_interactions(write(tmp_path, with_marks(separator, rows))))
        assert [pair for pair in read_pairs if not pair[1].startswith('"')] == [
            pair for number, pair in enumerate(PAIRS, start=1) if number not in rows
        ]


def test_a_stray_mark_among_quoted_fields_is_named(tmp_path):
    text = CSV.replace("u1,i1,", 'u1,"a,""b",').replace("u9,i9,", 'u9,"i9,').replace("u9,i29,", 'u9,i29",')
    path = write(tmp_path, text)
    assert "line 11: a quotation mark opens a field of 21 lines, each of which looks like a row" in refusal(path)
    assert len(read_interactions(path, SKIPPING)) == len(ROWS) - 1


def test_ids_that_are_names_among_numbers_are_swallowed_neither(tmp_path):
    rows = ('1,"2,5,1400000000', 'a b,TV 42",5,1400000001', "1e3,122,2,1400000002", "007,x,4,1400000004")
    path = write(tmp_path, "\n".join(rows))
    assert len(read_interactions(path)) == len(rows)


def test_line_ends_within_quotes_have_the_right_lines(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("recbench.data.readers.opening.BLOCK", 100)
    text = "".join(f'u{n},i{n},"paragraph\n\n{n}, the end"\n' for n in range(50))
    path = write(tmp_path, "user,item,text\n" + text + 'u50,i50\nu51,i51,"x\ny"\nu52,i52,z,\n,i53,x\n')
    assert "line 152: Expected 3 columns, got 2" in refusal(path)
    read = read_interactions(path, SKIPPING)
    assert (len(read), read.reading.n_skipped) == (51, 3)
    assert "The first: ratings.csv, line 152: Expected 3 columns, got 2" in caplog.text
    assert "line 155: the user is missing" in refusal(write(tmp_path, "user,item,text\n" + text + '\na,b,"\n"\n,c,d\n'))


ENCODED = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1", "cp1252", "gb18030")


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_form_is_decoded(tmp_path, encoding):
    changed = [(user.replace("u1", "Zoë"), item) for user, item in PAIRS]
    users = list(dict.fromkeys(user for user, _ in changed))
    lists = "".join(f"{user} {' '.join(item for other, item in changed if other == user)}\n" for user in users)
    named = Layout(encoding="utf-8" if encoding in ("utf-16", "utf-32", "utf-8-sig") else encoding)
    for text, form in ((CSV, None), (JSON, None), (lists, Form.ADJACENCY)):
        path = write(tmp_path, text.replace("u1", "Zoë").encode(encoding))
        assert sorted(pairs_of(read_interactions(path, replace(named, form=form)))) == sorted(changed)
    if encoding in ("latin-1", "cp1252", "gb18030"):
        assert "--encoding" in refusal(write(tmp_path, CSV.replace("u3,", "Zoë,").encode(encoding)))
        assert "line 5" in refusal(write(tmp_path, JSON.replace("u4", "Zoë").encode(encoding)))
    if encoding == "utf-16":
        assert "byte order mark of utf-16-le" in refusal(path, Layout(encoding="latin-1"))
        assert "--encoding utf-16-be" in refusal(write(tmp_path, CSV.encode("utf-16-be")))


def zstd(content):
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as file:
        file.write(content)
    return target.getvalue().to_pybytes()


def test_content_decides_and_not_the_suffix(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["user", "item", "rating", "timestamp"])
    frame.to_parquet(tmp_path / "p.csv")
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr("__MACOSX/._r.csv", b"x")
        archive.writestr("r.csv", bz2.compress(CSV.encode()))
    packed = [pack(CSV.encode()) for pack in (gzip.compress, bz2.compress, lzma.compress, zstd)]
    paths = [write(tmp_path, content, f"{n}.parquet") for n, content in enumerate([*packed, CSV.encode()])]
    for path in (tmp_path / "p.csv", tmp_path / "a.bin", *paths):
        assert pairs_of(read_interactions(path)) == PAIRS
    for content in packed:
        assert "damaged or incomplete" in refusal(write(tmp_path, content[:-20]))
    assert "Parquet file within gzip" in refusal(write(tmp_path, gzip.compress((tmp_path / "p.csv").read_bytes())))


def test_parts_of_a_table_are_one_table(tmp_path):
    folder = tmp_path / "table"
    folder.mkdir()
    header, *lines = CSV.splitlines(keepends=True)
    for name in ("_SUCCESS", ".part-00000.csv.crc", "part-00003.csv"):
        write(folder, "", name)
    for number in range(3):
        write(folder, header + "".join(lines[20 * number : 20 * number + 20]), f"part-0000{number}-c000.csv")
    assert pairs_of(read_interactions(folder)) == PAIRS
    write(folder, "u1,i1,5,1400000000\n", "part-00004.csv")
    assert "have different layouts" in refusal(folder)
    write(folder, CSV, "items.csv")
    assert "Its files: items.csv, part-00000" in refusal(folder)
    (folder / "year=2020").mkdir()
    assert "partitioned table" in refusal(folder)


def test_parts_may_be_packed_in_several_ways_and_be_empty(tmp_path):
    folder = tmp_path / "table"
    folder.mkdir()
    half = len(CSV) // 2
    half = CSV.index("\n", half) + 1
    header = CSV.partition("\n")[0] + "\n"
    write(folder, CSV[:half], "part-00000.csv")
    for number, content in enumerate((b"", b"\n", header.encode(), (header + CSV[half:]).encode())):
        write(folder, gzip.compress(content), f"part-0001{number}.csv.gz")
        write(folder, bz2.compress(content if number < 2 else header.encode()), f"part-0002{number}.csv.bz2")
    assert pairs_of(read_interactions(folder)) == PAIRS
    for path in folder.iterdir():
        path.write_bytes(gzip.compress(b""))
    assert "is empty" in refusal(folder)


REFUSED = {
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
    "merge marks": (
        CSV.replace("u3,i3", "<<<<<<< a\nu3,i3").encode(),
        "it has merge conflict marks",
    ),
    "a page": (b"<!doctype html><html>", "page of a web server"),
    "tar": (b"x" * 257 + b"ustar\0" + b"\0" * 255, "tar archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "7z x"),
    "Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "pandas.read_excel"),
    "a note for Excel": (b"sep=;\nuser;item\nu;i\n", "tail -n +2"),
    "NUL": (CSV.replace("u3,", "u\0003,").encode(), "line 5: it contains the character NUL"),
    "zero bytes": (bytes(5000), "zero bytes"),
    "joined files": ((CSV + CSV).encode(), "line 62: it repeats the header"),
    "joined with marks": (("\ufeff" + CSV + "\ufeff" + CSV).encode(), "line 62: it begins with a byte order mark"),
    "a header too short": (CSV.replace("user,", "").encode(), "the header has 3 fields, and the rows have 4"),
    "first row too short": (CSV.replace("u0,i0,1,", "u0,i0,").encode(), "line 2: Expected 4 columns, got 3"),
    "first row too long": (CSV.replace("u0,i0,", "u0,i0,x,").encode(), "line 2: Expected 4 columns, got 5"),
    "first row of all": (("1,2\n" + CSV.partition("\n")[2]).encode(), "line 1: Expected 4 columns, got 2"),
    "one record of all lines": (
        b'1,"10,3\n1,11,4\n2,10,5\n2,1"\n',
        "line 1: a quotation mark opens a field of 4 lines",
    ),
    "one field of all lines": (
        b'"1::10::3\n1::11::4\n2::10::5\n2::1"\n',
        "line 1: a quotation mark opens a field of 4 li",
    ),
    "returns in the header": (
        CSV.replace("timestamp\n", "timestamp\r").encode(),
        "line 1: it contains a carriage return",
    ),
    "returns in a row": (
        CSV.replace("01\n", "01\r").replace("02\n", "02\r").encode(),
        "line 3: it holds 2 carriage returns",
    ),
    "a comment": (f"# ratings\n{CSV}".encode(), "grep -v '^#'"),
    "separators at the end": (
        CSV.replace("\n", ",\n").replace("timestamp,", "timestamp").encode(),
        "rows end with a sep",
    ),
    "marks after a backslash": (b"user,item\n" + b'u,"\\"a\\", b"\n' * 9, "Double the quotation marks"),
    "blanks between": (CSV.replace(",", " ").encode(), "--separator ' '"),
    "a rating of too many digits": (
        CSV.replace(",5,", ",1e39,").encode(),
        "'1e39', not a number that 32-bit floats can",
    ),
    "two columns of a name": (b"user,item,item\na,b,c\n", "more than one column with the name 'item'"),
    "two columns of a role": (b"user,item,Item\na,b,c\n", "more than one column for the item: item, Item"),
    "JSON array": (json.dumps([{"user": 1, "item": 2}]).encode(), "jq -c"),
    "JSON on several lines": (json.dumps({"user": 1, "item": 2}, indent=1).encode(), "jq -c"),
    "JSON object as an id": (b'{"user": 1, "item": 2}\n{"user": {"id": 72}, "item": 2}\n', "line 2 has an object"),
    "JSON list as an id": (b'{"user": 1, "item": 2}\n{"user": [72], "item": 2}\n', "line 2 has a list"),
    "JSON NaN as an id": (b'{"user": 1, "item": 2}\n{"user": NaN, "item": 2}\n', "line 2: the user is missing"),
    "JSON name twice": (b'{"user": 1, "item": 2}\n{"user": 1, "user": 2, "item": 2}\n', "a name occurs twice"),
    "JSON float that is not exact": (b'{"user": 1e17, "item": 2}\n', "a float so large that other ids may have become"),
    "JSON array of arrays": (b"[[1, 2, 3], [2, 3, 4]]", "holds JSON, but not an object a line"),
    "JSON array a line": (b"[1, 2]\n[2, 3]\n", "holds JSON, but not an object a line"),
    "JSON with commas": (b'{"user": 1, "item": 2},\n', "jq -c ."),
    "half a pair": (b'{"user": 1, "item": 2}\n{"user": "\\ud800", "item": 2}\n', "half a surrogate pair"),
    "NUL in JSON": (b'{"user": 1, "item": 2}\n{"user": "\\u0000", "item": 2}\n', "which holds the character NUL"),
    "JSON infinity": (b'{"user": 1, "item": 2, "rating": Infinity}\n', "the rating is 'inf', not a finite number"),
    "Python object": (b"{'user': 1, 'item': 2}\n{'user': {1: 2}, 'item': 2}\n", "line 2 has an object"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_why(tmp_path, content, message):
    assert message in refusal(write(tmp_path, content))


def test_a_line_longer_than_a_block_and_one_that_is_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr("recbench.data.readers.opening.BLOCK", 100)
    path = write(tmp_path, f"user,item,text\na,b,{'x' * 5000}\nc,d,e\n")
    assert pairs_of(read_interactions(path)) == [("a", "b"), ("c", "d")]
    monkeypatch.setattr("recbench.data.readers.decoding.MAX_LINE", 3000)
    assert "line 2: the line is longer than" in refusal(path)


@pytest.mark.parametrize("position", [0, 3, 100])
def test_a_long_line_among_short_ones_is_read_or_named(tmp_path, position):
    # The short lines fill so little of the block that each piece of it would be the block again.
    lines = [f"u{n},i{n},x" for n in range(100)]
    for long, n_rows in ((f"a,b,{'y' * 200_000}", 101), ("z," * 100_000, 100)):
        text = "\n".join(["user,item,text", *lines[:position], long, *lines[position:], "c,d,e"])
        path = write(tmp_path, text + "\nf,g\n")
        assert "Expected 3 columns" in refusal(path)
        assert len(read_interactions(path, SKIPPING)) == n_rows + 1


def test_ids_of_equals_signs_are_no_merge_marks(tmp_path):
    path = write(tmp_path, "user,item\n=======a,1\n========,2\nb,3,\n")
    # The last line makes the reader look at each record.
    assert pairs_of(read_interactions(path, SKIPPING)) == [("=======a", "1"), ("========", "2")]
    mark = Layout(form=Form.ADJACENCY)
    assert "merge conflict mark" in refusal(write(tmp_path, "u 1\n||||||| base\nv 2\n"), mark)
    assert len(read_interactions(write(tmp_path, "======= 1\n=======a 2\n"), mark)) == 2


def test_a_third_column_of_times_is_not_read_as_ratings(tmp_path):
    for times in ("17000000{}", "17000000{}000", "202311{}", "2023-11-{}", "2023-11-{} 10:00:00"):
        path = write(tmp_path, "".join(f"{n},i{n},{times.format(n)}\n" for n in range(10, 28)))
        message = refusal(path)
        assert "its column 3 would be read as the ratings, but looks like times" in message
        assert "--user-column 1 --item-column 2 --timestamp-column 3" in message
        assert read_interactions(path, Layout("1", "2", timestamp="3")).ratings is None
    counts = write(tmp_path, "".join(f"u{n},i{n},{n * 10_000_000}\n" for n in range(10, 28)))
    assert refusal(counts)
    assert read_interactions(counts, Layout("1", "2", "3")).timestamps is None
    assert read_interactions(counts, Layout(timestamp="")).ratings is not None
    for rating in ("5", "0.5", "20231300", "1e3", "31000000"):
        path = write(tmp_path, "".join(f"u{n},i{n},{rating}\n" for n in range(10, 28)))
        assert read_interactions(path).ratings is not None


def test_messages_stay_short(tmp_path):
    for text in (f"user,item,rating\na,b,{'x' * 10**6}\n", "x" * 10**6, f'{{"user": 1, "item": 2}}\n{"x" * 10**6}\n'):
        assert len(refusal(write(tmp_path, text))) < 1000


def test_values_of_frames_and_parquet_that_are_no_ids(tmp_path):
    path = tmp_path / "r.parquet"
    good = pd.DataFrame({"user": [b"u1", b"u2"], "item": ["a", "b"]})
    good.to_parquet(path)
    assert pairs_of(read_interactions(path)) == [("u1", "a"), ("u2", "b")]
    for value, message in ((b"\xff", "not UTF-8 text"), (float("inf"), "'inf', not an id"), (True, "not an id")):
        pd.DataFrame({"user": [value], "item": ["a"]}).to_parquet(path)
        assert message in refusal(path)
    for value, message in (({"id": 72}, "an object"), ([72], "a list"), (float("nan"), "missing"), ("a\0", "NUL")):
        frame = pd.DataFrame({"user": pd.Series([value, "b"], dtype=object), "item": ["a", "b"]})
        with pytest.raises(RecbenchError, match=f"row 0 .*{message}"):
            make_task(frame)


def test_a_header_among_the_rows_is_no_row(tmp_path):
    for first, other in (
        ("user,item", '"user","item"'), ("user,item", "User, Item"), ("user,item", "item,user"), ("7,8", "user_id,sku"),
    ):  # fmt: skip
        path = write(tmp_path, f"{first}\na,b\nc,d\n{other}\ne,user\n".replace("a,b", "1,2"))
        assert "line 4: the user is" in (message := refusal(path))
        assert "header among the rows" in message
        assert pairs_of(read_interactions(path, SKIPPING))[-3:] == [("1", "2"), ("c", "d"), ("e", "user")]


def test_the_type_of_ids_may_change_within_a_table(tmp_path, monkeypatch):
    user_columns = [pa.array([1, 2]), pa.array([1, 3], pa.int32()), pa.array(["1", "x"]), pa.array([2, 7], pa.uint64())]
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, users in enumerate(user_columns):
        table = pa.table({"user": users, "item": pa.array([f"{number}a", f"{number}b"])})
        pa.parquet.write_table(table, folder / f"part-{number}.parquet")
    users = [user for user, _ in pairs_of(read_interactions(folder))]
    assert users == ["1", "2", "1", "3", "1", "x", "2", "7"]
    monkeypatch.setattr("recbench.data.readers.opening.BLOCK", 20)
    lines = '{"user": 1, "item": 2}\n{"user": "1", "item": 3}\n{"user": 1, "item": "4"}'
    assert pairs_of(read_interactions(write(tmp_path, lines))) == [("1", "2"), ("1", "3"), ("1", "4")]


def test_types_of_parquet_that_hold_ids_and_times(tmp_path):
    path = tmp_path / "r.parquet"

    def read(user, timestamp=None):
        table = {"user": user, "item": pa.array(["a"] * len(user))}
        pa.parquet.write_table(pa.table(table if timestamp is None else table | {"time": timestamp}), path)

    read(pa.array([b"u1", b"u2"], pa.binary(2)))
    assert pairs_of(read_interactions(path)) == [("u1", "a"), ("u2", "a")]
    for user in (pa.array([2.0**53]), pa.array([2.0**24], pa.float32())):
        read(user)
        assert "a float so large that other ids may have become the same" in refusal(path)
    read(pa.array([2.0**53 - 1]))
    assert pairs_of(read_interactions(path)) == [("9007199254740991.0", "a")]
    for kind in (pa.time64("us"), pa.duration("s"), pa.bool_()):
        read(pa.array([1]), pa.array([1]).cast(kind))
        assert "not a date or a time that counts from 1970" in refusal(path)


def test_ncf_files_are_decoded_too(tmp_path):
    files = {"train": "0\t1\n0\t2\n1\t2\n1\t0\n", "test": "0\t0\n1\t1\n", "negatives": "(0,0)\t3\t4\n(1,1)\t3\t4\n"}
    tasks = []
    for encode in (str.encode, lambda text: lzma.compress(text.replace("\n", "\r\n").encode("utf-16"))):
        paths = [write(tmp_path, encode(text), name) for name, text in files.items()]
        tasks.append(import_ncf("toy", *paths))
    assert tasks[0].digest == tasks[1].digest
    with pytest.raises(RecbenchError, match="line 1: 3 fields, most lines have 2"):
        import_ncf("toy", write(tmp_path, "0\t1\t5\n0\t2\n1\t2\n", "train"), *paths[1:])
