"""The JSON Schemas of the documentation, from the types of the code."""

import inspect
import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter

from recbench.cli.shared import baseline_document_types as baseline_types
from recbench.cli.shared import check_document_types as check_types
from recbench.cli.shared import commit_document_types as commit_types
from recbench.cli.shared import content_document_types as content_types
from recbench.cli.shared import document_types as listing_types
from recbench.cli.shared import environment_document_types as environment_types
from recbench.data import statistics as statistics_types
from recbench.records import schema as record_schema
from recbench.records.schema import Record
from recbench.records.sources import Sources
from recbench.reports import document_types as shared_types
from recbench.reports import history_document_types as history_types
from recbench.reports.compare import document_types as compare_types
from recbench.reports.compare.document_types import ABDocument, CompareDocument, GateDocument
from recbench.reports.run import document_types as run_types
from recbench.reports.run import replica_document_types as replica_types
from recbench.reports.run.document_types import ReportDocument, RunDocument
from recbench.reports.run.replica_document_types import ReplicasDocument
from recbench.reports.suite import document_types as suite_types
from recbench.reports.suite.document_types import SuiteDocument
from recbench.reports.sweep import document_types as sweep_types
from recbench.reports.tuning import document_types as tuning_types
from recbench.tasks import leakage as leakage_types
from tests.documented_attributes import attributes, sections

DIALECT = "https://json-schema.org/draft/2020-12/schema"

LISTINGS = {
    "baseline accept": baseline_types.AcceptanceDocument,
    "baseline list": baseline_types.BaselinesDocument,
    "cite": listing_types.CitationsDocument,
    "clean": listing_types.CleaningDocument,
    "data info": content_types.DatasetInfoDocument,
    "data list": listing_types.DatasetsDocument,
    "doctor": check_types.DoctorDocument,
    "env list": environment_types.EnvironmentsDocument,
    "env remove": environment_types.RemovedEnvironmentDocument,
    "list": listing_types.ModelsDocument,
    "run --dry-run": listing_types.PlanDocument,
    "selftest": check_types.SelftestDocument,
    "suite list": listing_types.SuitesDocument,
    "task list": listing_types.TasksDocument,
    "task show": content_types.ShownTaskDocument,
}
"""The type of the document of each verb that lists something, or says what it did."""


REPORTS = {
    "backfill": commit_types.BackfillDocument,
    "backfill --dry-run": commit_types.BackfillPlanDocument,
    "bisect": commit_types.BisectDocument,
    "env create": environment_types.CreatedEnvironmentDocument,
    "env doctor": environment_types.CheckedEnvironmentsDocument,
    "history": history_types.HistoryDocument,
    "sweep": sweep_types.SweepDocument,
    "tune": tuning_types.TuningDocument,
}
"""The type of the document of each verb that needs trials or environments of other frameworks."""

TYPES = [
    listing_types, baseline_types, check_types, commit_types, content_types, environment_types, history_types,
    sweep_types, tuning_types, run_types, shared_types, record_schema, leakage_types, statistics_types,
]  # fmt: skip
"""Modules whose docstrings describe the fields."""


def schema_files() -> dict[str, str]:
    """Returns the text of each schema file, by its name."""
    return {
        "record.schema.json": _text("A record of recbench", Record, [record_schema, Sources]),
        "run.schema.json": _text("The document of `recbench run --json`", RunDocument, [run_types, record_schema]),
        "report.schema.json": _text(
            "The JSON file of a task in the page of `recbench report`", ReportDocument, [run_types, record_schema]
        ),
        "run-replicas.schema.json": _text(
            "The document of `recbench run --json` on a task with replicas",
            ReplicasDocument,
            [replica_types, run_types, record_schema],
        ),
        "compare.schema.json": _text(
            "The document of `recbench compare --json`", CompareDocument, [compare_types, record_schema]
        ),
        "gate.schema.json": _text(
            "The document of `recbench gate --json`", GateDocument, [compare_types, record_schema]
        ),
        "suite.schema.json": _text("The document of `recbench suite report --json`", SuiteDocument, [suite_types]),
        "suite-lint.schema.json": _text("The document of `recbench suite lint --json`", listing_types.LintDocument, []),
        "ab.schema.json": _text("The document of `recbench ab --json`", ABDocument, [compare_types, record_schema]),
        **{
            f"{file_stem(verb)}.schema.json": _text(f"The document of `recbench {verb} --json`", of, TYPES)
            for verb, of in {**LISTINGS, **REPORTS}.items()
        },
    }


def assert_fits(verb: str, document: dict[str, Any]) -> None:
    """Checks that a document has the keys and types of its schema."""
    adapter = TypeAdapter({**LISTINGS, **REPORTS}[verb])
    # Keys that the type does not name would be missing in what is written again.
    read = adapter.validate_json(json.dumps(document), strict=True)
    assert document == json.loads(adapter.dump_json(read)), verb


def file_stem(verb: str) -> str:
    """Returns the name of a schema without its ending, such as ``run-dry-run``."""
    return verb.replace(" --", "-").replace(" ", "-")


def _text(title: str, of: type, modules_and_classes: Iterable[Any]) -> str:
    schema = {"$schema": DIALECT, **TypeAdapter(of).json_schema(by_alias=True, mode="validation")}
    documented = {cls.__name__: cls for cls in _classes([of, *modules_and_classes])}
    for name, part in {of.__name__: schema, **schema.get("$defs", {})}.items():
        if name in documented:
            _describe(part, documented[name])
    return json.dumps({**_canonical(schema), "title": title}, indent=1, sort_keys=True) + "\n"


def _canonical(part: Any) -> Any:
    """Returns a part in the form of every version of pydantic, without the titles that it makes from names."""
    if isinstance(part, list):
        return [_canonical(item) for item in part]
    if isinstance(part, float) and part.is_integer():
        return int(part)
    if not isinstance(part, dict):
        return part
    if len(part.get("allOf", ())) == 1:
        part = {**part, **part["allOf"][0]}
    needless = {name for name, value in part.items() if name == "title" and isinstance(value, str)}
    needless |= {"enum"} if "const" in part else set()
    needless |= {"allOf"} if "$ref" in part else set()
    needless |= {"additionalProperties"} if part.get("additionalProperties") is True else set()
    return {name: _canonical(value) for name, value in part.items() if name not in needless}


def _classes(modules_and_classes: Iterable[Any]) -> list[type]:
    inside = [member for module in modules_and_classes if inspect.ismodule(module) for member in vars(module).values()]
    return [cls for cls in [*inside, *modules_and_classes] if inspect.isclass(cls)]


def _describe(part: dict[str, Any], documented: type) -> None:
    """Gives a part of a schema, and its properties, the words of a class's docstring."""
    if issubclass(documented, BaseModel) or "properties" in part:
        fields = {field.alias or name: name for name, field in getattr(documented, "model_fields", {}).items()}
        meanings = _meanings(documented)
        part["description"] = sections(inspect.getdoc(documented) or "", "Attributes")[0].replace("``", "`")
        for name, property_schema in part.get("properties", {}).items():
            if meaning := meanings.get(fields.get(name, name)):
                property_schema["description"] = meaning.replace("``", "`")


def _meanings(documented: type) -> dict[str, str]:
    """Returns the meaning of each attribute of a class and of the classes that it extends."""
    bases = [base for base in getattr(documented, "__orig_bases__", ()) if inspect.isclass(base)]
    inherited = {name: text for base in bases for name, text in _meanings(base).items()}
    return {**inherited, **attributes(documented)}
