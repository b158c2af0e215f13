"""Baselines that a pipeline accepts on main after a merge, and pushes, whatever others push meanwhile."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recbench.cli import push_baseline as program
from recbench.cli.push_baseline import push_baseline
from recbench.errors import RecbenchError
from recbench.git_commands import git_output
from tests.composite_action import ROOT
from tests.test_baselines import git

ACTION = ROOT / ".github" / "actions" / "accept"
GITLAB = ROOT / ".gitlab" / "recbench-accept.gitlab-ci.yml"


@pytest.fixture
def upstream(tmp_path, monkeypatch) -> Path:
    """A bare repository. The working folder is a shallow clone of its one commit; git does not know who works there."""
    other = tmp_path / "other"
    (other / "results" / "baselines").mkdir(parents=True)
    (other / "results" / "history.jsonl").write_text("old\n")
    (other / "results" / "baselines" / "gone.json").touch()
    (other / "code.py").touch()
    git(other, "init", "-q", "-b", "main")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "0")
    git(tmp_path, "clone", "-q", "--bare", str(other), "upstream.git")
    git(other, "remote", "add", "origin", str(tmp_path / "upstream.git"))
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path}/upstream.git", "clone")
    monkeypatch.chdir(tmp_path / "clone")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("EMAIL", "")
    return tmp_path / "upstream.git"


def accepted() -> None:
    """Changes what an acceptance changes, and leaves other files around."""
    Path("results/history.jsonl").write_text("old\nnew\n")
    Path("results/baselines/new.json").touch()
    Path("results/baselines/gone.json").unlink()
    Path("results/runs").mkdir()
    Path("results/runs/a.json").touch()
    Path("code.py").write_text("built")


def push_from_elsewhere(tmp_path, name: str) -> None:
    (tmp_path / "other" / name).write_text("of others\n")
    git(tmp_path / "other", "commit", "-q", "-a", "-m", name)
    git(tmp_path / "other", "push", "-q", "origin", "main")


def tree(upstream) -> list[str]:
    return git_output("ls-tree", "-r", "--name-only", "main", folder=upstream).decode().split()


def test_what_was_accepted_is_pushed_and_nothing_else(upstream):
    accepted()
    assert push_baseline("main").startswith("Pushed to main: Accept the baselines of ")
    assert tree(upstream) == ["code.py", "results/baselines/new.json", "results/history.jsonl"]
    log = git_output("log", "-1", "--format=%an %s", "main", folder=upstream).decode()
    assert log.rstrip().endswith("[skip ci]")
    assert git_output("show", "main:code.py", folder=upstream) == b""
    assert push_baseline("main") == "Nothing is pushed: the accepted baselines have not changed."


def test_others_have_pushed_code_meanwhile(upstream, tmp_path):
    push_from_elsewhere(tmp_path, "code.py")
    Path("results/history.jsonl").write_text("old\nnew\n")
    assert push_baseline("main").startswith("Pushed to main")
    assert git_output("show", "main:code.py", folder=upstream) == b"of others\n"
    assert git_output("show", "main:results/history.jsonl", folder=upstream) == b"old\nnew\n"
    assert git_output("rev-list", "--count", "main", folder=upstream).strip() == b"3"


def test_others_have_changed_the_baselines_meanwhile(upstream, tmp_path):
    push_from_elsewhere(tmp_path, "results/history.jsonl")
    accepted()
    assert "the baselines of main have changed since" in push_baseline("main")
    assert git_output("show", "main:results/history.jsonl", folder=upstream) == b"of others\n"


def test_a_push_that_is_refused_says_what_to_allow(upstream, monkeypatch, capsys):
    hook = upstream / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    accepted()
    monkeypatch.setattr(sys, "argv", ["push_baseline", "--branch", "main"])
    assert program.main() == 2
    stderr = capsys.readouterr().err
    assert "The push to main was refused: [remote rejected] (pre-receive hook declined)" in stderr
    assert "contents: write" in stderr


def test_a_branch_that_was_rewritten_and_a_folder_without_baselines(upstream, tmp_path):
    git(tmp_path / "other", "commit", "-q", "--amend", "-m", "rewritten")
    git(tmp_path / "other", "push", "-q", "--force", "origin", "main")
    accepted()
    with pytest.raises(RecbenchError, match="no longer has the commit"):
        push_baseline("main")
    git(".", "rm", "-rq", "results")
    with pytest.raises(RecbenchError, match="no accepted baselines"):
        push_baseline("main")


FAKE = """\
#!/bin/sh
echo "$(basename "$0") $*" >>"$LOG"
"""


def run_script(tmp_path, **inputs):
    """Runs the action's script with its default inputs; returns the commands that it ran, and the process."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    for name in ("recbench", "python"):
        (tmp_path / "bin" / name).write_text(FAKE)
        (tmp_path / "bin" / name).chmod(0o755)
    log = tmp_path / "log"
    log.write_text("")
    defaults = {"TASK": "toy", "SEEDS": "3", "LABEL": "main", "REFRESH_TIMINGS": "false", "BRANCH": "main"}
    done = subprocess.run(
        ["bash", str(ACTION / "accept.sh")],
        env={
            **defaults,
            "LOG": str(log),
            "RUNNER_TEMP": str(tmp_path),
            **inputs,
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return log.read_text().splitlines(), done


def test_the_action_runs_accepts_and_pushes(tmp_path):
    commands, done = run_script(tmp_path, MODELS="bpr,x", ARGUMENTS="--threads 2\n--full")
    assert done.returncode == 0, done.stderr
    run, accept, push = commands
    assert run.startswith("recbench run --models=bpr,x --task=toy --seeds=3 --threads 2 --full --output=")
    assert accept == f"recbench baseline accept --label=main -- {run.partition('--output=')[2]}"
    assert push == "python -P -m recbench.cli.push_baseline --branch=main"
    commands, _ = run_script(tmp_path, RECORDS="made", REFRESH_TIMINGS="true")
    assert commands[:-1] == ["recbench baseline accept --label=main --refresh-timings -- made"]
    for inputs, message in (({"MODELS": "--help"}, "begins with a dash"), ({}, "give 'models' to train")):
        commands, done = run_script(tmp_path, **inputs)
        assert (commands, done.returncode, message in done.stderr) == ([], 2, True)


def test_the_jobs_name_what_exists():
    text = (ACTION / "action.yml").read_text(encoding="utf-8")
    action = yaml.safe_load(text)
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action["inputs"])
    script = (ACTION / "accept.sh").read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{?([A-Z_]+)", script)) - {"RUNNER_TEMP"}
    assert used == set(action["runs"]["steps"][1]["env"])
    page = (ROOT / "docs" / "how-to" / "accept-on-main.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in action["inputs"])
    job = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["recbench-accept"]
    shared = yaml.safe_load(GITLAB.with_name("recbench.gitlab-ci.yml").read_text(encoding="utf-8"))
    names = set(re.findall(r"\$(RECBENCH_[A-Z_]+)", " ".join(job["script"])))
    assert names - set(shared["variables"]) == {"RECBENCH_ACCEPT_OPTIONS", "RECBENCH_TOKEN"}
