"""Backfill and bisect: which commits are trained, and what is said of those that cannot be."""

import json
import shutil
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from recbench.errors import RecbenchError
from recbench.evaluation import inference
from recbench.experiments import bisect, commit_trials
from recbench.experiments.revision_runs import RevisionRun
from recbench.git_commands import git_output, run_git
from recbench.git_ranges import commits_in, every
from recbench.git_work_trees import WorkTree
from recbench.records import history
from recbench.records.schema import Revision, TaskIdentity
from tests.command_line import CommandLine
from tests.examples import a_trial
from tests.reference_schemas import assert_fits
from tests.test_baselines import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


class Trainer:
    """Trains nothing: the subject of a commit says how good the model is."""

    def __init__(self):
        self.calls = []
        self.skills = {}

    def __call__(self, tree, request, output, python, stop):
        self.calls.append((tree.commit, *request.models, len(request.seeds)))
        by_model, problems = {}, {}
        for model in request.models:
            skill = self.skills[tree.commit]
            if skill == "broken" or model == "absent":
                problems[model] = f"the model {model} of the commit {tree.commit[:12]} is broken"
                continue
            by_model[model] = [
                a_trial(
                    model, seed, float(skill), n=300, luck=int(tree.commit[:6], 16),
                    task=TaskIdentity(name="synthetic", digest=request.digest), device="auto",
                    revision=Revision(sha=tree.commit, dirty=False), started_at=datetime.now(UTC),
                )
                for seed in request.seeds
            ]  # fmt: skip
        return RevisionRun(by_model, problems, 0.1)


@pytest.fixture
def trainer(monkeypatch):
    # Fewer resamples and flips, to be fast.
    monkeypatch.setattr(inference.infer, "__defaults__", ((), 100))
    monkeypatch.setattr(inference, "sign_flip_p_values", partial(inference.sign_flip_p_values, flips=400))
    trainer = Trainer()
    monkeypatch.setattr(commit_trials, "run_revision", trainer)
    # Each has tests of its own, and costs several calls of git.
    monkeypatch.setattr(commit_trials, "work_tree", lambda commit: nullcontext(WorkTree(commit, Path(), Path(), "")))
    return trainer


@pytest.fixture
def recbench(capfd, monkeypatch):
    return CommandLine(capfd, monkeypatch)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git(folder, "init", "-q", "-b", "main")
    return folder


def commits(folder: Path, *skills: str, trainer: Trainer | None = None) -> list[str]:
    """Adds commits to the branch main, all with the same date; returns their hashes."""
    begun = run_git("rev-parse", "-q", "--verify", "main", folder=folder).returncode == 0
    stream = ""
    for number, skill in enumerate(skills):
        message = f"{skill} {number}"
        stream += f"commit refs/heads/main\ncommitter a <a@b> 1767225600 +0000\ndata {len(message)}\n{message}\n"
        stream += "from refs/heads/main^0\n" if begun and not number else ""
    git_output("fast-import", "--quiet", given=stream.encode(), folder=folder)
    listing = git_output(
        "log", "--first-parent", "--reverse", f"-{len(skills)}", "--format=%H", "refs/heads/main", folder=folder
    )
    made = listing.decode().split()
    if trainer is not None:
        trainer.skills |= dict(zip(made, skills, strict=True))
    return made


def test_a_subject_holds_any_character(repository):
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    git(repository, "commit", "-q", "--allow-empty", "-m", "one\u2028two\x0cthree\x85four")
    git(repository, "commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
    assert [commit.subject for commit in commits_in("HEAD~2..HEAD")] == ["one\u2028two\x0cthree\x85four", ""]


def test_outside_of_a_repository_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecbenchError, match="is not in a git repository"):
        commits_in("a..b")


def test_ranges_follow_first_parents_in_the_order_of_the_commits(repository):
    made = commits(repository, "0.1", "0.2")
    git(repository, "checkout", "-q", "-b", "side", made[0])
    git(repository, "commit", "-q", "--allow-empty", "-m", "side")
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merged", "side")
    (repository / "main").mkdir()  # A folder of the name of a branch.
    branch_commits = commits_in(f"{made[0]}..main")
    assert [commit.subject for commit in branch_commits] == ["0.2 1", "merged"]
    assert branch_commits[0].moment < branch_commits[1].moment
    # The same moments in another range.
    assert commits_in("HEAD~1..") == branch_commits[1:]
    assert [commit.subject for commit in every(commits_in(f"{made[0]}..main"), 5)] == ["merged"]
    assert every(list("abcdefg"), 3) == ["c", "f", "g"]
    for text, cause in (
        ("main", "not a range"),
        ("..main", "not a range"),
        ("main...side", "not a range"),
        ("nope..main", "git knows no revision 'nope'"),
        ("main..main", "There is no commit in main..main"),
        (f"main..{made[0]}", "There is no commit"),
    ):
        with pytest.raises(RecbenchError, match=cause):
            commits_in(text)
    with pytest.raises(RecbenchError) as caught:
        commits_in(f"main..{made[0]}")
    assert caught.value.hint == f"Did you mean {made[0]}..main?"
    # A shallow clone with the two ends and nothing between.
    commits(repository, "1", "2", "3")
    git(repository, "update-ref", "refs/heads/old", made[0])
    clone = repository.parent / "clone"
    git(repository, "clone", "-q", "--depth", "1", "--no-single-branch", repository.as_uri(), str(clone))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(clone)
        with pytest.raises(RecbenchError, match="this clone is shallow") as caught:
            commits_in("origin/old..origin/main")
    assert "git fetch --unshallow" in caught.value.hint


