"""Which commit a pull request is compared with, in every kind of checkout of a pipeline."""

import shutil
import sys

import pytest

from recbench.cli import pull_request_base
from recbench.cli.pull_request_base import find_base
from recbench.errors import RecbenchError
from recbench.git_commands import git_output
from recbench.git_history import Relation, descent
from tests.test_baselines import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


class Upstream:
    """A repository in which main goes on after a pull request was merged with it for the test.

    before - base - tip          main
          \\       \\
           first - work          pr; work has merged base
                    \\
             base - merged       the merge of work into base
    """

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        self.before = self.commit("before")
        git(folder, "checkout", "-q", "-b", "pr")
        self.first = self.commit("first")
        git(folder, "checkout", "-q", "main")
        self.base = self.commit("base")
        git(folder, "checkout", "-q", "pr")
        git(folder, "merge", "-q", "--no-ff", "-m", "merge main", "main")
        self.work = self.head()
        git(folder, "checkout", "-q", "-b", "test", "main")
        git(folder, "merge", "-q", "--no-ff", "-m", "merge pr", "pr")
        self.merged = self.head()
        git(folder, "checkout", "-q", "main")
        self.tip = self.commit("tip")

    def commit(self, name):
        (self.folder / name).write_text(name)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", name)
        return self.head()

    def head(self):
        return git_output("rev-parse", "HEAD", folder=self.folder).decode().strip()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    return Upstream(tmp_path_factory.mktemp("pull-request") / "upstream")


@pytest.fixture
def checkout(upstream, tmp_path, monkeypatch):
    """Returns a function that clones a branch, or a commit, and works there."""

    def clone(branch, *options):
        folder = tmp_path / f"clone-{len(list(tmp_path.iterdir()))}"
        git(tmp_path, "clone", "-q", *options, "--branch", branch, f"file://{upstream.folder}", str(folder))
        git(folder, "checkout", "-q", "--detach")
        monkeypatch.chdir(folder)
        return folder

    return clone


def test_the_base_is_what_the_pull_request_was_merged_with(upstream, checkout):
    for depth in ("--depth=1", "--no-single-branch"):
        # The platform names its merge commit; a later checkout of the branch is not that commit.
        checkout("test", depth)
        assert find_base("main", merge_commit=upstream.merged) == upstream.base
        assert descent(upstream.base, upstream.merged).relation is Relation.ANCESTOR
        assert find_base("main", merge_commit=upstream.work) == upstream.base
        assert find_base("main") == upstream.base
        # The head of the branch is a merge commit too, whose first parent is a commit of the pull request.
        checkout("pr", depth)
        assert find_base("main") == upstream.base
        assert find_base("main", merge_commit=upstream.merged, given_merge_base=upstream.before) == upstream.base
        assert descent(upstream.base, upstream.work).relation is Relation.ANCESTOR


def test_the_merge_base_of_the_platform_is_fetched(upstream, checkout):
    folder = checkout("pr", "--depth=1")
    git(folder, "fetch", "-q", "--depth=1", "origin", upstream.first)
    git(folder, "checkout", "-q", upstream.first)
    assert find_base("gone", given_merge_base=upstream.before) == upstream.before
    assert descent(upstream.before, upstream.first).relation is Relation.ANCESTOR
    with pytest.raises(RecbenchError, match="git fetch failed"):
        find_base("gone")
    with pytest.raises(RecbenchError, match="git fetch failed"):
        find_base("main", given_merge_base="f" * 40)


def test_a_merge_that_only_the_job_has(upstream, checkout):
    folder = checkout("pr", "--depth=1")
    git(folder, "commit", "-q", "--allow-empty", "-m", "made in the job")
    assert find_base("main") == upstream.base


def test_the_target_branch_itself_and_a_branch_of_another_history(upstream, checkout):
    folder = checkout("main", "--depth=1")
    assert find_base("main") == upstream.tip
    git(folder, "checkout", "-q", "--orphan", "other")
    git(folder, "commit", "-q", "--allow-empty", "-m", "other")
    with pytest.raises(RecbenchError, match="no common ancestor"):
        find_base("main")


def test_the_program_prints_the_commit_alone(upstream, checkout, monkeypatch, capsys):
    checkout("test", "--depth=1")
    monkeypatch.setattr(sys, "argv", ["base", "--target", "main", "--merge-commit", upstream.merged])
    assert pull_request_base.main() == 0
    assert capsys.readouterr().out == f"{upstream.base}\n"
    monkeypatch.setattr(sys, "argv", ["base", "--target", "gone"])
    assert pull_request_base.main() == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: The base of the pull request is unknown. git fetch failed")
