"""What belongs to the code of a model: a change of it makes a record out of date, and nothing else does."""

import importlib
import os
import shutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from recbench.errors import RecbenchError
from recbench.records import store
from recbench.records.sources import CHANGED
from recbench.registry.code_of_model import code_of
from recbench.registry.code_version import model_code
from recbench.registry.hyperparameters import import_and_configure
from recbench.registry.models import Origin, find_model
from recbench.registry.module_files import imported_by
from recbench.registry.observation import Observation
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions
from recbench.trials.events import ignore
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.trials.resume import changed_files, find
from recbench.trials.trial import run_trial

MODEL = """
import importlib
import importlib.util
import json
import os
import pathlib
import sqlite3
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).parent


def read(path):
    with open(path, "rb") as file:
        return file.read()


{top}


class Own:
    {attribute}

    def fit(self, train, context):
        {fit}
        self.size = train.n_items

    def score(self, users, items):
        return items / self.size
"""


class Project:
    """A working folder with a model, and beside it a folder with a library that is on the Python path."""

    def __init__(self, folder: Path, task):
        self.folder, self.task = folder, task
        self.before = set(sys.modules)

    def write(self, path: str, text: str) -> Path:
        file = self.folder.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        # Files that were there before the trial.
        os.utime(file, (1_000_000_000 + len(text), 1_000_000_000 + len(text)))
        return file

    def model(self, *, top: str = "", fit: str = "pass", attribute: str = "pass") -> None:
        self.write(f"{self.folder.name}/bench/own.py", MODEL.format(top=top, fit=fit, attribute=attribute))

    def forget(self) -> None:
        """Lets this process import everything again, as a new process would."""
        for name in set(sys.modules) - self.before:
            del sys.modules[name]
        importlib.invalidate_caches()

    def configured(self, name: str = "bench/own.py:Own"):
        self.forget()
        return import_and_configure(RequestedModel(find_model(name)), Observation())

    def run(self):
        configuration = self.configured()
        outcome = run_trial(self.task, configuration, 0, Conditions(), ignore)
        assert outcome.record.status == "done", outcome.record.error
        return store.save(outcome.record, outcome.ranks, self.folder / "o").record

    @property
    def planned(self) -> PlannedTrial:
        configuration = self.configured()
        code = configuration.code
        model = PlannedModel(
            RequestedModel(configuration.reference),
            configuration.parameters,
            code.version,
            code.sources,
            code.search_path,
        )
        return PlannedTrial(model, 0)

    def keeps(self) -> bool:
        return find(self.planned, self.task, Conditions(), self.folder / "o") is not None

    def changed(self) -> list[str]:
        changes = changed_files(self.planned, self.task, Conditions(), self.folder / "o")
        return sorted((*changes.changed, *changes.missing))


@pytest.fixture
def project(tmp_path, monkeypatch, board):
    work, library = tmp_path / "work", tmp_path / "library"
    work.mkdir()
    library.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr("sys.path", [str(library), *sys.path])
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    new_project = Project(work, board)
    yield new_project
    new_project.forget()


LOADED = {
    "a library": ("library/shoplib/core.py", {"top": "from shoplib.core import SIGN"}),
    "a package's own __init__": ("library/shoplib/__init__.py", {"top": "import shoplib.core"}),
    "a library of a library": ("library/deep.py", {"top": "import shoplib.core"}),
    "a library that fit imports": ("library/shoplib/core.py", {"fit": "from shoplib.core import SIGN"}),
    "a package that fit imports": ("library/shoplib/__init__.py", {"fit": "import shoplib.core"}),
    "a computed name": ("library/helper.py", {"top": "importlib.import_module('help' + 'er')"}),
    "a computed name in fit": ("library/helper.py", {"fit": "importlib.import_module('help' + 'er')"}),
    "a namespace package": ("library/space/part.py", {"top": "import space.part"}),
    "a namespace package in fit": ("library/space/part.py", {"fit": "import space.part"}),
    "a path that the model adds": ("extra/added.py", {"top": "sys.path.insert(0, '../extra'); import added"}),
    "a module loaded by its path": (
        "work/bench/plugins/one.py",
        {"fit": "s = importlib.util.spec_from_file_location('one', HERE / 'plugins/one.py'); "
                "s.loader.exec_module(importlib.util.module_from_spec(s))"},
    ),
    "a file beside the model": ("work/bench/weights.json", {"fit": "json.loads((HERE / 'weights.json').read_text())"}),
    "a file that the import reads": ("work/bench/weights.json", {"top": "read('bench/weights.json')"}),
    "a file of the working folder": ("work/data/x.csv", {"fit": "np.loadtxt('data/x.csv')"}),
    "a file of a library": ("library/shoplib/core.txt", {"top": "import shoplib.core", "fit": "shoplib.core.text()"}),
    "a file elsewhere in the project": ("data/y.csv", {"fit": "os.close(os.open('../data/y.csv', os.O_RDONLY))"}),
    "a file that could be written": ("work/data/x.csv", {"fit": "np.memmap('data/x.csv')"}),
    "a database": ("work/data/shop.db", {"fit": "sqlite3.connect('data/shop.db').close()"}),
    "a file that the class names": ("work/bench/native.bin", {"attribute": "sources = ['native.bin']"}),
}  # fmt: skip
FILES = {
    "library/shoplib/__init__.py": "VALUE = 1\n",
    "library/shoplib/core.py": (
        "import deep\nimport pathlib\nSIGN = 1\n"
        "def text():\n    pathlib.Path(__file__).with_suffix('.txt').open().close()\n"
    ),
    "library/shoplib/core.txt": "1\n",
    "library/deep.py": "",
    "library/helper.py": "",
    "library/space/part.py": "",
    "extra/added.py": "",
    "work/bench/plugins/one.py": "",
    "work/bench/weights.json": "1\n",
    "work/bench/native.bin": "1\n",
    "work/data/x.csv": "1\n",
    "work/data/shop.db": "1\n",
    "data/y.csv": "1\n",
}


