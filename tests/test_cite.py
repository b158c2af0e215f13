"""How to cite recbench and the dataset of a task."""

import json

import yaml

import recbench
from recbench.data.bibliography import plain_text
from recbench.data.catalogue import catalogue, citations
from recbench.experiments.citations import RECBENCH, cite
from tests.command_line import CommandLine
from tests.conftest import ROOT


def test_each_dataset_has_a_reference_without_markup():
    for dataset in catalogue().values():
        text = plain_text(citations()[dataset.citation])
        assert not set(text) & set("{}\\@"), text
    assert plain_text(citations()["harper2015movielens"]) == (
        "F. Maxwell Harper and Joseph A. Konstan. The MovieLens Datasets: History and Context. "
        "ACM Transactions on Interactive Intelligent Systems, 5(4), 19:1–19:19, 2015. doi:10.1145/2827872."
    )
    assert plain_text(citations()["cantador2011hetrec"]).startswith("Iván Cantador, Peter Brusilovsky and Tsvi Kuflik.")


def test_what_is_known_of_the_source_is_cited(tmp_path, monkeypatch):
    monkeypatch.setenv("RECBENCH_HOME", str(tmp_path / "home"))
    spec = """name = "mine"\ndataset = { source = "%s" }\nsplit = { method = "leave-one-out" }
negatives = { method = "uniform", count = 100, seed = 0 }"""
    (tmp_path / "frame.toml").write_text(spec % "dataframe")
    (tmp_path / "made.toml").write_text(spec % "synthetic")
    (tmp_path / "published.toml").write_text(spec % 'published", form = "ncf')
    texts = {path.stem: cite(path)[1].text for path in tmp_path.glob("*.toml")}
    texts["loo"] = cite("ml-100k-loo")[1].text
    assert texts["loo"] == plain_text(citations()["harper2015movielens"])
    assert texts["published"] == plain_text(citations()["he2017ncf"])
    assert "cite recbench" in texts["made"]
    assert "cite their source" in texts["frame"]
    assert len(cite()) == 1


def test_the_verb_prints_a_file_for_bibtex(capfd, monkeypatch):
    recbench_program = CommandLine(capfd, monkeypatch)
    printed = recbench_program("cite", "--task", "ml-100k-loo").out
    outside = [line for line in printed.splitlines() if not line.startswith((" ", "@", "}")) and line]
    assert [line[:2] for line in outside] == ["% ", "% "]
    assert "(at)" not in printed
    assert RECBENCH in printed
    assert citations()["harper2015movielens"] in printed
    references = json.loads(recbench_program("cite", "--task", "synthetic", "--json").out)["citations"]
    assert [citation["bibtex"] for citation in references] == [RECBENCH, None]
    assert recbench_program("cite", "--task", "nothing").code == 2


def test_the_citation_file_says_the_same():
    file = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert file["version"] == recbench.__version__
    assert plain_text(RECBENCH).startswith(f"{file['authors'][0]['name']}. {file['title']}. Software, version")
    assert str(file["date-released"]).startswith(RECBENCH.split("year         = {")[1][:4])
    assert file["license"] == "MIT"
