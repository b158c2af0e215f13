"""Records and histories that a person, git or a disk has changed: the cause is named, and nothing is written."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

from recbench.cli.history import history as history_verb
from recbench.errors import RecbenchError
from recbench.records import baselines, history
from recbench.records.selection import read_records
from tests.examples import a_record
from tests.test_baselines import a_run, git

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    """The file of the one record of a run, in a project without results."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    a_run(tmp_path / "run", a_record("bpr", 0))
    (path,) = (tmp_path / "run").glob("*.json")
    return path


NAMES = ["../../../../escaped", "/abs", "a/b", "a\\b", "..", ".hidden", "", "a\0b", "a\nb", "x" * 300]


@pytest.mark.parametrize("name", NAMES)
def test_a_task_name_leads_nowhere_else(run, tmp_path, name):
    record = json.loads(run.read_text())
    record["task"]["name"] = name.replace("/abs", str(tmp_path / "abs"))
    run.write_text(json.dumps(record))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RecbenchError, match=r"cannot be the name of a folder|without NUL"):
        baselines.accept(read_records(str(run.parent)), "main", force=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_record_with_line_ends_of_windows_is_the_same_record(run):
    good = read_records(str(run)).trials[0].record
    run.write_bytes(run.read_bytes().replace(b"\n", b"\r\n"))
    assert read_records(str(run)).trials[0].record == good


def test_what_git_has_made_of_a_record_is_named_with_what_to_do(run, tmp_path):
    ranks = run.with_suffix(".npz")
    good = {path: path.read_bytes() for path in (run, ranks)}
    lines = good[run].decode().splitlines(keepends=True)
    conflict = "".join([*lines[:3], "<<<<<<< HEAD\n", *lines[3:4], "=======\n", *lines[3:4], ">>>>>>> b\n", *lines[4:]])
    left = "".join([*lines[:3], ">>>>>>> b\n", *lines[3:]])
    both = "".join([*lines[:4], *lines[3:]])
    checkout = f"git checkout --ours {run} {ranks}"
    for path, content, cause, advice in (
        (run, conflict.encode(), "merge conflict marks", checkout),
        (run, conflict.replace("\n", "\r\n").encode(), "merge conflict marks", checkout),
        (run, left.encode(), "merge conflict marks", checkout),
        (run, both.encode(), "occurs twice, as after a merge", "run the trial again"),
        (run, LFS.encode(), "Git LFS pointer", f"git lfs pull --include {run},{ranks}"),
        (ranks, LFS.encode(), "Git LFS pointer", f"git lfs pull --include {run},{ranks}"),
        (ranks, good[ranks].replace(b"\n", b"\r\n"), "changed line ends", "-text"),
        (ranks, good[ranks].replace(b"\n", b"\r\n", 1), "changed line ends", "-text"),
        (ranks, good[ranks][:100] + good[ranks][101:], "changed line ends", "-text"),
        (ranks, b"", "is empty", "Run the trial again"),
    ):
        path.write_bytes(content)
        for text in (str(run), str(run.parent)):
            with pytest.raises(RecbenchError, match=cause) as caught:
                read_records(text)
            assert advice in caught.value.hint
        path.write_bytes(good[path])
    read_records(str(run))


def test_what_a_commit_holds_of_a_record_is_named_without_temporary_files(run, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    git(".", "init", "-q")
    lines = run.read_text().splitlines(keepends=True)
    for content, cause, advice in (
        ("".join(["<<<<<<< HEAD\n", *lines]), "merge conflict marks", "git log --oneline -- run"),
        (LFS, "Git LFS pointer", "git worktree add ../base HEAD"),
    ):
        run.write_text(content)
        git(".", "add", "run")
        git(".", "commit", "-q", "-m", cause)
        with pytest.raises(RecbenchError, match=f"HEAD:run/{run.name} is not a record: .*{cause}") as caught:
            read_records("HEAD:run")
        assert advice in caught.value.hint
        assert tempfile.gettempdir() not in caught.value.hint


def lines_of(run: Path) -> list[str]:
    baselines.accept(read_records(str(run.parent)), "main")
    baselines.accept(read_records(str(run.parent)), "main", refresh_timings=True)
    return Path("results/history.jsonl").read_text().splitlines()


DAMAGED = {
    "no time zone": ({"accepted_at": "2026-01-01T00:00:00"}, "accepted_at: .*timezone"),
    "1e308": ({"interactions_per_second": 1e308}, "interactions_per_second: .*less than"),
    "above 1": ({"hr": 1.5}, "hr: .*less than"),
    "not a number": ({"ndcg": "x"}, "ndcg: "),
    "a later schema": ({"schema": 2}, "schema: "),
    "another field": ({"note": 1}, "note: "),
}


@pytest.mark.parametrize(("change", "cause"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_named_and_hides_no_other(run, capsys, change, cause):
    first, second = lines_of(run)
    path = Path("results/history.jsonl")
    text = f"{first}\n{json.dumps(json.loads(second) | change)}\n"
    path.write_text(text)
    with pytest.raises(RecbenchError, match=f"history.jsonl, line 2 is not an accepted record: {cause}"):
        history_verb()
    assert "bpr on toy" in capsys.readouterr().out
    with pytest.raises(RecbenchError, match="line 2"):
        baselines.accept(read_records(str(run.parent)), "main")
    assert path.read_text() == text


def test_merge_marks_pointers_and_other_content_of_a_history(run):
    first, second = lines_of(run)
    path = Path("results/history.jsonl")
    path.write_text(f"<<<<<<< HEAD\n{first}\n=======\n{second}\n>>>>>>> other\n")
    undamaged = history.read_undamaged(path)
    assert len(undamaged.lines) == 2
    assert ["merge conflict mark" in text for text in undamaged.damaged] == [True] * 3
    with pytest.raises(RecbenchError, match=r"line 1 .*merge conflict mark of git. 2 more lines") as caught:
        history.read(path)
    command = caught.value.hint.rpartition("the conflict marks: ")[2]
    for end in ("\n", "\r\n"):
        marked = path.read_text().replace("=======", "||||||| base\n=======").replace("\n", end)
        (run.parent / "marked").write_bytes(marked.encode())
        shown = subprocess.run(command.replace(str(path), "marked"), shell=True, cwd=run.parent, check=True)
        assert shown.returncode == 0
        assert len(history.read(run.parent / "marked")) == 2
    for content, cause in (
        (LFS.encode(), "Git LFS pointer"),
        (f"{first}\n".encode("utf-16"), "UTF-16"),
        (b"\0" * 40, "zero bytes"),
        (b"<!DOCTYPE html><html>", "page of a web server"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ):
        path.write_bytes(content)
        with pytest.raises(RecbenchError, match=f"history.jsonl .*{cause}"):
            history.read(path)
        with pytest.raises(RecbenchError, match=cause):
            baselines.accept(read_records(str(run.parent)), "main")
        assert path.read_bytes() == content


def test_a_history_keeps_its_bytes(run):
    """Line ends, a byte order mark and a missing last line end stay, and are read."""
    first, _ = lines_of(run)
    path = Path("results/history.jsonl")
    for before in (b"", b"\xef\xbb\xbf" + first.encode() + b"\r\n", first.encode(), first.encode() + b"\n\n"):
        path.write_bytes(before)
        baselines.accept(read_records(str(run.parent)), "main", refresh_timings=True)
        after = path.read_bytes()
        assert after.startswith(before)
        assert len(history.read(path)) == (2 if before else 1)
        assert after.count(b"\r\n") == (2 if b"\r\n" in before else 0)
