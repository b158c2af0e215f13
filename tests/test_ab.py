"""``recbench ab``: the order of the trials, the verdict, what is kept, and what cannot be compared."""

import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter

from recbench.experiments import ab as ab_module
from recbench.experiments.tree_programs import RefusedError, document_from_tree
from recbench.git_history import commit_of
from recbench.git_work_trees import work_tree
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.schema import Revision, Status, TaskIdentity
from recbench.records.store import save
from recbench.reports.compare.document_types import ABDocument
from tests.command_line import CommandLine
from tests.examples import DIGEST, a_trial, some_trials

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, tag: str, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", tag)
    git(folder, "tag", tag)


@pytest.fixture
def recbench(capfd, monkeypatch):
    return CommandLine(capfd, monkeypatch)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, "old", seconds="1.0")
    commit(folder, "new", seconds="1.0", notes="other")
    monkeypatch.chdir(folder)
    return folder


class Trials:
    """In place of ``recbench`` in a work tree: writes records whose fits take what the work tree says."""

    def __init__(self):
        self.calls: list[tuple[str, int, str]] = []
        self.options: list[str] = []
        self.interrupted_at: int | None = None

    def __call__(self, tree, words, python, watch):
        assert python == sys.executable
        said = (tree.root / "seconds").read_text()
        if "--dry-run" in words:
            if said == "refused":
                raise RefusedError("There is no file bpr.py.")
            return {"plan": []}
        options = dict(pairwise(words))
        seed, folder = int(options["--seed"]), Path(options["--output"])
        assert "--force" in words
        if len(self.calls) == self.interrupted_at:
            raise KeyboardInterrupt
        watch()
        self.calls.append((folder.name, seed, tree.commit))
        self.options = words
        return {"results": [{"records": [str(self._record(tree.commit, said, seed, folder))]}]}

    def _record(self, sha, said, seed, folder):
        revision = Revision(sha=sha, dirty=False)
        if said == "fails":
            trial = a_trial("bpr", seed, status=Status.FAILED, error="ValueError: out of milk", revision=revision)
        else:
            other = {"task": TaskIdentity(name="toy", digest="sha256:" + "cd" * 32)} if said == "other task" else {}
            seconds = 1.0 if other else float(said) * (1 + 0.01 * len(self.calls) % 0.03)
            times = {"fit_seconds": seconds, "fit_cpu_seconds": seconds, "interactions_per_second": 1 / seconds}
            (trial,) = some_trials("bpr", 0.5, 1, revision=revision, ties_across_cut={10: 0.0}, **times, **other)
        record = trial.record.model_copy(update={"seed": seed})
        save(record, trial.ranks, folder)
        return folder / f"{record.stem()}.json"


@pytest.fixture
def trials(monkeypatch):
    trials = Trials()
    monkeypatch.setattr(ab_module, "document_from_tree", trials)
    source = SimpleNamespace(task=SimpleNamespace(digest=DIGEST, n_train=56_000))
    monkeypatch.setattr(ab_module, "task_source", lambda *_, **__: source)
    return trials