def test_backfill_trains_what_the_history_lacks_and_goes_on_past_what_is_broken(repository, trainer, recbench):
    made = commits(repository, "0.5", "0.4", "broken", "0.3", "0.3", trainer=trainer)
    command = ("backfill", f"{made[0]}..main", "--models", "absent,net", "--task", "synthetic")
    planned = recbench(*command, "--dry-run", "--every", "2", "--json")
    document = json.loads(planned.out)
    assert_fits("backfill --dry-run", document)
    assert [entry["models"] for entry in document["plan"]] == [["absent", "net"]] * 2
    assert not trainer.calls
    # The newest first: its line stands last all the same.
    done = recbench("backfill", "HEAD~1..main", "--models", "net", "--task", "synthetic", "--quiet")
    assert (done.code, len(trainer.calls)) == (0, 1)
    done = recbench(*command, "--jobs", "1")
    assert done.code == 0
    assert "0.3 4" in done.out
    where = f"4 commits, {made[1][:9]} to {made[4][:9]}"
    assert f"No figures of absent at {where}: the model absent of the commit is broken" in done.err
    assert f"No figures of net at {made[2][:9]}" in done.err
    lines = [json.loads(text) for text in Path("results/history.jsonl").read_text().splitlines()]
    assert [line["sha"] for line in lines] == [made[1], made[3], made[4]]
    assert {line["backfilled"] for line in lines} == {"net"}
    assert [line.sha for line in history.read()] == [made[1], made[3], made[4]]
    # Nothing is trained again but what was broken; more seeds are more lines of the same commits.
    trainer.calls.clear()
    recbench("backfill", f"{made[0]}..main", "--models", "net", "--task", "synthetic")
    assert trainer.calls == [(made[2], "net", 1)]
    again = recbench("backfill", f"{made[2]}..main", "--models", "net", "--task", "synthetic", "--seeds", "2", "--json")
    document = json.loads(again.out)
    assert_fits("backfill", document)
    assert [(entry["commit"], entry["state"], entry["new_lines"]) for entry in document["commits"]] == [
        (made[3], "added", 1),
        (made[4], "added", 1),
    ]
    document = json.loads(recbench("history", "--json", "--label", "run").out)
    assert_fits("history", document)
    shown = document["trends"][0]["acceptances"]
    assert shown[0]["metrics"]["hr@10"] == shown[0]["hr@10"]
    assert [(entry["revision"], entry["seeds"]) for entry in shown] == [(made[1], 1), (made[3], 2), (made[4], 2)]
    # Other hyper-parameters are other lines.
    trainer.calls.clear()
    recbench("backfill", "HEAD~1..main", "--models", "net:size=2", "--task", "synthetic")
    assert trainer.calls == [(made[4], "net:size=2", 1)]
    assert recbench("backfill", "HEAD~1..main", "--models", "absent", "--task", "synthetic").code == 3
    assert recbench("backfill", "main..main", "--models", "net", "--task", "synthetic").code == 4
    assert recbench("backfill", "HEAD~1..", "--models", "net,net", "--task", "synthetic").code == 2
    with Path("results/history.jsonl").open("a") as file:
        file.write("=======\n")
    damaged = recbench("backfill", "HEAD~1..", "--models", "other", "--task", "synthetic")
    assert damaged.code == 2
    assert "merge conflict" in damaged.err


