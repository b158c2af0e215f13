"""The documents of ``--json`` have the keys and types of their schemas."""

import json

import pytest

from recbench.cli import doctor
from tests.command_line import CommandLine
from tests.examples import some_trials, write
from tests.reference_schemas import LISTINGS, assert_fits
from tests.test_reference import DOCS, SCHEMAS


@pytest.fixture
def printed(tmp_path, monkeypatch, capfd):
    """Returns the document that a verb prints in a project with a run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECBENCH_HOME", str(tmp_path / "home"))
    # The frameworks would be imported, each in a process of its own.
    monkeypatch.setattr(doctor, "_try_import", lambda *_: {"version": None, "result": "no", "seconds": None})
    (tmp_path / "ratings.csv").write_text("user,item,rating,timestamp\na,x,5,10\nb,y,3,20\n")
    write(tmp_path / "runs", some_trials("bpr", seeds=1, n=60))
    command = CommandLine(capfd, monkeypatch)

    def document(verb):
        further = {
            "baseline accept": ["runs", "--force"],
            "clean": ["--older-than", "0d", "--own"],
            "run --dry-run": ["--models", "popularity", "--task", "synthetic"],
            "data info": ["ratings.csv"],
            "env remove": ["cornac"],
            "selftest": ["--task", "synthetic"],
            "task show": ["synthetic"],
        }.get(verb, [])
        done = command(*verb.split(), *further, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    return document


def test_listings_have_the_keys_and_types_of_their_schemas(printed):
    # The task is built first, and the cache is cleaned last.
    order = ["run --dry-run", *(verb for verb in LISTINGS if verb not in ("run --dry-run", "clean")), "clean"]
    for verb in order:
        document = printed(verb)
        assert_fits(verb, document)
        content = [value for value in document.values() if isinstance(value, list)]
        assert all(content) or verb == "clean", verb


def test_every_schema_is_named_in_the_documentation():
    page = (DOCS / "reference" / "json-documents.md").read_text("utf-8")
    named = {path.name for path in SCHEMAS.iterdir() if f"(schemas/{path.name})" in page}
    assert named == {path.name for path in SCHEMAS.iterdir()} - {"record.schema.json"}
