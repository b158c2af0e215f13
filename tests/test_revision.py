"""Whether the commit that a record names holds the model's own files, and what git says when it refuses."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.git_commands import GitError, git_output
from recbench.records import baselines
from recbench.records.git_records import checked_out
from recbench.records.schema import Record, Revision
from recbench.records.selection import read_records
from recbench.records.sources import Sources
from recbench.registry.file_hashes import file_hash
from recbench.registry.models import ModelReference, Origin, find_model
from recbench.registry.requested import RequestedModel
from recbench.trials.planned import PlannedModel
from recbench.trials.revision import of_unknown_files, revision_fields, with_own_files_checked
from tests.examples import a_record
from tests.test_baselines import a_run, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

CODE = "import helper\nclass M: pass\n"


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """A repository with a model in a file, and a module that it imports; both are committed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "m.py").write_text(CODE)
    (folder / "helper.py").write_text("x = 1\n")
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "x")


def recorded(target: str = "m.py:M", names: tuple[str, ...] = ("m.py", "helper.py"), **sources: object) -> Record:
    """The record of a trial of this model that ends now."""
    reference = find_model(target)
    model = PlannedModel(RequestedModel(reference), {}, None)
    folder = Path(target.rpartition(":")[0]).resolve().parent if reference.origin is Origin.FILE else Path.cwd()
    modules = {name: file_hash(str(folder / name)) for name in names}
    record = a_record("M", 0, reference=target, sources=Sources(modules=modules, **sources), **revision_fields())
    return with_own_files_checked(record, model)


def reasons(*arguments, **sources) -> tuple[str, ...]:
    revision = recorded(*arguments, **sources).revision
    assert revision.dirty == bool(revision.reasons)
    return revision.reasons


def test_committed_files_are_clean_and_can_be_accepted(repository, tmp_path):
    record = recorded()
    assert record.revision == Revision(sha=git(repository, "rev-parse", "HEAD").strip(), dirty=False, reasons=())
    assert Record.model_validate_json(record.to_json()) == record
    side = a_run(tmp_path / "run", record)
    assert baselines.accept(side, "main").changes
    builtin = a_record("bpr", 0, **revision_fields())
    assert '"reasons"' not in builtin.to_json()
    assert '"no_revision"' not in builtin.to_json()


def test_files_that_the_commit_does_not_hold(repository, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "m.py").write_text(CODE)
    (outside / "helper.py").write_text("x = 1\n")
    assert reasons("../elsewhere/m.py:M") == (
        "m.py is outside of the repository",
        "helper.py is outside of the repository",
    )
    (repository / "new.py").write_text(CODE)
    assert reasons("new.py:M", ("new.py", "helper.py")) == ("new.py is not in the commit",)
    (repository / ".gitignore").write_text("new.py\n")
    git(repository, "add", ".gitignore")
    git(repository, "commit", "-q", "-m", "ignore")
    assert reasons("new.py:M", ("new.py",)) == ("new.py is not in the commit",)
    git(repository, "add", "--force", "new.py")  # staged is not committed; tracked files differ from the commit too
    assert recorded("new.py:M", ("new.py",)).revision.reasons == ("new.py is not in the commit",)
    side = a_run(tmp_path / "run", recorded("new.py:M", ("new.py",)))
    with pytest.raises(RecbenchError, match=r"uncommitted changes: new.py is not in the commit, .*M, seed 0"):
        baselines.accept(side, "main")