def test_bisect_finds_the_commit_passes_over_broken_ones_and_asks_for_seeds(repository, trainer, recbench):
    made = commits(repository, *["0.5"] * 5, "broken", *["0.5"] * 3, *["0.3"] * 6, trainer=trainer)
    command = ("bisect", made[0], "main", "--model", "net", "--task", "synthetic", "--seeds", "2")
    result = recbench(*command, "--json")
    assert result.code == 0
    document = json.loads(result.out)
    assert_fits("bisect", document)
    assert (document["bad"], document["good"], document["between"]) == (made[9], made[8], [])
    assert document["drop"]["difference"] < -0.1
    assert document["trained"] == 2 * (len(document["steps"]) + 2) == 2 * len(trainer.calls)
    assert len(document["steps"]) <= 4
    text_result = recbench(*command)
    assert f"HR@10 of net fell at {made[9][:9]}, '0.3 9'" in text_result.out
    # The commit of the drop cannot be trained.
    low = commits(repository, "0.5", "0.5", "broken", "0.2", "0.2", trainer=trainer)
    result = recbench("bisect", low[0], "main", "--model", "net", "--task", "synthetic", "--seeds", "1")
    assert result.code == 1
    assert f"fell between {low[1][:9]} and {low[3][:9]}" in result.out
    assert f"{low[2][:9]} cannot be trained (the model net of the commit {low[2][:12]} is broken)" in result.out
    # A small drop needs more seeds, and then there may be none.
    level = commits(repository, "0.5", "0.5", trainer=trainer)
    trainer.calls.clear()
    result = recbench("bisect", level[0], "main", "--model", "net", "--task", "synthetic", "--max-seeds", "12")
    assert result.code == 4
    assert "did not fall significantly" in result.err
    assert "12 seeds" in result.err
    assert [seeds for *_, seeds in trainer.calls] == [3, 3, 3, 3, 6, 6]
    # A difference that seeds may explain is no drop, whatever its sign.
    swapped = commits(repository, "0.5", "0.49", trainer=trainer)
    end = recbench("bisect", swapped[0], "main", "--model", "net", "--task", "synthetic", "--max-seeds", "3")
    assert (end.code, "significantly" in end.err) == (4, True)
    for words, cause in (
        (("main", level[0]), "is not an ancestor of BAD"),
        (("main", "main"), "is the same commit as BAD"),
        ((low[2], "main"), f"GOOD, {low[2][:9]}, cannot be trained"),
        (("main~1", "main", "--max-seeds", "1"), "--max-seeds 1 is less than --seeds 3"),
    ):
        done = recbench("bisect", *words, "--model", "net", "--task", "synthetic")
        assert (done.code, cause in done.err) == (2, True), done.err


def test_bisect_names_a_commit_without_the_ranking_that_the_metric_needs(repository, trainer, recbench):
    made = commits(repository, "0.5", "0.3", trainer=trainer)
    result = recbench("bisect", made[0], "main", "--model", "net", "--task", "synthetic", "--metrics", "full-hr@10")
    assert result.code == 2
    assert "seed 0, full ranking: it has none" in result.err


def test_bisect_names_a_range_if_the_test_cannot_decide(repository, trainer, recbench, monkeypatch):
    made = commits(repository, "0.5", *["0.4"] * 6, "0.3", trainer=trainer)
    ends = made[-1], made[0]
    monkeypatch.setattr(bisect._Levels, "is_lower", lambda _, first, second: (first.sha, second.sha) == ends)
    words = ("--model", "net", "--task", "synthetic", "--seeds", "1", "--max-seeds", "3")
    result = recbench("bisect", made[0], "main", *words)
    assert result.code == 1
    assert f"HR@10 of net fell between {made[0][:9]} and {made[-1][:9]}" in result.out
    assert "6 commits between them are not decided" in result.out
    assert "3 not tried" in result.out
    # 1, 2 and 3 seeds of the two ends and the first commit, and then 3 of the others.
    assert [seeds for *_, seeds in trainer.calls] == [1] * 9 + [3] * 2
    assert f"See the changes: git log --first-parent {made[0][:9]}..{made[-1][:9]}" in result.out


def test_a_copy_that_ends_halfway_leaves_no_record_without_its_ranks(tmp_path, monkeypatch):
    near, commit = "a" * 40, "b" * 40
    trials = commit_trials.CommitTrials(task=None, request=None, output=tmp_path)
    trials.folder(near).mkdir()
    for name in ("task--m--1--seed0.json", "task--m--1--seed0.npz"):
        (trials.folder(near) / name).write_text(name)
    copy, copied = shutil.copyfile, []

    def fails_later(source, target):
        copied.append(source.suffix)
        if len(copied) > 1:
            raise OSError("no space")
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", fails_later)
    with pytest.raises(RecbenchError):
        trials._copy_records([near], trials.folder(commit))
    assert [path.suffix for path in trials.folder(commit).iterdir()] == [".npz"]
    copied.clear()
    monkeypatch.setattr(shutil, "copyfile", copy)
    trials._copy_records([near], trials.folder(commit))
    assert sorted(path.suffix for path in trials.folder(commit).iterdir()) == [".json", ".npz"]
