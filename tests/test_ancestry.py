"""A difference is due to CURRENT only if BASE belongs to its history."""

import shutil

import pytest

from recbench.experiments.comparison import compare
from recbench.git_commands import git_output
from recbench.git_history import Relation
from recbench.records import baselines
from recbench.records.ancestry import find_ancestries
from recbench.records.schema import Revision
from recbench.records.selection import read_records
from tests.command_line import CommandLine
from tests.examples import some_trials, write
from tests.test_baselines import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
FOLDER = "results/baselines/toy/main"


@pytest.fixture
def command(capfd, monkeypatch):
    return CommandLine(capfd, monkeypatch)


class Project:
    """A repository with commits, and runs that were made at them."""

    def __init__(self, folder):
        self.folder = folder
        git(folder, "init", "-q", "-b", "main")
        (folder / ".gitignore").write_text("runs-*/\n")

    def commit(self, name):
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", name)
        return git_output("rev-parse", "HEAD").decode().strip()

    def run(self, name, sha, skill=0.5, **changes):
        revision = sha and Revision(sha=sha, dirty=False, reasons=())
        write(self.folder / name, some_trials("bpr", skill, **{"n": 300, "revision": revision, **changes}))
        return name


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def relation(base, current):
    """The only ancestry of two runs."""
    (ancestry,) = set(find_ancestries(read_records(base), read_records(current)).values())
    return ancestry.relation


def test_who_improved_main_does_not_make_a_pull_request_a_regression(project, command, tmp_path_factory):
    first = project.commit("first")
    git(project.folder, "branch", "pr")
    better = project.commit("better")
    baselines.accept(read_records(project.run("runs-better", better, 0.6)), "main")
    project.commit("accepted")
    git(project.folder, "checkout", "-q", "pr")
    readme = project.commit("readme")
    project.run("runs-pr", readme)
    # Records outside of the repository, as those of a pipeline, name their commit too.
    outside = shutil.copytree("runs-pr", tmp_path_factory.mktemp("outside") / "runs")
    assert relation(f"main:{FOLDER}", str(outside)) is Relation.NO_ANCESTOR
    done = command("gate", f"main:{FOLDER}", "runs-pr")
    headline = (
        f"BASE ({better[:12]}) is not an ancestor of CURRENT ({readme[:12]}), so that differences may be due to "
        "commits which CURRENT does not have."
    )
    tip = git_output("rev-parse", "main").decode().strip()
    headline = headline.replace(better[:12], tip[:12])
    assert done.code == 4, done.err
    assert done.out.startswith(f"Gate FAILED: {headline} bpr HR@10 lower, from 0.")
    assert "! lower" in done.out
    assert "regressed:" not in done.out
    assert f"whose differences are due to CURRENT: commit {first[:12]}." in done.out
    assert command("compare", f"main:{FOLDER}", "runs-pr").out.startswith(f"{headline} Lower: bpr (HR@10 -0.")
    # A run that is better passes, and the headline says what it was compared with.
    project.run("runs-best", readme, 0.7)
    done = command("gate", f"main:{FOLDER}", "runs-best")
    assert (done.code, done.out.splitlines()[0].startswith(f"Gate passed. {headline} Higher: bpr (HR@10 +0.")) == (
        0,
        True,
    )
    # What only others have is not missing.
    write(project.folder / "runs-ncf", some_trials("ncf", n=300, revision=Revision(sha=readme, dirty=False)))
    assert "bpr missing: BASE has it" in command("gate", f"main:{FOLDER}", "runs-ncf").out
    assert command("gate", f"main:{FOLDER}", "runs-ncf").code == 4


def test_the_commit_at_which_the_records_were_made_counts(project):
    """Main has gone on, but the accepted records are from before the pull request."""
    first = project.commit("first")
    git(project.folder, "branch", "pr")
    baselines.accept(read_records(project.run("runs-first", first)), "main")
    project.commit("accepted")
    git(project.folder, "checkout", "-q", "pr")
    second = project.commit("second")
    project.run("runs-pr", second, 0.4)
    assert relation(f"main:{FOLDER}", "runs-pr") is Relation.ANCESTOR
    assert compare(f"main:{FOLDER}", "runs-pr").gate().reasons[0].startswith("bpr HR@10 regressed")
    assert relation("runs-pr", "runs-first") is Relation.NO_ANCESTOR


