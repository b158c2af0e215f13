"""The parts of the documentation that are made from the code, and the JSON documents that the schemas describe."""

import json
import re
import tomllib
from typing import get_args

import pytest
import typer
from pydantic import TypeAdapter

from recbench.cli.app import app
from recbench.cli.shared.terminal import ExitCode
from recbench.evaluation.metric_names import builtin_metrics, find_metric
from recbench.operating_system.guarantees import Guarantee
from recbench.records.ranks_file import RANK_ARRAYS
from recbench.records.schema import Record, Status
from recbench.reports.compare.document_types import CompareDocument, GateDocument
from recbench.reports.compare.gate import GateOutcome
from recbench.reports.compare.sanity_checks import CheckName
from recbench.reports.compare.verdict import Verdict
from recbench.reports.run.document_types import RunDocument
from recbench.tasks.exchange.forms import Order, TooFew
from recbench.tasks.spec import Repeated, Split, Waiver, Weights
from recbench.testing import synthetic_task
from tests.conftest import ROOT
from tests.generated_parts import names_of_parts, with_current_parts
from tests.golden_files import GOLDEN
from tests.reference_command_line import command_line
from tests.reference_models import builtin_models
from tests.reference_schemas import schema_files
from tests.reference_tables import builtin_tasks, columns, datasets, forms, metric_names, policy_fields, record_fields

DOCS = ROOT / "docs"
SCHEMAS = DOCS / "reference" / "schemas"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
SPLITS = [get_args(split.model_fields["method"].annotation)[0] for split in get_args(Split)]
ARGUMENT = typer.main.get_command(app).commands["gate"].params[0]
GENERATORS = {
    "builtin-models": builtin_models,
    "builtin-tasks": builtin_tasks,
    "columns": columns,
    "command-line": command_line,
    "datasets": datasets,
    "forms": forms,
    "metrics": metric_names,
    "policy": policy_fields,
    "record": record_fields,
}


@pytest.mark.skipif(ARGUMENT.help is None, reason="this version of typer loses the help of arguments")
def test_generated_parts_of_pages_are_current(request):
    pages = {path: path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
    assert sorted(name for text in pages.values() for name in names_of_parts(text)) == sorted(GENERATORS)
    check_current({path: with_current_parts(text, GENERATORS) for path, text in pages.items()}, request)


def test_json_schemas_are_current(request):
    check_current({SCHEMAS / name: text for name, text in schema_files().items()}, request)
    assert {path.name for path in SCHEMAS.iterdir()} == set(schema_files())


def check_current(expected, request):
    if request.config.getoption("--accept-golden"):
        for path, text in expected.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
    outdated = [
        path.relative_to(ROOT).as_posix()
        for path, text in expected.items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    assert not outdated, "Make these files again: pytest tests/test_reference.py --accept-golden"


@pytest.mark.parametrize(
    ("name", "of"), [("run.json", RunDocument), ("compare.json", CompareDocument), ("gate.json", GateDocument)]
)
def test_documents_have_the_keys_and_types_of_their_schema(name, of):
    document = json.loads((GOLDEN / name).read_text("utf-8"))
    if "task" in document:
        # The golden document is of a task that holds less.
        document["task"] = json.loads(json.dumps(synthetic_task().summary()))
    adapter = TypeAdapter(of)
    # Keys that the type does not name would be missing in the second.
    assert document == adapter.dump_python(adapter.validate_python(document), mode="json")


def test_a_record_has_the_fields_of_its_schema():
    path = min((ROOT / "results" / "baselines").rglob("*seed0.json"))
    fields = json.loads(path.read_text("utf-8")).keys()
    schema = json.loads((SCHEMAS / "record.schema.json").read_text("utf-8"))
    assert fields <= schema["properties"].keys()
    assert set(schema["required"]) <= fields
    assert not schema["additionalProperties"]
    # Each field says what it is.
    assert not [name for name, field in schema["properties"].items() if "description" not in field]
    assert Record.model_validate_json(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("exit-codes.md", [str(int(code)) for code in ExitCode]),
        ("platforms.md", [*Guarantee, *EXTRAS]),
        ("policy.md", [*Verdict, *CheckName, *GateOutcome]),
        ("records.md", [*Status, *RANK_ARRAYS]),
        ("tasks.md", [*Waiver, *Repeated, *Weights, *Order, *TooFew, *SPLITS]),
        ("metrics.md", [find_metric(name).label for name in builtin_metrics()]),
    ],
)
def test_pages_name_every_member_of_a_closed_vocabulary(page, words):
    text = (DOCS / "reference" / page).read_text("utf-8")
    assert [word for word in words if not re.search(rf"(?<![\w-]){re.escape(str(word))}(?![\w-])", text)] == []