@pytest.mark.parametrize(("file", "model"), LOADED.values(), ids=LOADED)
def test_a_changed_file_makes_the_record_out_of_date(project, file, model):
    for path, text in FILES.items():
        project.write(path, text or "VALUE = 1\n")
    project.model(**model)
    version = project.run().code_version
    assert project.keeps()
    before = (project.folder.parent / file).read_text()
    project.write(file, f"{before} \n")
    assert not project.keeps()
    (changed,) = project.changed()
    assert Path(changed).name == Path(file).name
    assert project.run().code_version != version
    assert project.keeps()
    project.write(file, before)
    assert project.run().code_version == version


def test_another_copy_of_a_library_is_another_library(project, monkeypatch):
    project.write("library/shoplib.py", "SIGN = 1\n")
    project.write("fork/shoplib.py", "SIGN = 2\n")
    for where in ({"top": "import shoplib"}, {"fit": "import shoplib"}):
        project.model(**where)
        project.run()
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(project.folder.parent / "fork"))
            assert not project.keeps()
            project.write("fork/shoplib.py", "SIGN = 1\n")
            assert project.keeps()
            project.write("fork/shoplib.py", "SIGN = 2\n")
        assert project.keeps()


def test_a_library_that_is_gone_makes_the_record_out_of_date(project):
    file = project.write("library/late.py", "VALUE = 1\n")
    project.model(fit="import late")
    project.run()
    file.unlink()
    assert not project.keeps()
    assert project.changed() == ["late.py"]


