"""The notebooks of ``examples``: every cell runs, and shows what the stored notebook shows."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT
from tests.documented_examples import same

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def results(cell):
    """The outputs of a cell, without its messages, which name the machine's folders."""
    return [output for output in cell.get("outputs", ()) if output.get("name") != "stderr"]


def shown(cell):
    """What a cell shows, as plain text."""
    return "\n".join(output.get("text") or output["data"]["text/plain"] for output in results(cell))


def stable(notebook):
    """Drops what differs from run to run and is not compared: messages, times of cells, and the HTML of tables."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = results(cell)
            for output in cell.outputs:
                output.get("data", {}).pop("text/html", None)
    return notebook


def test_there_are_three_notebooks():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_stores(path, tmp_path, monkeypatch, request):
    monkeypatch.setenv("RECBENCH_HOME", str(tmp_path / "home"))
    # The kernel runs beside the notebook, where only an installed recbench can be imported.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    (folder := tmp_path / "work").mkdir()
    stored = nbformat.read(path, as_version=4)
    ran = NotebookClient(
        nbformat.read(path, as_version=4), timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()
    if request.config.getoption("--accept-golden"):
        nbformat.write(stable(ran), path)
        return
    for expected, actual in zip(stored.cells, ran.cells, strict=True):
        assert same(shown(expected), shown(actual)), f"{actual.source}\n\n{shown(actual)}"