def test_records_of_a_squashed_branch_belong_to_the_commit_that_holds_them(project):
    project.commit("first")
    baselines.accept(read_records(project.run("runs-gone", "f" * 40)), "main")
    accepted = project.commit("squashed, with its records")
    work = project.commit("work")
    project.run("runs-work", work)
    for base in ("main", FOLDER, f"HEAD~1:./{FOLDER}", f"HEAD:{FOLDER}"):
        assert relation(base, "runs-work") is Relation.ANCESTOR
    git(project.folder, "checkout", "-q", "-b", "other", f"{accepted}~1")
    other = project.commit("other")
    project.run("runs-other", other)
    assert relation(f"main:{FOLDER}", "runs-other") is Relation.NO_ANCESTOR
    # Outside of a commit, nothing but the lost commit is known.
    assert relation("runs-gone", "runs-other") is Relation.UNKNOWN
    assert "unknown whether BASE is an ancestor of CURRENT: this clone does not have the commit ffffffffffff." in str(
        compare("runs-gone", "runs-other")
    )
    # CURRENT may be accepted too.
    assert relation(f"{accepted}:{FOLDER}", f"main:{FOLDER}") is Relation.ANCESTOR


def test_records_of_a_changed_work_tree_do_not_count_as_those_of_its_commit(project):
    first = project.commit("first")
    git(project.folder, "branch", "pr")
    run = project.run("runs-changed", first, revision=Revision(sha=first, dirty=True))
    baselines.accept(read_records(run), "main", force=True)
    project.commit("accepted")
    git(project.folder, "checkout", "-q", "pr")
    project.run("runs-pr", project.commit("second"))
    assert relation(f"main:{FOLDER}", "runs-pr") is Relation.NO_ANCESTOR
    assert relation("runs-changed", "runs-pr") is Relation.ANCESTOR


def test_a_shallow_clone_says_what_it_cannot_tell(project, tmp_path_factory, monkeypatch):
    first = project.commit("first")
    second = project.commit("second")
    third = project.commit("third")
    project.run("runs-0", first)
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    git(project.folder, "clone", "-q", "--depth=1", f"file://{project.folder}", str(clone))
    monkeypatch.chdir(clone)
    shallow = Project.__new__(Project)
    shallow.folder = clone
    for number, sha in enumerate((first, second, third)):
        shallow.run(f"runs-{number}", sha)
    assert relation("runs-1", "runs-2") is Relation.ANCESTOR
    assert relation("runs-0", "runs-2") is Relation.UNKNOWN
    git(clone, "fetch", "-q", "--depth=1", "origin", first)
    (ancestry,) = set(find_ancestries(read_records("runs-0"), read_records("runs-2")).values())
    assert ancestry.reason == "this clone is shallow; get the other commits with: git fetch --unshallow"
    git(clone, "fetch", "-q", "--unshallow")
    assert relation("runs-0", "runs-2") is Relation.ANCESTOR


def test_without_a_commit_nothing_is_said(project, monkeypatch):
    project.run("runs-a", None)
    project.run("runs-b", None, 0.4)
    assert compare("runs-a", "runs-b").gate().reasons[0].startswith("bpr HR@10 regressed")
    assert "ancestor" not in str(compare("runs-a", "runs-b"))
    monkeypatch.setenv("GIT_DIR", "nowhere")
    assert "GIT_DIR" not in str(compare("runs-a", "runs-b"))
    project.run("runs-c", "f" * 40)
    project.run("runs-d", "e" * 40)
    assert "The environment variable GIT_DIR names no git repository: nowhere" in str(compare("runs-c", "runs-d"))


def test_a_label_comes_before_a_folder_of_its_name(project, command):
    baselines.accept(read_records(project.run("runs-a", None)), "main", force=True)
    project.run("main", None, 0.4)
    project.run("runs-b", None)
    done = command("gate", "main", "runs-b")
    assert done.code == 0
    assert done.err == (
        "note: main is the label of accepted records. For the records in the working folder, write: ./main\n"
    )
    assert f"BASE main (the label, not {project.folder / 'main'}): 3 records" in done.out
    done = command("gate", "./main", "runs-b")
    assert (done.out.startswith("Gate passed. Improved: bpr"), done.err) == (True, "")
