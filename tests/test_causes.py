"""What the system refuses, and what a file holds in place of what was expected: the true cause, and no traceback."""

import errno
import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import platformdirs
import pytest

from recbench.cli.shared.output_options import output_file
from recbench.data import download
from recbench.data.cache import home as cache_home
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError
from recbench.records import ranks_file, store, tuned_settings
from recbench.records.benchmark_timings import read_timings
from recbench.reports.compare.policy import read_policy
from recbench.runners import schedule
from recbench.system_errors import UnreadableError, advice_to_write, system_error
from recbench.tasks import cache_contents, lookup, task_file
from recbench.trials import logs
from tests.command_line import CommandLine
from tests.examples import some_trials, write

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
TOO_LONG = "a" * 5000
IS_DIR_RAISES = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="is_dir() is false here for what the system refuses: there are no such records"
)
MERGE = b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"


@pytest.fixture
def command(capfd, monkeypatch):
    return CommandLine(capfd, monkeypatch)


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """A folder with one record, which is also the working folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "run", some_trials("bpr", seeds=1))
    return tmp_path / "run"


def readers(record: Path):
    return {
        record: store.load,
        record.with_suffix(".npz"): ranks_file.load_ranks,
        record.with_name("a.task"): task_file.load,
        record.with_name("b.task"): task_file.identity_of,
        record.with_name("c.task"): task_file.spec_of,
        record.with_name("settings.toml"): tuned_settings.load,
        record.with_name("gate.toml"): read_policy,
        record.with_name("timings.json"): read_timings,
    }


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EMFILE, "ulimit -n"), (errno.EACCES, "ls -ld"), (errno.EIO, "dmesg"), (errno.ENOMEM, "ulimit -v")],
)
def test_what_the_system_refuses_is_no_damage(run_folder, monkeypatch, number, advice):
    (record,) = run_folder.glob("*.json")

    def refuse(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    for path, read in readers(record).items():
        path.touch()
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", refuse)
            patch.setattr(Path, "read_bytes", refuse)
            with pytest.raises(UnreadableError) as raised:
                read(path)
        assert os.strerror(number) in raised.value.message
        assert str(path) in raised.value.message
        assert advice in raised.value.hint
        assert not {"elete", "emove", "again: rm", "damaged"} & {*str(raised.value).split()}


@pytest.mark.parametrize(
    ("content", "what"), [(POINTER, "Git LFS pointer"), (MERGE, "merge conflict marks"), (b"", "empty")]
)
def test_other_content_is_named(run_folder, content, what):
    (record,) = run_folder.glob("*.json")
    for path, read in readers(record).items():
        path.write_bytes(content)
        if read in (task_file.identity_of, task_file.spec_of):
            assert read(path) is None
        elif content or path.suffix != ".toml":
            with pytest.raises(RecbenchError, match=what):
                read(path)


def test_ranks_that_git_took_for_text(run_folder):
    (ranks,) = run_folder.glob("*.npz")
    ranks.write_bytes(ranks.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(RecbenchError, match="changed line ends") as raised:
        ranks_file.load_ranks(ranks)
    assert "*.npz -text" in raised.value.hint


def test_nobody_is_told_to_delete_a_task_that_cannot_be_made_again(home):
    for folder, kept in {"own": True, "by-digest": True, "built": False, "tuning": False}.items():
        path = home / "tasks" / folder / "x.task"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"recbench-task-2\nsomething else" * 10)
        with pytest.raises(RecbenchError) as raised:
            task_file.load(path)
        assert ("Keep the file" in raised.value.hint) is kept
        assert ("rm " in raised.value.hint) is not kept


def test_what_stands_in_place_of_a_file_is_named(home):
    own = home / "tasks" / "own"
    own.mkdir(parents=True)
    (own / "lost.task").symlink_to("nowhere")
    with pytest.raises(RecbenchError, match="lost is a link that leads to no file"):
        lookup.find_task("lost")
    (own / "text.task").write_text("hello\n")
    with pytest.raises(RecbenchError, match="its first bytes are not those of this format"):
        task_file.load(own / "text.task")
    with pytest.raises(RecbenchError, match="a device or a pipe"):
        read_interactions(Path(os.devnull))


def test_files_that_cannot_be_read_count_as_the_only_copy(home, monkeypatch):
    path = home / "tasks" / "own" / "mine.task"
    path.parent.mkdir(parents=True)
    path.touch()
    note = home / "datasets" / "ml-100k" / "u.data.adopted.json"
    note.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"source": 1}'):
        note.write_text(content)
        (note.parent / "u.data").touch()
        assert not any(file.replaceable for file in cache_contents.dataset_files("ml-100k"))
    note.unlink()
    assert all(file.replaceable for file in cache_contents.dataset_files("ml-100k"))

    def refuse(self, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert [file.replaceable for file in cache_contents.task_files("mine")] == [False]
        with pytest.raises(UnreadableError):
            task_file.load(lookup.own_task_path("mine"))


def test_a_fault_of_recbench_is_not_called_damage(synthetic_task, tmp_path, monkeypatch):
    task_file.save(synthetic_task, tmp_path / "a.task")
    monkeypatch.setattr(task_file, "_from_arrays", lambda *_: None)
    with pytest.raises(TypeError):
        task_file.load(tmp_path / "a.task")


def test_a_name_that_is_too_long_is_not_a_matter_of_the_place():
    assert advice_to_write(OSError(errno.ENAMETOOLONG, "File name too long"), "x") == "Use a shorter name or path."
    assert advice_to_write(PermissionError(errno.EACCES, "Permission denied"), "x") == "x"


def test_the_cause_behind_an_exception():
    def raised(error, cause, explicit=True):
        setattr(error, "__cause__" if explicit else "__context__", cause)
        return error

    full = OSError(errno.ENOSPC, "No space left on device", "x")
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory", "x")
    assert "No space left" in str(system_error(raised(ValueError("wrapped"), full)))
    assert "x: No such file" in str(system_error(missing))
    assert system_error(raised(ValueError("ours"), missing, explicit=False)) is None
    assert system_error(ValueError("ours")) is None
    assert system_error(OSError("no number")) is None
    assert "ulimit -u" in str(system_error(BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")))
    assert "ulimit -u" in str(system_error(RuntimeError("can't start new thread")))
    assert "not enough memory" in str(system_error(raised(RuntimeError("x"), MemoryError())))
    assert "ulimit -n" in str(system_error(ImportError("libx.so: cannot open shared object file: Too many open files")))
    assert system_error(ImportError("libx.so: cannot open shared object file: No such file or directory")) is None


@pytest.mark.parametrize(
    "words",
    [
        *(
            pytest.param(words, marks=IS_DIR_RAISES)
            for words in (
                ["gate", "run", TOO_LONG], ["compare", TOO_LONG, "run"], ["plot", TOO_LONG, "-o", "p.svg"],
                ["leaderboard", TOO_LONG], ["baseline", "accept", TOO_LONG],
            )
        ),
        ["leaderboard", "run", "-o", f"{'a' * 400}.md"], ["plot", "run", "-o", f"{'a' * 400}.svg"],
        ["run", "--models", "popularity", "--task", f"{TOO_LONG}.toml"],
        ["run", "--models", "popularity", "--task", "synthetic", "--in-process", "-o", TOO_LONG],
    ],
    ids=lambda words: "-".join(word[:8] for word in words if not word.startswith("-")),
)  # fmt: skip
def test_paths_that_the_system_refuses(command, run_folder, words):
    done = command(*words)
    assert done.code == 2, done
    assert "File name too long" in done.err
    assert "Use a shorter name or path" in done.err


def test_a_home_folder_that_is_not_known(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECBENCH_HOME", "~nosuchuser/x")
    done = command("task", "list")
    assert done.code == 2
    assert "'nosuchuser', which is unknown" in done.err
    monkeypatch.delenv("RECBENCH_HOME")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: "~/.cache/recbench")
    done = command("task", "list")
    assert done.code == 2
    assert "HOME is not set" in done.err
    assert "export RECBENCH_HOME=" in done.err
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: str(tmp_path / "here"))
    assert cache_home() == tmp_path / "here"


def test_a_working_folder_that_was_removed(command, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    shutil.rmtree(gone)
    for words in (["run", "--models", "popularity", "--task", "synthetic"], ["list"], ["task", "list"]):
        done = command(*words)
        assert done.code == 2
        assert "The working folder no longer exists" in done.err


def test_a_deleted_data_file_is_called_missing(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "extra.txt").write_text("1")
    (tmp_path / "own.py").write_text(
        "import numpy as np\n\n\nclass Own:\n    def fit(self, train, context):\n        open('extra.txt').close()\n\n"
        "    def score(self, users, items):\n        return np.zeros(items.shape)\n"
    )
    words = ("run", "--models", "own.py:Own", "--task", "synthetic", "--seeds", "1", "--in-process", "-o", "o")
    assert command(*words).code == 0
    os.utime(tmp_path / "extra.txt", (1, 1))
    assert command(*words, "--force").code == 0
    (record,) = (tmp_path / "o").glob("*.json")
    assert "extra.txt" in json.loads(record.read_text())["sources"]["data"]
    (tmp_path / "extra.txt").unlink()
    done = command(*words, "--collect")
    assert "1 record is out of date: extra.txt is missing or unreadable." in done.err


def test_a_class_that_does_not_exist_is_an_error_of_list(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(
        "from json import JSONDecoder\nMade = type('Made', (), {})\n\n\nclass Net:\n    pass\n"
    )
    (tmp_path / "broken.py").write_text("class Net:\n    def\n")
    for words, message in {
        "own.py:Nett": "Unknown class in own.py 'Nett'. Did you mean: Net?",
        "json:Nope": "Unknown class in json 'Nope'.",
        "broken.py:Net": "broken.py, line 2 is not Python: invalid syntax.",
    }.items():
        done = command("list", words)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
    for words in ("own.py:Net", "own.py:JSONDecoder", "own.py:Made", "json:JSONDecoder"):
        assert command("list", words).code == 0


def test_a_model_or_task_that_the_history_does_not_have(command, run_folder):
    assert command("baseline", "accept", "run", "--force").code == 0
    for words, code, message in (
        (["--models", "brp"], 2, "Unknown model of the history 'brp'. Did you mean: bpr?"),
        (["--task", "nope"], 2, "Unknown task of the history 'nope'."),
        (["--models", "bpr", "--task", "toy"], 0, ""),
    ):
        done = command("history", *words)
        assert done.code == code, done
        assert message in done.err


def test_endings_of_pictures(command, run_folder):
    pytest.importorskip("matplotlib")
    for output, file in {"speed": "speed/toy.png", "speed.PNG": "speed.PNG"}.items():
        done = command("plot", "run", "-o", output)
        assert f"Drawn: {file}" in done.err
        assert Path(file).read_bytes().startswith(b"\x89PNG")
    assert "its ending is of no known kind" in command("plot", "run", "-o", "speed.tar").err


def test_messages_stay_short(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("run", "--models", "x" * 100_000)
    assert done.code == 2
    assert len(done.err) < 5000
    assert "more ...]" in done.err
    Path("many.toml").write_text("\n".join(f"x{number} = 1" for number in range(5000)))
    done = command("run", "--models", "popularity", "--task", "./many.toml")
    assert done.code == 2
    assert 200 < done.err.count("\n") < 220
    assert "more lines ...]" in done.err


def test_completion_never_shows_a_traceback(command, monkeypatch):
    monkeypatch.setenv("_RECBENCH_COMPLETE", "complete_bash")
    monkeypatch.delenv("COMP_WORDS", raising=False)
    done = command()
    assert (done.code, done.out, done.err) == (2, "", "")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"benchmarks": []}, "is a file of pytest-benchmark"),
        ({"schema": 1, "results": []}, "is the output of recbench --json"),
        ([1], "is another kind of JSON"),
        ({}, "is another kind of JSON"),
    ],
)
def test_other_json_is_no_record(tmp_path, content, what):
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(RecbenchError, match=what):
        store.load(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("interactions_per_second", value) for value in (1e308, 5e-324, -1, 10**400, "fast")),
        *(("fit_seconds", value) for value in (1e308, -1)),
        *(("model", value) for value in ("a\0b", 3)),
        *(("label", "a\0b"), ("seed", 10**400), ("epochs", 10**30), ("threads", -1), ("n_cases", 2**63)),
        *(("started_at", value) for value in ("2026-01-01T00:00:00", "10000-01-01T00:00:00Z", 1e300)),
        *(("ties_across_cut", {"9" * 400: 0.5}), ("curve", [{"epoch": 1, "fit_seconds": 1e308, "metrics": {}}])),
    ],
)
def test_figures_that_no_run_has_are_refused_by_name(command, run_folder, field, value):
    (record,) = run_folder.glob("*.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {field: value}))
    with pytest.raises(RecbenchError, match=f"is not a record of this version: {field}"):
        store.load(record)


@pytest.mark.parametrize("text", ["Infinity", "NaN", "-Infinity"])
def test_numbers_that_json_does_not_have(run_folder, text):
    (record,) = run_folder.glob("*.json")
    content = json.loads(record.read_text()) | {"fit_seconds": "HERE"}
    record.write_text(json.dumps(content).replace('"HERE"', text))
    with pytest.raises(RecbenchError, match="fit_seconds: Input should be a finite number"):
        store.load(record)


def test_a_shortage_is_not_blamed_on_the_folder(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EMFILE, "Too many open files", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    for write_there in (
        lambda: schedule.prepare(tmp_path / "o"),
        lambda: logs.new_log(tmp_path, "x"),
        lambda: output_file(tmp_path / "o", Path("x.md")),
    ):
        with pytest.raises(RecbenchError, match="Too many open files") as raised:
            write_there()
        assert "ulimit -n" in raised.value.hint
        assert "-o" not in raised.value.hint


def test_what_ends_a_tuning_is_not_blamed_on_its_storage(tmp_path):
    study = pytest.importorskip("recbench.tuning.study")
    for error in (OSError(errno.EMFILE, "Too many open files"), RuntimeError("can't start new thread")):
        with pytest.raises(type(error)), study.usable(tmp_path / "t.db"):
            raise error
    locked = "t.db cannot be used as the storage of a tuning: database is locked"
    with pytest.raises(RecbenchError, match=locked), study.usable(tmp_path / "t.db"):
        raise sqlite3.OperationalError("database is locked")


def test_a_full_disk_is_not_blamed_on_the_source(tmp_path, monkeypatch):
    import pooch
    import requests

    def fail(error):
        def retrieve(*_, **__):
            raise error

        monkeypatch.setattr(pooch, "retrieve", retrieve)
        download.download(
            download.FileSource(kind="file", url="https://example.org/x", checksum=None), tmp_path / "x", False
        )

    with pytest.raises(RecbenchError, match="No space left on device"):
        fail(OSError(errno.ENOSPC, "No space left on device", "x"))
    with pytest.raises(download.SourceError, match="cannot be reached"):
        fail(requests.ConnectionError("refused"))


def test_an_error_of_a_constructor_is_not_blamed_on_the_parameters(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for raised, message in {
        "ValueError('factors')": "Model 'Own' refuses its parameters: factors.",
        "AttributeError('x')": "Model 'Own' cannot be created: AttributeError: x.",
    }.items():
        (tmp_path / "own.py").write_text(
            f"class Own:\n    def __init__(self):\n        raise {raised}\n\n    def fit(self, t, c):\n        pass\n\n"
            "    def score(self, u, i):\n        pass\n"
        )
        done = command("run", "--models", "own.py:Own", "--task", "synthetic", "-o", "o", "--in-process")
        assert done.code == 2
        assert message in done.err