def work_trees(folder):
    listed = subprocess.run(["git", "worktree", "list"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return len(listed.splitlines()) - 1


def test_a_slower_revision_is_rejected_after_a_control(repository, trials, recbench):
    commit(repository, "slow", seconds="1.25")
    # A folder with the name of a revision, and changes that nobody has committed.
    (repository / "old").mkdir()
    (repository / "seconds").write_text("9")
    done = recbench("ab", "old", "slow", "--models", "bpr", "--threads", "1", "--timeout", "60", "-o", "kept", "--json")
    assert done.code == 1, done.err
    assert "Warning: the comparison ignores uncommitted changes: seconds.\n" in done.err
    document = json.loads(done.out)
    adapter = TypeAdapter(ABDocument)
    assert document == adapter.dump_python(adapter.validate_python(document), mode="json")
    assert document["outcome"] == "rejected"
    assert document["reasons"][0].startswith("bpr throughput regressed: -2")
    assert [(pair["clock"], pair["pairs"], pair["verdict"]) for pair in document["pairs"]] == [
        ("wall time", 6, "regressed"),
        ("CPU time", 6, "regressed"),
    ]
    assert document["results"][0]["ancestry"]["relation"] == "ancestor"
    assert (document["base"]["name"], document["current"]["name"]) == ("old", "slow")
    assert document["command"] == "recbench ab old slow --models bpr --task ml-100k --seeds 6 --timeout 60.0"
    assert document["policy"]["throughput_drop"] == 0.1
    control, compared = trials.calls[:12], trials.calls[12:]
    assert [name for name, _, _ in control[:4]] == ["control-first", *["control-second"] * 2, "control-first"]
    assert [name for name, _, _ in compared[:4]] == ["base", "head", "head", "base"]
    assert [seed for _, seed, _ in compared] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    shas = {name: sha for name, _, sha in trials.calls}
    assert {shas["control-first"], shas["control-second"], shas["base"]} == {commit_of("old")}
    assert shas["head"] == commit_of("slow")
    assert work_trees(repository) == 0
    assert "[23/24] bpr at slow" in done.err

    # Everything is there: nothing is trained again; another policy decides on the same trials.
    (repository / "gate.toml").write_text("throughput_drop = 0.3\n")
    again = recbench("ab", "old", "slow", "--models", "bpr", "--timeout", "60", "-o", "kept", "--policy", "gate.toml")
    assert (again.code, len(trials.calls)) == (0, 24)
    assert again.out.startswith("Gate passed. Unchanged: bpr.")
    allowed = ("--allow", "bpr:throughput", "one more layer", "--format", "markdown")
    accepted = recbench("ab", "old", "slow", "--models", "bpr", "--timeout", "60", "-o", "kept", *allowed)
    assert accepted.code == 0
    assert "**Gate passed with an accepted regression of bpr throughput: one more layer (--allow)." in accepted.out
    assert accepted.out.startswith("<!-- recbench:gate:toy -->\n")
    assert f"BASE {commit_of('old')[:12]}: 6 records" in accepted.out
    assert accepted.out.rstrip().endswith("<!-- recbench:result:changed -->")
    other = recbench("ab", "old", "new", "--models", "bpr", "-o", "kept")
    assert other.code == 2
    assert "kept holds another comparison: head " in other.err


def test_an_interrupted_comparison_is_resumed_by_pairs(repository, trials, recbench):
    command = ("ab", "old", "new", "--models", "bpr", "--seeds", "2", "-o", "kept")
    trials.interrupted_at = 5  # in the middle of the third pair
    done = recbench(*command)
    assert done.code == 130
    assert "5 of 8 trials are kept in kept. Resume with:" in done.err
    assert work_trees(repository) == 0
    trials.interrupted_at = None
    done = recbench(*command)
    assert done.code == 0, done.err
    assert [(name, seed) for name, seed, _ in trials.calls[5:]] == [("base", 0), ("head", 0), ("head", 1), ("base", 1)]
    assert (
        "Throughput of bpr: not gated; 2 pairs of trials, and 2 of the control; 6 are needed: use --seeds 6."
        in done.out
    )
    trials.interrupted_at = len(trials.calls)
    done = recbench("ab", "old", "new", "--models", "bpr", "--seeds", "1")
    assert (done.code, "No trial is kept. To be able to resume, use -o FOLDER" in done.err) == (130, True)


def test_a_comparison_that_is_interrupted_in_its_first_pair_is_resumed(repository, trials, recbench):
    command = ("ab", "old", "new", "--models", "bpr", "--seeds", "1", "-o", "kept")
    trials.interrupted_at = 1
    assert recbench(*command).code == 130
    assert (repository / "kept" / "control-first").is_dir()
    trials.interrupted_at = None
    done = recbench(*command)
    assert done.code == 0, done.err


def test_half_a_pair_of_a_seed_that_is_no_longer_asked_for_counts_on_neither_side(repository, trials, recbench):
    command = ("ab", "old", "new", "--models", "bpr", "-o", "kept", "--seeds")
    trials.interrupted_at = 9  # the base of the last pair is trained, and its head is not
    assert recbench(*command, "3").code == 130
    trials.interrupted_at = None
    done = recbench(*command, "1")
    assert done.code == 0, done.err
    assert not re.search(r"\b[23] records", done.out), done.out


BAD = {
    "the same commit": ("HEAD", "new", {}, 2, "BASE and HEAD are the same commit, "),
    "an unknown base": ("nowhere", "new", {}, 2, "BASE 'nowhere' is not a revision of this git repository."),
    "a folder": ("old", "results", {}, 2, "results is a file or folder. To compare records: recbench gate"),
    "an option": ("old", "main:x", {}, 2, "HEAD 'main:x' is not a revision of this git repository."),
    "a head without the model": ("old", "bad", {"seconds": "refused"}, 2, "The revision bad ("),
    "a base that fails": ("bad", "new", {"seconds": "fails"}, 4, "bpr failed at bad ("),
    "a head that fails": (
        "old",
        "bad",
        {"seconds": "fails"},
        3,
        "Gate FAILED: bpr failed: seed 0 failed: ValueError: out of",
    ),
    "another task": ("old", "bad", {"seconds": "other task"}, 4, "makes another task toy: sha256:cdcdcdcdcdcd"),
    "another protocol": (
        "old",
        "bad",
        {
            "recbench/__init__.py": "",
            "recbench/protocol.py": f"PROTOCOL_VERSION: int = {PROTOCOL_VERSION + 1}\n",
            "pyproject.toml": '[project]\nname = "recbench"\ndependencies = ["numpy"]\n',
        },
        4,
        f"follows protocol version {PROTOCOL_VERSION + 1}, and this recbench version {PROTOCOL_VERSION}",
    ),
}


@pytest.mark.parametrize(("base", "head", "files", "code", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_compared_says_why(repository, trials, recbench, base, head, files, code, message):
    (repository / "results").mkdir()
    if files:
        commit(repository, "bad", **files)
    done = recbench("ab", base, head, "--models", "bpr", "--seeds", "2")
    assert done.code == code
    assert message in done.out + done.err
    assert work_trees(repository) == 0
    # A model that fails once need not fail with every other seed too.
    assert sum(name == "head" for name, _, _ in trials.calls) <= 1


def test_a_folder_with_other_files_or_a_damaged_state_is_left_alone(repository, trials, recbench):
    (repository / "kept").mkdir()
    (repository / "kept" / "mine.txt").touch()
    done = recbench("ab", "old", "new", "--models", "bpr", "-o", "kept")
    assert (done.code, trials.calls) == (2, [])
    assert "kept is not empty, and holds no comparison of 'recbench ab'." in done.err
    (repository / "kept" / "ab.json").write_text('{"schema": 2}')
    done = recbench("ab", "old", "new", "--models", "bpr", "-o", "kept")
    assert (done.code, "ab.json is damaged." in done.err) == (2, True)


def test_outside_of_a_repository_the_command_says_so(tmp_path, monkeypatch, recbench):
    monkeypatch.chdir(tmp_path)
    done = recbench("ab", "main", "HEAD", "--models", "bpr")
    assert (done.code, "is not in a git repository." in done.err) == (2, True)


def test_in_a_checkout_of_recbench_the_recbench_and_the_modules_of_the_revision_run(repository):
    project = '[project]\nname = "recbench"\ndependencies = ["numpy"]\n'
    program = "import helper, json, sys\nprint(json.dumps({'words': sys.argv[1:], 'helper': helper.NAME}))\n"
    files = {"recbench/__init__.py": "", "recbench/__main__.py": program, "pyproject.toml": project}
    commit(repository, "own", **files, **{"src/helper.py": "NAME = 'own'"})
    commit(repository, "later", **{"recbench/__main__.py": "raise ValueError", "src/helper.py": "NAME = 'later'"})
    with work_tree(commit_of("own")) as tree:
        assert document_from_tree(tree, ["run", "--json"]) == {"words": ["run", "--json"], "helper": "own"}
    with work_tree(commit_of("later")) as tree, pytest.raises(RefusedError, match="ValueError"):
        document_from_tree(tree, ["run", "--json"])
