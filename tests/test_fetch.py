import functools
import gzip
import hashlib
import http.server
import io
import logging
import re
import threading
import zipfile

import pytest

from recbench.data import fetch as fetching
from recbench.data.catalogue import (
    ArchiveSource,
    DataFile,
    Dataset,
    FileSource,
    WheelSource,
    catalogue,
    citations,
    find_dataset,
)
from recbench.data.published_files import read_rows
from recbench.data.readers.layout import Form, Layout
from recbench.errors import RecbenchError

ROWS = b"1\t10\t3\t100\n2\t10\t4\t101\n"
ABSENT = "http://127.0.0.1:9/toy.zip"
NO_WHEEL = WheelSource(kind="wheel", requirement="recbench-has-no-such-mirror==0", member="x")


def archive(member: str = "toy/u.data", content: bytes = ROWS) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        # With a fixed time: a file of the present time is another archive two seconds later.
        file.writestr(zipfile.ZipInfo(member), content)
    return target.getvalue()


@pytest.fixture
def server(tmp_path):
    """Serves a folder on this machine only."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=folder)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


@pytest.fixture
def toy(monkeypatch):
    """Puts a small dataset into the catalogue, with the given sources."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    def put(*sources, pinned=True, **counts):
        sha256 = hashlib.sha256(ROWS).hexdigest() if pinned else None
        entry = Dataset(
            title="Toy",
            homepage="https://example.org/toy",
            licence="be nice",
            citation="harper2015movielens",
            terms="\nBe nice.",
            layout=Layout("1", "2", "3", "4", separator="\t"),
            **{"rows": 2, "users": 2, "items": 1, **counts},
            files=(DataFile(name="ratings.tsv", sha256=sha256, sources=sources),),
        )
        monkeypatch.setitem(catalogue(), "toy", entry)

    return put


def source(url: str, content: bytes) -> ArchiveSource:
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    return ArchiveSource(kind="archive", url=url, checksum=checksum, member="toy/u.data")


def test_fetches_once_and_shows_the_terms_once(server, toy, caplog):
    folder, address = server
    (folder / "toy.zip").write_bytes(archive())
    toy(source(f"{address}/toy.zip", archive()))
    with caplog.at_level(logging.INFO, "recbench"):
        path = fetching.fetch("toy")["ratings.tsv"]
        assert path.read_bytes() == ROWS
        assert "Be nice." in caplog.text
        caplog.clear()
        (folder / "toy.zip").unlink()
        assert fetching.fetch("toy") == {"ratings.tsv": path}
    assert caplog.text == ""


def test_falls_back_to_the_next_source_with_one_line(server, toy, caplog):
    folder, address = server
    (folder / "toy.zip").write_bytes(archive())
    toy(source(ABSENT, b""), source(f"{address}/toy.zip", archive()))
    assert fetching.fetch("toy")["ratings.tsv"].read_bytes() == ROWS
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert ABSENT in warnings[0]
    assert "\n" not in warnings[0]


def test_without_network_and_mirror_it_says_every_reason_and_every_way_out(toy, home):
    toy(source(ABSENT, b""), NO_WHEEL)
    with pytest.raises(RecbenchError) as caught:
        fetching.fetch("toy")
    assert ABSENT in caught.value.message
    assert NO_WHEEL.requirement in caught.value.message
    for way in ("recbench data add toy FILE", "recbench task build NAME --ratings FILE", "--task synthetic"):
        assert way in caught.value.hint
    assert not list(home.rglob("*.tsv"))


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "needs pip, which this Python does not have; install it: "), ("19.0.1", "; pip 19.0.1 is old, update it")],
)
def test_a_mirror_names_a_pip_that_is_missing_or_old(toy, home, monkeypatch, version, message):
    monkeypatch.setattr("recbench.data.download._pip_version", lambda: version)
    toy(NO_WHEEL)
    with pytest.raises(RecbenchError, match=re.escape(message)):
        fetching.fetch("toy")