def test_an_editable_install_counts_by_its_files(project, monkeypatch):
    class Finder:
        """As setuptools and editables install one."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != "edited":
                return None
            return PathFinder.find_spec(name, [str(project.folder.parent / "checkout")])

    monkeypatch.setattr("sys.meta_path", [*sys.meta_path, Finder])
    for where in ({"top": "import edited.core"}, {"fit": "import edited.core"}):
        project.write("checkout/edited/__init__.py", "")
        project.write("checkout/edited/core.py", "VALUE = 1\n")
        project.model(**where)
        sources = project.run().sources
        assert "edited/core.py" in {**sources.modules, **sources.late_modules}
        assert project.keeps()
        project.write("checkout/edited/core.py", "VALUE = 12\n")
        assert not project.keeps()


@pytest.mark.parametrize("fit", [
    "pathlib.Path('made.txt').write_text('x'); read('made.txt')",
    "handle, name = tempfile.mkstemp(); os.close(handle); read(name)",
    # As native code does it, which the hook does not see.
    "LATER(); os.link('../old.txt', 'made.txt'); os.utime('made.txt'); read('made.txt'); os.remove('made.txt')",
    "read('../old.txt'); pathlib.Path('../old.txt').write_text('y')",
    "LATER(); open('../old.txt', 'r+').close(); os.utime('../old.txt')",
    "read('.git/HEAD')",
    "read('/proc/self/status'); read('/etc/hostname')",
    "read(np.__file__)",
    "read(pathlib.Path(os.environ['RECBENCH_HOME']) / 'tasks.txt')",
    "read(pathlib.Path.home() / '.config' / 'x.toml')",
], ids=lambda fit: fit[:30])  # fmt: skip
def test_what_is_no_input_does_not_count(project, monkeypatch, home, fit):
    monkeypatch.setenv("HOME", str(project.folder.parent / "user"))
    monkeypatch.setattr("tempfile.tempdir", str(project.folder.parent / "temporary"))
    (project.folder.parent / "temporary").mkdir()
    project.write(f"{home.name}/tasks.txt", "x")
    for path in ("old.txt", "work/.git/HEAD", "user/.config/x.toml"):
        project.write(path, "x")
    # The clock of files lags behind that of programs, by 10 ms at most.
    project.model(fit=fit.replace("LATER()", "time.sleep(0.05)"))
    assert project.run().sources.data == {}
    assert project.keeps()


def test_a_file_that_changes_during_the_trial_makes_a_record_that_is_never_kept(project):
    project.write("work/x.txt", "x")
    project.model(fit="read('x.txt'); os.utime('x.txt', 2 * (time.time() + 60,))")
    assert project.run().sources.data == {"x.txt": CHANGED}
    assert not project.keeps()


def test_a_compiled_module_counts_by_its_source(project, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    for path, text in FILES.items():
        project.write(path, text or "VALUE = 1\n")
    project.model(**LOADED["a module loaded by its path"][1])
    for _ in range(2):
        assert list(project.run().sources.data) == ["bench/plugins/one.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_not_utf_8(project):
    project.write("work/\udcff.txt", "x")
    project.model(fit="[read(name) for name in os.listdir() if name.endswith('.txt')]")
    assert list(project.run().sources.data) == ["\\udcff.txt"]
    assert project.keeps()
    project.write("work/\udcff.txt", "other")
    assert project.changed() == ["\\udcff.txt"]


def test_many_data_files_count_as_their_folder(project, monkeypatch):
    monkeypatch.setattr("recbench.registry.observation.MANY", 2)
    for name in "abc":
        project.write(f"work/images/{name}.png", "x")
    project.model(fit="[file.read_bytes() for file in pathlib.Path('images').iterdir()]")
    assert list(project.run().sources.data) == ["images/"]
    assert project.keeps()
    project.write("work/images/b.png", "other")
    assert not project.keeps()


def test_a_project_can_be_moved_and_its_paths_are_not_in_the_record(project, monkeypatch):
    project.write("library/shoplib.py", "SIGN = 1\n")
    project.write("work/data/x.csv", "1\n")
    project.write("data/y.csv", "1\n")
    project.model(top="import shoplib", fit="read('data/x.csv'); read('../data/y.csv')")
    record = project.run()
    assert set(record.sources.data) == {"data/x.csv", "../data/y.csv"}
    assert str(project.folder.parent) not in record.to_json()
    moved = project.folder.parent / "elsewhere"
    moved.mkdir()
    for name in ("work", "library", "data"):
        shutil.move(project.folder.parent / name, moved / name)
    monkeypatch.chdir(moved / "work")
    monkeypatch.setattr("sys.path", [str(moved / "library"), *sys.path[1:]])
    project.folder = moved / "work"
    assert project.keeps()


def test_without_files_from_elsewhere_the_version_is_that_of_older_records(project):
    project.write("work/bench/beside.py", "VALUE = 1\n")
    project.write("library/shoplib/__init__.py", "")
    project.model(top="import beside\nimport shoplib")
    record = project.run()
    assert record.code_version == model_code(project.configured().model_class).version
    older = record.model_copy(update={"sources": type(record.sources)()})
    (path,) = (project.folder / "o").glob("*.json")
    path.write_text(older.to_json())
    assert project.keeps()


BAD_SOURCES = {
    "missing": ("['absent.json']", r"Own names 'absent.json' in 'sources', but there is no file .*bench/absent.json"),
    "a folder": ("['folder']", r"Own names 'folder' in 'sources', which is a folder: .*bench/folder"),
    "a text": ("'weights.json'", "'sources' of Own is 'weights.json', but must be a list of file names"),
    "numbers": ("[1]", r"'sources' of Own is \[1\], but must be a list of file names"),
    "an empty name": ("['']", r"'sources' of Own is \[''\], but must be a list of file names"),
}


@pytest.mark.parametrize(("value", "message"), BAD_SOURCES.values(), ids=BAD_SOURCES)
def test_bad_sources_are_refused_before_training(project, value, message):
    (project.folder / "bench" / "folder").mkdir(parents=True)
    project.model(attribute=f"sources = {value}")
    with pytest.raises(RecbenchError, match=message) as caught:
        project.configured()
    assert caught.value.hint


def test_sources_are_inherited_from_the_folder_that_names_them(project):
    project.write("library/base/w.json", "1")
    project.write("library/base/base.py", "class Base:\n    sources = ('w.json',)\n")
    project.model(top="from base.base import Base")
    text = (project.folder / "bench" / "own.py").read_text()
    project.write("work/bench/own.py", text.replace("class Own:", "class Own(Base):"))
    assert list(project.run().sources.named) == ["w.json"]
    project.write("library/base/w.json", "2")
    assert project.changed() == ["w.json"]


def test_a_plug_in_of_one_module_is_itself_and_the_version_of_its_distribution(project, monkeypatch):
    site = project.folder.parent / "site-packages"
    monkeypatch.syspath_prepend(str(site))
    source = MODEL.format(top="import other_package", fit="pass", attribute="pass")
    project.write("site-packages/single_plugin.py", source)
    project.write("site-packages/other_package/__init__.py", "VALUE = 1\n")

    def install(version: str) -> None:
        project.write("site-packages/toy_plugin-1.dist-info/METADATA", f"Name: toy-plugin\nVersion: {version}\n")
        project.write("site-packages/toy_plugin-1.dist-info/RECORD", "single_plugin.py,,\n")

    def code():
        return project.configured("single_plugin:Own").code

    install("1.0")
    first = code()
    assert list(first.sources.modules) == ["single_plugin.py"]
    project.write("site-packages/other_package/__init__.py", "VALUE = 2\n")
    assert code().version == first.version
    install("1.1")
    assert code().version != first.version
    install("1.0")
    project.write("site-packages/single_plugin.py", f"{source}# 2\n")
    assert code().version != first.version


def test_a_run_lists_what_it_looked_at(recbench, tmp_path):
    """As a user: a library and an installed package on ``PYTHONPATH``, and a file of weights."""
    site = tmp_path / "env" / "site-packages"
    for path, text in {
        "src/shoplib.py": "SIGN = 1\n",
        "bench/weights.json": "1",
        "bench/own.py": MODEL.format(
            top="import shoplib\nimport toyframe",
            fit="read(HERE / 'weights.json'); context.report(device='gpu'); 1 / (context.seed < 2)",
            attribute="pass",
        ),
        "env/site-packages/toyframe.py": "",
        "env/site-packages/toyframe-7.dist-info/METADATA": "Name: toyframe\nVersion: 7\n",
        "env/site-packages/toyframe-7.dist-info/RECORD": "toyframe.py,,\n",
        "bin/nvidia-smi": "#!/bin/sh\ncase $1 in --query-gpu=*) echo 'GPU-1, NVIDIA L4, 550.54';; esac\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    environment = {
        "PYTHONPATH": os.pathsep.join(
            [str(tmp_path / "src"), str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    run = ("run", "--models", "bench/own.py:Own", "--task", "synthetic", "-o", "o", "--seeds")
    done = recbench(*run, "1", **environment)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "o").glob("*.json")
    record = store.load(path)
    assert record.environment.packages["toyframe"] == "7"
    assert [gpu.name for gpu in record.environment.gpus] == ["NVIDIA L4"]
    (tmp_path / "src" / "shoplib.py").write_text("SIGN = -1\n")
    again = recbench(*run, "1", **environment)
    assert "1 record is out of date: shoplib.py has changed." in again.stderr
    more = recbench(*run, "3", **environment)
    assert (
        "1 of 3 trials are kept in o and are not run again (same task, settings and code: 2 source files, 1 data file);"
        in more.stderr
    )
    assert "seed 0 ..." not in more.stderr
    # A trial that fails lists them too.
    assert {store.load(path).environment.packages["toyframe"] for path in (tmp_path / "o").glob("*.json")} == {"7"}


def test_a_missing_source_ends_the_run_before_training(recbench, tmp_path):
    (tmp_path / "own.py").write_text(MODEL.format(top="", fit="pass", attribute="sources = ['weights.json']"))
    done = recbench("run", "--models", "own.py:Own", "--task", "synthetic")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Own names 'weights.json' in 'sources', but there is no file" in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_module_that_another_model_loaded_first_counts(tmp_path, monkeypatch):
    (tmp_path / "sibling").mkdir()
    (tmp_path / "sibling" / "__init__.py").write_text("from .rates import RATE")
    (tmp_path / "sibling" / "rates.py").write_text("import unshared\nRATE = 1")
    (tmp_path / "unshared.py").write_text("def late():\n    import later_shared")
    (tmp_path / "later_shared.py").touch()
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "lone.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import later_shared\nelse:\n    import sibling\n"
        "class Lone:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "bench")
    before = {*sys.modules}
    importlib.import_module("later_shared")
    lone = importlib.import_module("lone")
    needed = imported_by("lone")
    # Nothing is imported while it is observed.
    modules = code_of(lone.Lone, Origin.MODULE, Observation()).sources.modules
    for name in sys.modules.keys() - before:
        del sys.modules[name]
    assert needed == {"lone", "sibling", "sibling.rates", "unshared"}
    assert modules.keys() == {"lone.py", "sibling/__init__.py", "sibling/rates.py", "unshared.py"}