@pytest.mark.parametrize("hidden", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_that_git_was_told_not_to_see(repository, hidden):
    git(repository, "update-index", hidden, "helper.py")
    (repository / "helper.py").write_text("x = 2\n")
    assert reasons() == ("helper.py differs from the commit",)


def test_a_file_that_changes_while_the_run_is_under_way(repository):
    sources = Sources(modules={"m.py": file_hash("m.py"), "helper.py": "0" * 64})
    record = a_record("M", 0, reference="m.py:M", sources=sources, **revision_fields())
    checked = with_own_files_checked(record, PlannedModel(RequestedModel(find_model("m.py:M")), {}, None))
    assert checked.revision.reasons == ("helper.py was changed while the run was under way",)


def test_links_submodules_and_line_ends(repository, tmp_path):
    (tmp_path / "far.py").write_text(CODE)
    (repository / "link.py").symlink_to(tmp_path / "far.py")
    (repository / "near.py").symlink_to("m.py")
    (repository / "package").mkdir()
    (repository / "package" / "m.py").write_text(CODE)
    (repository / "alias").symlink_to("package")
    library = tmp_path / "library"
    library.mkdir()
    (library / "lib.py").write_text(CODE)
    git(library, "init", "-q")
    commit(library)
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "sub")
    (repository / "windows.py").write_bytes(b"class M: pass\r\n")
    commit(repository)
    assert "far.py is outside of the repository" in reasons("link.py:M", ("far.py",))
    assert reasons("near.py:M", ("m.py",)) == ()
    assert reasons("alias/m.py:M", ("m.py",)) == ()
    assert reasons("sub/lib.py:M", ("lib.py",)) == ()
    assert reasons("windows.py:M", ("windows.py",)) == ()
    (repository / "windows.py").write_bytes(b"class M: pass\n")
    # Git says that the file was changed, although only its line ends were.
    assert recorded("windows.py:M", ("windows.py",)).revision.reasons == ("windows.py differs from the commit",)
    git(repository, "checkout", "-q", "windows.py")
    (repository / "sub" / "lib.py").write_text("class M: x = 1\n")
    of_module = ("sub differs from the commit", "lib.py differs from the commit")
    assert recorded("sub/lib.py:M", ("lib.py",)).revision.reasons == of_module
    (repository / "sub" / "new.py").write_text(CODE)
    assert recorded("sub/new.py:M", ("new.py",)).revision.reasons[1:] == ("new.py is not in the commit",)


def test_named_files_and_scripts_read_by_their_path_count_and_data_does_not(repository):
    (repository / "weights.json").write_text("{}")
    (repository / "rows.csv").write_text("1,2\n")
    (repository / "plugin.py").write_text("x = 1\n")
    hashes = {name: file_hash(name) for name in ("weights.json", "rows.csv", "plugin.py")}
    data = {name: hashes[name] for name in ("rows.csv", "plugin.py")}
    assert reasons(named={"weights.json": hashes["weights.json"]}, data=data) == (
        "weights.json is not in the commit",
        "plugin.py is not in the commit",
    )


def test_results_that_recbench_has_written_are_no_changes_of_the_code(repository):
    (repository / "results" / "baselines" / "t" / "main").mkdir(parents=True)
    written = [repository / "results" / name for name in ("history.jsonl", "baselines/t/main/x.json", "README.md")]
    by_hand = repository / "results" / "settings.toml"
    for path in [*written, by_hand]:
        path.write_text("{}\n")
    commit(repository)
    for path in written:
        path.write_text("{}\n{}\n")
    assert revision_fields()["revision"].dirty is False
    assert recorded().revision.reasons == ()
    by_hand.write_text("")
    git(repository, "mv", "helper.py", "other.py")
    assert revision_fields()["revision"].reasons == (
        "helper.py differs from the commit", "other.py is not in the commit",
        "results/settings.toml differs from the commit",
    )  # fmt: skip


def test_a_class_of_no_file_is_in_no_commit(repository, monkeypatch):
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    reference = ModelReference("M", "__main__:M (sent by value)", Origin.VALUE)
    record = a_record("M", 0, reference=reference.target, **revision_fields())
    (reason,) = with_own_files_checked(record, PlannedModel(RequestedModel(reference), {}, None)).revision.reasons
    assert reason == "M is defined in no file, but in a notebook or an interactive session"


def test_code_that_was_only_called_is_in_no_commit(repository):
    record = of_unknown_files(a_record("M", 0, **revision_fields()), "the files are not known")
    assert record.revision.dirty
    assert record.revision.reasons == ("the files are not known",)