def test_another_archive_than_the_published_one_is_not_used(server, toy):
    folder, address = server
    (folder / "toy.zip").write_bytes(archive(content=b"1\t1\t1\t1\n"))
    toy(source(f"{address}/toy.zip", archive()))
    with pytest.raises(RecbenchError, match="another file than the published one"):
        fetching.fetch("toy")


def test_other_rows_in_the_right_archive_are_refused_with_both_checksums(server, toy, home):
    folder, address = server
    wrong = archive(content=b"1\t1\t1\t1\n")
    (folder / "toy.zip").write_bytes(wrong)
    toy(source(f"{address}/toy.zip", wrong))
    with pytest.raises(RecbenchError, match="expected") as caught:
        fetching.fetch("toy")
    assert hashlib.sha256(ROWS).hexdigest() in caught.value.message
    assert not list(home.rglob("*.tsv"))


def test_a_cached_file_that_was_changed_is_noticed(server, toy):
    folder, address = server
    (folder / "toy.zip").write_bytes(archive())
    toy(source(f"{address}/toy.zip", archive()))
    path = fetching.fetch("toy")["ratings.tsv"]
    path.write_bytes(ROWS[:-5])
    with pytest.raises(RecbenchError, match="recbench data fetch toy --force"):
        fetching.fetch("toy")
    assert fetching.fetch("toy", force=True)["ratings.tsv"].read_bytes() == ROWS


def test_adds_the_archive_or_the_bare_rows_from_a_file(toy, tmp_path):
    toy(source(ABSENT, b""))
    for name, content in (("a.zip", archive()), ("u.data", ROWS)):
        (tmp_path / name).write_bytes(content)
        assert fetching.add("toy", [tmp_path / name])["ratings.tsv"].read_bytes() == ROWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.zip", archive("something/else"), "no member toy/u.data"),
        ("damaged.zip", archive().replace(ROWS, ROWS[::-1]), "Cannot add toy from"),
        ("wrong.data", ROWS[:-3], "not Toy as published"),
        ("absent.zip", None, "Cannot add toy from"),
    ],
)
def test_adds_nothing_else(toy, tmp_path, home, name, content, message):
    toy(source(ABSENT, b""))
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecbenchError, match=message):
        fetching.add("toy", [tmp_path / name])
    assert not list(home.rglob("*.tsv"))


def test_without_a_published_checksum_counts_are_checked_and_the_file_s_own_is_remembered(server, toy, caplog):
    folder, address = server
    (folder / "u.data").write_bytes(ROWS)
    toy(FileSource(kind="file", url=f"{address}/u.data"), pinned=False)
    path = fetching.fetch("toy")["ratings.tsv"]
    assert f"sha256 {hashlib.sha256(ROWS).hexdigest()}" in caplog.text
    assert fetching.fetch("toy") == {"ratings.tsv": path}
    path.write_bytes(ROWS[::-1])
    with pytest.raises(RecbenchError, match="was changed after it was added"):
        fetching.fetch("toy")
    path.with_name("ratings.tsv.adopted.json").unlink()
    with pytest.raises(RecbenchError, match="was not added by recbench"):
        fetching.fetch("toy")


def test_other_counts_than_published_are_refused(toy, tmp_path, home):
    (tmp_path / "u.data").write_bytes(ROWS)
    toy(source(ABSENT, b""), pinned=False, rows=3, items=7)
    with pytest.raises(RecbenchError, match="2 rows, expected 3; 1 items, expected 7"):
        fetching.add("toy", [tmp_path / "u.data"])
    assert not list(home.rglob("*.tsv"))


def test_another_archive_than_the_published_one_is_not_adopted(toy, tmp_path):
    (tmp_path / "a.zip").write_bytes(archive())
    toy(source(ABSENT, archive(content=b"other")), pinned=False)
    with pytest.raises(RecbenchError, match="its md5 is .*, that of the published archive is"):
        fetching.add("toy", [tmp_path / "a.zip"])
    toy(source(ABSENT, archive()), pinned=False)
    assert fetching.add("toy", [tmp_path / "a.zip"])["ratings.tsv"].read_bytes() == ROWS


