"""recbench in projects of other people: any layout, any way to start it, any name of a folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recbench.errors import RecbenchError
from recbench.progress.console import messages, write_message
from recbench.records import store
from recbench.registry.models import find_model
from recbench.registry.requested import request_models
from recbench.runners.processes.messages import Prepare
from recbench.text_encoding import READABLE, readable
from tests.project_layouts import FOLDERS, INSTALLS, NET, SHOP, STORE, below, write

COMMAND = ["-P", "-c", "from recbench.cli.app import main; main()"]
"""The command recbench, whose Python path does not begin with the working folder."""
MODULE = ["-m", "recbench"]
RUN = ["--task", "synthetic", "--seeds", "1"]

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

SCRIPT = "import recbench as rb\n"
TABLE = "print(rb.run({models}, 'synthetic', seeds=1, output='runs', quiet=True).table())\n"


def start(folder, *arguments, **environment):
    """Runs a program in a folder; returns what it wrote, and fails unless it ends well."""
    done = program(folder, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done


def program(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip


def models_of(done):
    """Returns the names in the rows of a table whose trials are done."""
    return [line.split()[0] for line in done.stdout.splitlines() if line.endswith(" done")]


OWN = {
    "models/__init__.py": "",
    "models/net.py": NET,
    "tests/__init__.py": "",
    "tests/helpers.py": "from models.net import Net\n",
    "recbench.py": NET,
    "json.py": NET,
    # Modules that a trial loads late, and two that the command line loads.
    **dict.fromkeys(
        ["scipy.py", "unittest.py", "filelock.py", "logging.py", "numpy.py"], "raise RuntimeError(__file__)"
    ),
    "bench.py": "import recbench.protocol\nfrom tests.helpers import Net\n\n\nclass Mine(Net):\n    pass\n",
}


def test_a_project_whose_files_are_called_like_modules_of_others(tmp_path):
    write(tmp_path, OWN)
    models = "bench.py:Mine,a=models.net:Net,b=recbench.py:Net,c=json.py:Net"
    assert models_of(start(tmp_path, *COMMAND, "run", "--models", models, *RUN)) == ["Mine", "a", "b", "c"]


def test_the_working_folder_hides_no_library_from_python_m(tmp_path):
    write(tmp_path, {name: text for name, text in OWN.items() if name != "recbench.py"})
    write(tmp_path, {"models.py": NET, "bench.py": NET})
    (tmp_path / "models").rename(tmp_path / "other")
    done = start(tmp_path, *MODULE, "run", "--models", "bench.py:Net,a=models:Net", *RUN)
    assert models_of(done) == ["Net", "a"]


def test_a_trial_runs_the_recbench_of_its_run(tmp_path):
    write(tmp_path, {"late/recbench.py": "raise RuntimeError", "late/net.py": NET})
    late = "import sys\n\nsys.path.insert(0, 'late')\nfrom net import Net\n\n\nclass Mine(Net):\n    pass\n\n\n"
    write(tmp_path, {"go.py": SCRIPT + late + TABLE.format(models="[Mine, Net]")})
    assert models_of(start(tmp_path, "go.py")) == ["Mine", "Net"]


SHARED = {
    "the module is hidden": ("recbench:Net", "the module 'recbench' has no class 'Net'. recbench.py is not imported"),
    "the module in it is hidden": ("json.inner:Net", "there is no module 'json.inner'. json is not imported"),
    "a name is not found": ("own.py:Net", "cannot import name 'Net' from 'recbench'"),
    "an attribute is not found": ("other.py:Net", "module 'json' has no attribute 'inner'"),
}
HINTS = {
    "recbench:Net": "Give the file instead of the module: recbench.py:Net",
    "json.inner:Net": "Give the file instead of the module: json/inner.py:Net",
    "own.py:Net": "recbench.py is not imported: 'recbench' is already the name of the module",
    "other.py:Net": "json is not imported: 'json' is already the name of a module of the standard library. Rename",
}


@pytest.mark.parametrize(("model", "message"), SHARED.values(), ids=SHARED)
def test_an_error_names_the_file_that_is_hidden(tmp_path, monkeypatch, model, message):
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"recbench.py": NET, "json/__init__.py": "", "json/inner.py": NET})
    write(tmp_path, {"own.py": "from recbench import Net", "other.py": "import json\n\njson.inner"})
    with pytest.raises(RecbenchError) as caught:
        find_model(model).load()
    assert message in caught.value.message
    assert caught.value.hint.startswith(HINTS[model])


def test_an_error_names_the_file_that_hides_a_package(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path])
    write(tmp_path, {"antigravity.py": "", "own.py": "from antigravity import Net"})
    with pytest.raises(RecbenchError, match="cannot import name 'Net' from 'antigravity'") as caught:
        find_model(f"{tmp_path}/own.py:Net").load()
    hidden = f"{tmp_path}/antigravity.py takes the place of the installed module 'antigravity'."
    assert caught.value.hint == f"{hidden} Rename your file."
    sys.modules.pop("antigravity")


def test_layouts_without_an_installation(tmp_path):
    write(tmp_path, below("src", {**SHOP, **STORE}))
    write(tmp_path, {name.replace("store", "flat"): text.replace("store", "flat") for name, text in STORE.items()})
    models = {
        "a": "src/shop/deep/up.py:Net",
        "b": "src/store/net.py:Net",
        "c": "src/store/deep/up.py:Net",
        "d": "flat/near.py:Net",
    }
    texts = ",".join(f"{label}={model}" for label, model in models.items())
    assert models_of(start(tmp_path, *COMMAND, "run", "--models", texts, *RUN)) == list(models)


def test_a_module_in_src_that_is_not_installed(tmp_path, monkeypatch):
    # Without the folders of other tests' projects.
    monkeypatch.setattr("sys.path", [folder for folder in sys.path if not Path(folder, "shop").exists()])
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        # Of another test's project.
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, below("src", SHOP))
    with pytest.raises(RecbenchError, match="there is no module 'shop'") as caught:
        find_model("shop.net:Net").load()
    assert caught.value.hint == "Give the file instead of the module: src/shop/net.py:Net"
    with pytest.raises(RecbenchError) as caught:
        find_model("shop.nett:Net").load()
    assert "Check the spelling of shop.nett" in caught.value.hint


@pytest.mark.parametrize("install", INSTALLS.values(), ids=INSTALLS)
def test_an_installed_project(tmp_path, install):
    project, site, hook = tmp_path / "project", tmp_path / "site", tmp_path / "hook"
    write(project, below("src", SHOP))
    install(project, site)
    write(hook, {"sitecustomize.py": f"import site\n\nsite.addsitedir({str(site)!r})\n"})
    path = os.pathsep.join(filter(None, [str(hook), os.environ.get("PYTHONPATH")]))
    models = "shop-net,a=src/shop/deep/up.py:Net"
    done = start(project, *COMMAND, "run", "--models", models, *RUN, PYTHONPATH=path)
    assert models_of(done) == ["shop-net", "a"]


OWN_CLASS = "from {net} import Net\n\n\nclass Mine(Net):\n    pass\n\n\n"
GUARD = "if __name__ == '__main__':\n    "
STARTS = {
    "a script": (["scripts/go.py"], {"scripts/go.py": SCRIPT + OWN_CLASS.format(net="net")}, ""),
    "python -m": (["-m", "shop.go"], {**SHOP, "shop/go.py": SCRIPT + OWN_CLASS.format(net=".net")}, ""),
    "a package": (
        ["-m", "shop"],
        {
            **SHOP,
            "shop/go.py": OWN_CLASS.format(net=".net"),
            "shop/__main__.py": SCRIPT + "from .go import Mine, Net\n",
        },
        GUARD,
    ),
}


@pytest.mark.parametrize(("arguments", "files", "guard"), STARTS.values(), ids=STARTS)
def test_a_program_of_the_project(tmp_path, arguments, files, guard):
    write(tmp_path, {"scripts/net.py": NET, **files})
    last = list(files)[-1]
    write(tmp_path, {last: files[last] + guard + TABLE.format(models="[Mine, Net]")})
    assert models_of(start(tmp_path, *arguments)) == ["Mine", "Net"]


@pytest.mark.parametrize("in_process", [False, True])
def test_a_file_that_starts_a_run_of_itself_when_it_is_imported(tmp_path, in_process):
    call = f"rb.run(['go.py:Net'], 'synthetic', seeds=1, in_process={in_process})\n"
    write(tmp_path, {"go.py": SCRIPT + NET + call})
    done = program(tmp_path, "go.py")
    assert done.returncode == 1
    assert "RecbenchError: go.py starts a run when it is imported" in done.stderr
    assert 'below the line: if __name__ == "__main__":' in done.stderr
    write(tmp_path, {"go.py": SCRIPT + NET + GUARD + call})
    start(tmp_path, "go.py")


@pytest.fixture(params=FOLDERS.values(), ids=FOLDERS)
def folder(request, tmp_path):
    """A project in a folder of that name."""
    path = tmp_path / request.param
    try:
        write(path, {**SHOP, "net.py": NET, "go.py": "import sys\n" + SCRIPT + OWN_CLASS.format(net="net") + GUARD})
    except (OSError, UnicodeError):
        pytest.skip("this file system refuses the name")
    return path


def test_a_folder_of_any_name(folder):
    home, runs = str(folder / "home"), str(folder / "all runs")
    ask = ["run", "--models", f"{folder}/shop/deep/up.py:Net,a=shop.net:Net", *RUN, "-o", runs]
    # From outside, with the path of one model and the module of another.
    write(folder.parent, SHOP)
    document = json.loads(start(folder.parent, *COMMAND, *ask, "--json", RECBENCH_HOME=home).stdout)
    assert [one["status"] for one in document["results"]] == ["done"] * 2
    record = store.load(Path(document["results"][0]["records"][0]))
    assert record.reference == f"{readable(str(folder))}/shop/deep/up.py:Net"
    # In another locale they are the same trials.
    again = start(folder.parent, *MODULE, *ask, "--in-process", RECBENCH_HOME=home, **ASCII)
    assert "2 of 2 trials are kept" in again.stderr
    with (folder / "go.py").open("a") as file:
        file.write(TABLE.format(models="[Mine]"))
        file.write("    print(rb.compare(sys.argv[1], 'runs').table('markdown'))\n")
    compared = start(folder, "go.py", runs, RECBENCH_HOME=home)
    assert models_of(compared) == ["Mine"]
    assert "recbench compare" in compared.stdout


def test_bytes_of_a_path_in_texts():
    path = "caf\udce9/net.py"
    assert path.encode("ascii", READABLE) == rb"caf\xe9/net.py"
    assert "é \ud800".encode("ascii", READABLE) == b"? ?"
    assert readable("a \ud800 b") == "a ? b"
    (requested,) = request_models([f"{path[:-3]}:Net"])
    prepare = Prepare.of(requested, 1.0)
    assert Prepare.from_json(prepare.to_json()) == prepare
    assert requested.reference.recorded == r"caf\xe9/net:Net"


def test_messages_show_the_bytes_of_a_path(capfd):
    # The console belongs to the standard error of an earlier test.
    messages.cache_clear()
    write_message("caf\udce9", None)
    messages.cache_clear()
    assert capfd.readouterr().err == "caf\\xe9\n"
