"""Verbs that write files, killed at any write: what is found is whole, and the same command then does its work.

``baseline``, ``leaderboard`` and ``history`` are in ``test_acceptance_kills.py``; ``run``, and so ``sweep``, in
``test_kept_records.py`` and ``test_kills.py``.
"""

import os
import shutil
from pathlib import Path

import pytest

from recbench.data import fetch as fetching
from recbench.data.cache import home
from recbench.data.catalogue import catalogue
from recbench.experiments.evaluate import evaluate
from recbench.output_files import OutputFile
from recbench.records import tuned_settings
from recbench.records.selection import read_records
from recbench.records.tuned_settings import TunedSettings
from recbench.reports.plots.figures import new_figure, save_figure
from recbench.tasks import lookup, task_file
from recbench.tasks.exchange.export import export
from recbench.tasks.exchange.forms import ExportForm
from recbench.tasks.exchange.imports import import_folder
from recbench.tasks.make import make_task
from recbench.tasks.removal import clean, remove_dataset, remove_task
from tests.killed_children import killed_at_each_write
from tests.test_settings import some_settings

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is a copy of this one")


def check_tasks() -> None:
    for path in home().glob("tasks/*/*.task"):
        task_file.load(path)


def check_datasets() -> None:
    for name in ("ml-1m",):
        if fetching.is_cached(name):
            fetching.fetch(name)


class Verbs:
    """Each method prepares a verb, and returns the function that does it and the one that reads what it wrote."""

    def __init__(self, folder: Path, board) -> None:
        self._folder = folder
        self._board = board
        self._rows = folder / "ratings.dat"
        self._rows.write_text("1::1::3::978300760\n")

    def task_build(self):
        return lambda: lookup.load_task("synthetic", rebuild=True), check_tasks

    def task_import(self):
        lookup.keep_as_own(self._board)
        return lambda: lookup.keep_as_own(self._board, replace=True), check_tasks

    def task_remove(self):
        lookup.keep_as_own(self._board)
        return lambda: self._board.name in lookup.task_names() and remove_task(self._board.name, yes=True), check_tasks

    def data_fetch(self):
        fetching.add("ml-1m", [self._rows])
        return lambda: fetching.add("ml-1m", [self._rows]), check_datasets

    def data_remove(self):
        fetching.add("ml-1m", [self._rows])
        return lambda: remove_dataset("ml-1m"), check_datasets

    def clean(self):
        fetching.add("ml-1m", [self._rows])
        lookup.keep_as_own(self._board)
        return lambda: clean(0, own=True), lambda: (check_tasks(), check_datasets())

    def task_export(self):
        folder = self._folder / "exported"
        task = make_task(self._board.train_frame(), name="shop", negatives=5)

        def check():
            if folder.exists():
                assert import_folder("shop", folder).digest == task.digest

        return lambda: export(task, folder, ExportForm.CSV), check

    def plot(self):
        path, figure = self._folder / "x.png", new_figure(1, 1)
        save_figure(figure, OutputFile(path))
        before = path.read_bytes()

        def check():
            assert path.read_bytes() == before

        return lambda: save_figure(figure, OutputFile(path)), check

    def tune(self):
        output = OutputFile(self._folder / "settings.toml")
        tuned_settings.save(some_settings(), output)

        def check():
            assert isinstance(tuned_settings.load(output.path), TunedSettings)

        return lambda: tuned_settings.save(some_settings(), output), check

    def score_file(self):
        runs = self._folder / "runs"

        def scores(users, items):
            return items.astype(float)

        def check():
            if list(runs.glob("*.json")):
                assert read_records(str(runs)).trials[0].ranks is not None

        return lambda: evaluate(self._board, scores, name="theirs", output=runs), check


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock" and "checked" not in path.parts
    }


@pytest.mark.parametrize("verb", [name for name in vars(Verbs) if not name.startswith("_")])
def test_a_killed_verb_leaves_whole_files_and_can_be_repeated(verb, board, tmp_path, monkeypatch):
    small = catalogue()["ml-1m"].model_copy(update={"rows": 1, "users": 1, "items": 1})
    monkeypatch.setitem(catalogue(), "ml-1m", small)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv("RECBENCH_HOME", str(folder / "home"))
    does, check = getattr(Verbs(folder, board), verb)()
    shutil.copytree(folder, tmp_path / "before")
    does()
    after = files(folder)
    check()

    def restore():
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)

    restore()
    for _ in killed_at_each_write(does):
        check()
        does()
        assert files(folder) == after
        check()
        restore()
