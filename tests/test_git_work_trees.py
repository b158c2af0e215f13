"""Work trees of commits, and trials with their code."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from recbench import git_work_trees
from recbench.experiments import revision_runs
from recbench.experiments.own_environments import InstallationError, own_environment
from recbench.experiments.revision_runs import RevisionRequest, run_revision
from recbench.git_commands import git_output
from recbench.git_work_trees import FOLDER, WorkTreeError, work_tree
from recbench.records.sources import Sources
from tests.test_baselines import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

NET = """
import numpy as np
class Net:
    def fit(self, train, context): self.counts = np.bincount(train.items, minlength=train.n_items)
    def score(self, users, items): return {sign}self.counts[items].astype(float)
"""


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "repository"
    (folder / "sub").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    monkeypatch.chdir(folder)
    return folder


def commit(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "x")
    return git_output("rev-parse", "HEAD", folder=folder).decode().strip()


def worktrees(folder: Path) -> int:
    return len(git_output("worktree", "list", folder=folder).splitlines())


def test_the_tree_has_the_files_of_the_commit_and_its_submodules_and_goes_away(repository, tmp_path, monkeypatch):
    (repository / "sub" / "kept.txt").touch()
    first = commit(repository, net="1")
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q", "-b", "main")
    commit(inner, part="inner 1")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "part")
    second = commit(repository, net="2")
    # Dirty: neither the user's changes nor the unpushed commit of the submodule get lost or get in the way.
    third_inner = commit(repository / "part", part="inner 2")
    third = commit(repository, net="3")
    (repository / "part" / "part.py").write_text("changed")
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    for sha, net, part in ((first, "1", None), (second, "2", "inner 1"), (third, "3", "inner 2")):
        monkeypatch.chdir(repository / "sub")
        with work_tree(sha) as tree:
            assert tree.working_folder == tree.root / "sub"
            assert tree.in_tree(Path("kept.txt")) == tree.root / "sub" / "kept.txt"
            assert tree.in_tree(tmp_path) is None
            assert (tree.root / "net.py").read_text() == net
            inside = tree.root / "part" / "part.py"
            assert (inside.read_text() if inside.exists() else None) == part
            assert not git_output("status", "--porcelain", folder=tree.root)
        assert not tree.root.exists()
    assert worktrees(repository) == worktrees(repository / "part") == 1
    assert (repository / "part" / "part.py").read_text() == "changed"
    # The submodule lacks the commit.
    git(repository / "part", "reset", "-q", "--hard", f"{third_inner}^")
    git(repository / "part", "reflog", "expire", "--expire=now", "--all")
    git(repository / "part", "gc", "-q", "--prune=now")
    with (
        pytest.raises(WorkTreeError, match=f"submodule part does not have the commit {third_inner[:12]}"),
        work_tree(third),
    ):
        pass
    assert worktrees(repository) == 1


def test_a_tree_that_cannot_be_made_says_why_and_leaves_nothing(repository, monkeypatch):
    sha = commit(repository, net="1")
    (repository / "sub").mkdir(exist_ok=True)
    monkeypatch.chdir(repository / "sub")
    with pytest.raises(WorkTreeError, match="has no folder sub"), work_tree(sha):
        pass
    monkeypatch.chdir(repository)
    # The content of a file is lost.
    blob = git_output("rev-parse", f"{sha}:net.py").decode().strip()
    object_file = repository / ".git" / "objects" / blob[:2] / blob[2:]
    content = object_file.read_bytes()
    object_file.unlink()
    with pytest.raises(WorkTreeError, match=f"cannot be made: .*{blob}"), work_tree(sha):
        pass
    # On a full disk, git says only that it cannot write.
    room = git_work_trees._lack_of_room
    monkeypatch.setattr(git_work_trees, "_lack_of_room", lambda *_: room(repository, empty, repository))
    empty = git_output("mktree", given=b"").decode().strip()
    monkeypatch.setattr(git_work_trees.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(WorkTreeError, match="No space left on device: its files need 0.0 MB") as caught, work_tree(sha):
        pass
    assert "Free some space" in caught.value.hint
    monkeypatch.setattr(git_work_trees.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    with pytest.raises(WorkTreeError, match=blob), work_tree(sha):
        pass
    object_file.write_bytes(content)
    assert worktrees(repository) == 1
    # What a killed process has left is removed by the next one.
    left = repository / ".git" / FOLDER / ".recbench-0123456789abcdef.tmp" / "tree"
    git(repository, "worktree", "add", "-q", "--detach", str(left), sha)
    with work_tree(sha):
        assert not left.exists()
        assert worktrees(repository) == 2
    shutil.rmtree(repository / ".git" / FOLDER)
    (repository / ".git" / FOLDER).touch()
    with pytest.raises(WorkTreeError, match="Cannot make the folder"), work_tree(sha):
        pass


def test_trials_run_with_the_code_of_the_commit(repository, tmp_path, monkeypatch, synthetic_task):
    (repository / "src").mkdir()
    (repository / "src" / "mine.py").write_text(NET.format(sign=""))
    first = commit(repository)
    (repository / "src" / "mine.py").write_text(NET.format(sign="-"))
    second = commit(repository)
    # A hook of git sets it, and an editable install has the folder on the path.
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")
    monkeypatch.syspath_prepend(str(repository / "src"))
    request = RevisionRequest(
        models=["mine:Net"],
        task="synthetic",
        digest=synthetic_task.digest,
        seeds=range(3, 4),
        options=("--in-process",),
    )
    with work_tree(first) as tree:
        run = run_revision(tree, request, tmp_path / "records")
        assert not run.problems
        (trial,) = run.trials
        assert (trial.record.seed, trial.record.revision.sha, trial.record.revision.dirty) == (3, first, False)
        assert trial.record.metrics["hr@10"].mean > 0.2
        assert not (tree.root / "results").exists()
        # The module of the commit was not the one that ran: a copy is installed.
        assert revision_runs._unusable(trial, request, tree) is None
        other = trial.record.model_copy(update={"sources": Sources(modules={"mine.py": "0" * 64})})
        reason = revision_runs._unusable(replace(trial, record=other), request, tree)
        assert "an installed copy of mine.py was imported" in reason
    monkeypatch.setattr(revision_runs, "PROTOCOL_VERSION", 99)
    with work_tree(second) as tree:
        run = run_revision(tree, request, tmp_path / "records")
        assert "the commit uses protocol version 2, and this recbench compares version 99" in run.problems["mine:Net"]
    with work_tree(second) as tree, pytest.raises(InstallationError, match="no pyproject.toml"), own_environment(tree):
        pass
    assert "mine" not in __import__("sys").modules
