"""Programs whose terminal is gone, whose streams are closed or full, and that fail themselves: their exit codes."""

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recbench.cli import list_models
from recbench.cli.app import app, main
from recbench.cli.shared.verbs import ONLY_PRINT, Verb
from recbench.progress.console import messages
from recbench.records.selection import read_records

BAD_MODELS = Path(__file__).parent / "bad_models.py"
FULL = Path("/dev/full")


def broken_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def closed() -> None:
    return None


def full() -> int:
    return os.open(FULL, os.O_WRONLY)


def in_a_child(*arguments: str, out=None, err=None) -> int:
    """Runs the program in a copy of this process whose standard streams are others; returns its exit code.

    Args:
        arguments: The command.
        out: Returns the descriptor for standard output; ``closed`` closes it. Null by default.
        err: The same for standard error.
    """
    if (child := os.fork()) != 0:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code: object = 99
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        for number, give in ((1, out), (2, err)):
            target = nothing if give is None else give()
            if target is None:
                os.close(number)
            else:
                os.dup2(target, number)
        sys.stdout = sys.__stdout__ = None if out is closed else os.fdopen(1, "w", closefd=False)
        sys.stderr = sys.__stderr__ = None if err is closed else os.fdopen(2, "w", closefd=False)
        messages.cache_clear()
        sys.argv = ["recbench", *arguments]
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    finally:
        os._exit(code if isinstance(code, int) else 98)


@pytest.mark.parametrize("err", [closed, full, broken_pipe])
def test_nobody_needs_to_read_the_messages(err):
    assert in_a_child("list", err=err) == 0
    assert in_a_child("no-such-verb", err=err) == 2
    assert in_a_child("list", "--no-such-option", err=err) == 2


@pytest.mark.parametrize(("out", "code"), [(closed, 2), (full, 2), (broken_pipe, 0)])
def test_what_a_verb_only_prints_is_not_lost_in_silence(out, code, tmp_path):
    with (tmp_path / "messages").open("wb") as file:
        for command in (("list",), ("list", "--json"), ("--version",)):
            assert in_a_child(*command, out=out, err=file.fileno) == code
        assert in_a_child("--help", out=out, err=file.fileno) in (0, code)
    said = (tmp_path / "messages").read_text(encoding="utf-8")
    assert ("Cannot write to standard output" in said) == (code == 2)
    assert "Traceback" not in said


@pytest.mark.parametrize(("out", "err"), [(closed, closed), (full, full), (broken_pipe, broken_pipe)])
def test_a_run_keeps_its_exit_code(out, err, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ("run", "--models", "popularity", "--task", "synthetic", "--seeds", "1", "-o", "runs")
    assert in_a_child(*arguments, out=out, err=err) == 0
    assert len(read_records("runs").trials) == 1
    shutil.copytree("runs", "others")
    assert in_a_child("gate", "runs", "others", out=out, err=err) == 0


def test_a_run_whose_terminal_goes_away_ends_well(tmp_path):
    main_side, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "recbench", "run", "--models", f"{BAD_MODELS}:Good,{BAD_MODELS}:ExitsHard", "--task",
         "synthetic", "--seeds", "1", "-o", "runs"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    os.close(terminal)
    assert os.read(main_side, 1)
    os.close(main_side)
    assert process.wait(120) == 3
    assert len(read_records(str(tmp_path / "runs")).trials) == 2


@pytest.mark.parametrize(
    "error", [TypeError("a bug"), EOFError(), BrokenPipeError(32, "Broken pipe"), RecursionError()]
)
def test_an_error_of_recbench_is_no_verdict(error, tmp_path, monkeypatch):
    def fails():
        raise error

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(list_models, "known_models", fails, raising=False)
    monkeypatch.setattr("recbench.registry.models.known_models", fails)
    with (tmp_path / "messages").open("wb") as file:
        assert in_a_child("list", err=file.fileno) == 70
    said = (tmp_path / "messages").read_text(encoding="utf-8")
    assert re.match(rf"Error: recbench itself has failed: {type(error).__name__}", said)
    assert "Traceback" not in said
    (path,) = (tmp_path / "temporary").iterdir()
    assert str(path) in said
    assert "in fails" in path.read_text(encoding="utf-8")


def commands(group, above=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


def test_all_verbs_go_through_the_same_end():
    import typer

    commands_by_name = dict(commands(typer.main.get_command(app)))
    assert [name for name, command in commands_by_name.items() if not isinstance(command, Verb)] == []
    assert set(commands_by_name) >= ONLY_PRINT


def test_in_one_process_a_model_leaves_the_run_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("ChangesItsSurroundings", "Forks", "RaisesItsOwn", "SaysTooMuch", "Prints", "Good")
    models = ",".join(f"{BAD_MODELS}:{name}" for name in names)
    began = time.monotonic()
    arguments = ("run", "--in-process", "--models", models, "--task", "synthetic", "--seeds", "1", "-o", "runs")
    assert in_a_child(*arguments) == 3
    assert time.monotonic() - began < 60
    statuses = {trial.record.model: str(trial.record.status) for trial in read_records("runs").trials}
    assert statuses == {**dict.fromkeys(names, "done"), "RaisesItsOwn": "failed", "SaysTooMuch": "failed"}
    assert all(path.stat().st_size < 10 * 2**20 for path in Path("runs/logs").iterdir())
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)