def test_a_download_that_breaks_off_is_never_used(toy, home):
    class Short(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(ROWS)))
            self.end_headers()
            self.wfile.write(ROWS[: len(ROWS) // 2])

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Short) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        toy(FileSource(kind="file", url=f"http://127.0.0.1:{running.server_address[1]}/u.data"), pinned=False, rows=1)
        with pytest.raises(RecbenchError, match="cannot be reached"):
            fetching.fetch("toy")
        running.shutdown()
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_an_entry_of_several_files_needs_all_of_them(tmp_path):
    (tmp_path / "train.txt").write_text("0 1 2\n")
    (tmp_path / "other.txt").write_text("0 3\n")
    with pytest.raises(RecbenchError, match=r"missing: test\.txt"):
        fetching.add("gowalla", [tmp_path / "train.txt"])
    with pytest.raises(RecbenchError, match=r"its name is not one of train\.txt, test\.txt"):
        fetching.add("gowalla", [tmp_path / "other.txt"])


ROWS_OF = {
    Form.ADJACENCY: lambda layout: "0 1 2\n1 2\n",
    Form.COUNTED_LISTS: lambda layout: "2 1 2\n1 2\n",
    Form.JSON_LINES: lambda layout: rows_of_objects(layout, '{{"{user}": "{u}", "{item}": "{i}", "x": 1, {rest}}}\n'),
    Form.PYTHON_LINES: lambda layout: rows_of_objects(layout, "{{u'{user}': u'{u}', u'{item}': u'{i}', {rest}}}\n"),
    None: lambda layout: delimited_rows(layout),
}
PAIRS = [(0, 1), (0, 2), (1, 2)]


def rows_of_objects(layout, line):
    time = "978300760" if layout.form is Form.JSON_LINES else "'2017-12-17'"
    rest = ", ".join(f'"{name}": {value}' for name, value in ((layout.rating, 4.5), (layout.timestamp, time)) if name)
    return "".join(line.format(user=layout.user, item=layout.item, u=u, i=i, rest=rest) for u, i in PAIRS)


def delimited_rows(layout):
    names = [name for name in (layout.user, layout.item, layout.rating, layout.timestamp) if name]
    header = [] if names[0].isdigit() else [layout.separator.join(names)]
    rows = [layout.separator.join([str(u), str(i), "4.5", "978300760"][: len(names)]) for u, i in PAIRS]
    return "\r\n".join([*header, *rows, ""]) if layout.encoding != "utf-8" else "\n".join([*header, *rows, ""])


@pytest.mark.parametrize("name", catalogue())
def test_every_entry_takes_small_files_of_its_form(tmp_path, monkeypatch, name):
    entry = find_dataset(name)
    assert entry.citation in citations()
    files = tuple(file.model_copy(update={"sha256": None, "md5": None}) for file in entry.files)
    holding_rows = [file for file in files if file.holds == "rows"]
    counts = {"rows": 3 * len(holding_rows), "users": 2, "items": 2}
    monkeypatch.setitem(catalogue(), name, entry.model_copy(update={"files": files, **counts}))
    text = ROWS_OF.get(entry.layout.form, ROWS_OF[None])(entry.layout).encode(entry.layout.encoding)
    for file in files:
        content = gzip.compress(text) if file.name.endswith(".gz") else text
        (tmp_path / file.name).write_bytes(content if file.holds == "rows" else b"(0,1)\t5\n")
    added = fetching.add(name, [tmp_path / file.name for file in files])
    rows = read_rows(find_dataset(name), added)
    assert rows.n_duplicates == 3 * len(holding_rows) - 3
    assert sorted(zip(rows.users.tolist(), rows.items.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]
    assert fetching.fetch(name) == added


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(RecbenchError, match="Did you mean: ml-100k"):
        find_dataset("ml100k")
