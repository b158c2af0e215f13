"""Acceptances, releases and pages whose process is killed at any write, or whose disk is full: all or nothing."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from recbench.cli import baseline
from recbench.cli.leaderboard import leaderboard
from recbench.errors import RecbenchError
from recbench.evaluation import inference
from recbench.evaluation.bootstrap import resampled_together
from recbench.evaluation.paired_tests import sign_flip_p_values
from recbench.records import baselines, history
from tests.examples import a_record
from tests.killed_children import killed_at_each_write
from tests.test_baselines import a_run

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is a copy of this one")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A repository with an accepted baseline, and a run with other settings that has not been accepted."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # Fewer resamples and flips, to be fast, whoever asks for how many.
    monkeypatch.setattr(inference, "resampled_together", lambda of_users, _: resampled_together(of_users, 10))
    monkeypatch.setattr(inference, "sign_flip_p_values", lambda by_user: sign_flip_p_values(by_user, 10))
    subprocess.run(["git", "init", "-q"], check=True)
    old = [a_record("bpr", seed, hr=0.4, parameters={"factors": 8, "epochs": 2}) for seed in range(2)]
    baselines.accept(a_run(tmp_path / "old", *old), "main")
    a_run(tmp_path / "new", a_record("bpr", 0, hr=0.6), a_record("popularity", 0, hr=0.3))
    return folder


def visible_files() -> set[str]:
    """The files that ``git add`` would add."""
    done = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def present() -> dict[str, str]:
    """What a reader finds: the accepted configurations, and the number of lines of the history."""
    configurations = {
        label: sorted((group.model, group.parameters["factors"], len(group.trials)) for group in groups)
        for (_, label), groups in baselines.accepted_groups().items()
    }
    return {"baselines": str(configurations), "history": str(len(history.read()))}


def restored(folder: Path, copy: Path) -> None:
    for path in folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(copy, folder, dirs_exist_ok=True)


VERBS = {
    "accept": (lambda: baseline.accept("../new"), 2),
    "release": (lambda: baseline.release("v1.0"), 0),
    "render": (baseline.render, 0),
    "leaderboard": (lambda: leaderboard("../new"), 0),
}


@needs_fork
@pytest.mark.parametrize(("verb", "lines"), VERBS.values(), ids=VERBS)
def test_a_killed_verb_has_changed_everything_or_nothing(project, tmp_path, verb, lines):
    shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    before, files_before = present(), visible_files()
    verb()
    after, files_after = present(), visible_files()
    assert (before, files_before) != (after, files_after)
    restored(project, tmp_path / "copy")
    seen = set()
    for _ in killed_at_each_write(verb):
        now, files_now = present(), visible_files()
        assert now in (before, after)
        assert files_now in (files_before, files_after)
        seen.add(files_now == files_after)
        if (now, files_now) == (before, files_before):
            # The next attempt works, and nothing is left of the killed one.
            verb()
            assert (present(), visible_files()) == (after, files_after)
            assert {path.name for path in Path("results/.recbench").iterdir()} == {".gitignore", "results.lock"}
        assert len(history.read()) == 2 + lines
        restored(project, tmp_path / "copy")
    assert seen == {False, True}
    assert (present(), visible_files()) == (after, files_after)


@needs_fork
def test_acceptances_at_once_lose_no_line_and_mix_nothing(project, tmp_path):
    children = []
    for number in range(4):
        if (child := os.fork()) == 0:
            try:
                parameters = {"factors": 10 + number, "epochs": 2}
                records = [a_record("bpr", seed, parameters=parameters) for seed in range(2)]
                baselines.accept(a_run(tmp_path / f"run{number}", *records), "main")
                history.append([_line(f"w{number}")])
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    lines = history.read()
    assert len(lines) == 2 + 4 * 2 + 4
    assert {line.label for line in lines} == {"main", "w0", "w1", "w2", "w3"}
    (group,) = baselines.accepted_groups()["toy", "main"]
    assert len(group.trials) == 2


@pytest.mark.parametrize("verb", [verb for verb, _ in VERBS.values()], ids=VERBS)
def test_a_full_disk_changes_nothing_and_is_named(project, monkeypatch, verb):
    before, files_before = present(), visible_files()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecbenchError, match="No space left on device") as caught:
        verb()
    assert "df " in caught.value.hint
    assert (present(), visible_files()) == (before, files_before)
    assert {path.name for path in Path("results/.recbench").iterdir()} == {".gitignore", "results.lock"}


def test_what_an_earlier_version_has_left_is_removed(project):
    left = [
        Path("results/.history.jsonl.0123456789abcdef.tmp"),
        Path("results/baselines/toy/main/.toy--bpr--01234567--seed0.json.0123456789abcdef.tmp"),
    ]
    own = [Path("results/.notes.tmp"), Path("results/.x.md.tmp"), Path("results/baselines/toy/main/.mine.json.tmp")]
    for path in (*left, *own):
        path.touch()
    baseline.accept("../new")
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in own)


def test_a_journal_of_somebody_else_reaches_no_other_file(project, tmp_path):
    victim = tmp_path / "victim"
    victim.touch()
    journal = Path("results/.recbench/journal.json")
    for removed in ("../../victim", str(victim)):
        journal.write_text(json.dumps({"moves": [], "removals": [removed]}))
        with pytest.raises(RecbenchError, match="is not below the folder") as caught:
            baselines.accepted_groups()
        assert "remove that file" in caught.value.hint
    assert victim.exists()


def test_a_folder_on_another_file_system(project, monkeypatch):
    """Renaming does not reach it; the file is copied."""
    rename = os.replace

    def over_there(source, target, **options):
        if "/.recbench/" in str(source) and "/.recbench/" not in str(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(source, target, **options)

    monkeypatch.setattr(os, "replace", over_there)
    baseline.accept("../new")
    assert present()["history"] == "4"


def _line(label: str) -> history.Accepted:
    return history.read()[0].model_copy(update={"label": label})