def test_records_of_an_earlier_version_do_not_say_whether_the_files_were_committed(tmp_path):
    record = a_record("M", 0, reference="m.py:M", sources=Sources(modules={"m.py": "0" * 64}))
    side = a_run(tmp_path / "run", record)
    paths = tmp_path / "baselines", tmp_path / "history.jsonl"
    with pytest.raises(RecbenchError, match="earlier recbench, which did not check"):
        baselines.accept(side, "main", *paths)
    assert baselines.accept(side, "main", *paths, force=True).changes


def a_git_that(folder: Path, monkeypatch, script: str) -> None:
    """Puts a program called git before the real one."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / "git"
    program.write_text(f'#!/bin/sh\n{script}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


needs_shell = pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")


@needs_shell
def test_a_status_that_fails_or_takes_too_long_is_no_clean_one(repository, tmp_path, monkeypatch):
    a_git_that(tmp_path, monkeypatch, 'case "$1" in status) echo "fatal: index file corrupt" >&2; exit 128;; esac')
    builtin = revision_fields()["revision"]
    assert builtin.dirty
    assert builtin.reasons == ("Changes are not known: git status failed: index file corrupt.",)
    assert recorded().revision.reasons == builtin.reasons
    monkeypatch.setattr("recbench.git_commands.SECONDS", 0.05)
    with pytest.raises(GitError, match=r"git sleep did not end within 0.05 s"):
        a_git_that(tmp_path, monkeypatch, "exec sleep 5") or git_output("sleep")


REFUSALS = {
    "another user": ("fatal: detected dubious ownership in repository at '/far/x y'", 128, "belongs to another user"),
    "another user, older git": ("fatal: unsafe repository ('/far/x y' is owned by someone else)", 128, "another user"),
    "a newer repository": ("fatal: unknown repository extension found:\n\tobjectformat", 128, "too old"),
    "an older git": ("error: unknown option `full-tree'\nusage: git ls-tree", 129, "may be too old"),
    "no work tree": ("fatal: this operation must be run in a work tree", 128, "must be run in a work tree"),
}


@needs_shell
@pytest.mark.parametrize(("message", "code", "cause"), REFUSALS.values(), ids=REFUSALS)
def test_what_git_refuses_is_named(repository, tmp_path, monkeypatch, message, code, cause):
    (tmp_path / "message").write_text(message)
    a_git_that(tmp_path, monkeypatch, f"cat {tmp_path / 'message'} >&2; exit {code}")
    with pytest.raises(GitError, match=cause) as caught, checked_out("HEAD:results"):
        pass
    assert "not in a git repository" not in caught.value.message
    if "another user" in cause:
        assert "git config --global --add safe.directory '/far/x y'" in caught.value.hint
    fields = revision_fields()
    assert fields["revision"] is None
    assert cause in fields["no_revision"]
    side = a_run(tmp_path / "run", a_record("bpr", 0, **fields))
    with pytest.raises(RecbenchError, match="without a git revision") as caught:
        baselines.accept(side, "main")
    assert cause in caught.value.message


def test_no_git_no_repository_no_commit_and_a_damaged_repository(repository, tmp_path, monkeypatch):
    with pytest.raises(NothingToCompareError, match="has no results"), checked_out("HEAD:results"):
        pass
    (repository / ".git" / "HEAD").write_text("?")
    with pytest.raises(GitError, match="does not accept .*.git as a repository") as caught, checked_out("HEAD:results"):
        pass
    assert "may be damaged" in caught.value.message
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    assert revision_fields() == {"revision": None, "no_revision": None}
    with pytest.raises(GitError, match="is not in a git repository"):
        read_records("HEAD:results")
    git(outside, "init", "-q")
    assert "has no commit" in revision_fields()["no_revision"]
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(GitError, match="GIT_DIR names no git repository"):
        git_output("rev-parse", "--git-dir")
    monkeypatch.setenv("PATH", str(outside))
    with pytest.raises(GitError, match="git is not installed"):
        git_output("rev-parse", "--git-dir")
    assert "not installed" in revision_fields()["no_revision"]
