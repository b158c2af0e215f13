"""Files are data: no module of the harness or of the models holds a call that would run, or scatter, what is in one."""

import ast
import io
import re
import zipfile
from pathlib import Path

import pytest

from recbench.data import fetch as fetching
from recbench.data.catalogue import catalogue
from recbench.errors import RecbenchError

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("recbench", "models", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "extract", "extractall", "unpack_archive", "read_pickle", "unsafe_load", "mktemp"}
LOADS = {"np.load", "numpy.load"}
FROM_THE_RUN = ROOT / "recbench" / "registry" / "class_pickles.py"
"""Loads what the run itself has sent through a pipe; see there."""
SIZES = ROOT / "recbench" / "foreign" / "serving_loop.py"
"""Pickles a model to count the bytes."""


def offences(source: str) -> list[str]:
    violations = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            violations += [name for name in names if name.partition(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        written_here = called == "exec" and all(isinstance(argument, ast.Constant) for argument in node.args)
        if called.rpartition(".")[2] in CALLS and not written_here:
            violations.append(called)
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in LOADS and keywords.get("allow_pickle") != "False":
            violations.append(f"{called} without allow_pickle=False")
        if keywords.get("shell") == "True":
            violations.append(f"{called} with a shell")
    return violations


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_no_module_runs_what_is_in_a_file(path):
    allowed = {FROM_THE_RUN: {"cloudpickle"}, SIZES: {"pickle"}}.get(path, set())
    assert set(offences(path.read_text(encoding="utf-8"))) == allowed


def test_what_counts_the_bytes_of_a_pickle_loads_none():
    assert not re.search(r"\bloads?\(|Unpickler", SIZES.read_text(encoding="utf-8"))


def test_what_the_run_sends_is_loaded_from_bytes_only():
    source = FROM_THE_RUN.read_text(encoding="utf-8")
    assert {call for call in ("open(", "read_bytes", "write_bytes", ".load(", ".dump(") if call in source} == set()


@pytest.mark.parametrize(
    "source",
    [
        *(
            "import pickle",
            "from joblib import load",
            "eval(text)",
            "exec(path.read_text())",
            "np.load(path)",
            "np.load(path, allow_pickle=True)",
        ),
        *(
            "archive.extractall(folder)",
            "archive.extract(member)",
            "pd.read_pickle(path)",
            "subprocess.run(x, shell=True)",
        ),
    ],
)
def test_such_calls_are_seen(source):
    assert offences(source)


@pytest.mark.parametrize("member", ["../outside", "/outside", "ml-100k/../../outside", "C:\\outside"])
def test_archives_are_read_member_by_member_and_never_unpacked(tmp_path, member):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(member, b"out")
        archive.writestr("ml-100k/u.data", b"1\t2\t3\t4\n")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = folder / "ml-100k.zip"
    path.write_bytes(target.getvalue())
    with pytest.raises(RecbenchError, match="is not .* as published"):
        fetching.add("ml-100k", [path])
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_every_file_of_the_catalogue_can_be_checked_before_use():
    """By a published checksum, or, where nobody published one, by the published counts."""
    for name, dataset in catalogue().items():
        for file in dataset.files:
            sources = [source for source in file.sources if source.kind != "wheel"]
            pinned = file.sha256 or file.md5 or (sources and all(source.checksum for source in sources))
            assert pinned or dataset.expected(), name
