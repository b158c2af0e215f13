"""Short tables of the reference: fields of a policy and of a record, metrics, builtin tasks, datasets."""

from typing import Any

import tomli_w

from recbench.data.catalogue import catalogue
from recbench.data.readers.layout import ALIASES, Form
from recbench.evaluation.metric_names import builtin_metrics, find_metric
from recbench.records.schema import Record
from recbench.reports.compare.policy import Policy
from recbench.tasks.named_specs import builtin_specs
from tests.documented_attributes import attributes
from tests.generated_parts import code, plain, table

FORMS = {
    Form.DELIMITED: "fields with a separator between: CSV, TSV, atomic files of RecBole, plain pairs",
    Form.PARQUET: "Parquet",
    Form.JSON_LINES: "one JSON object per line, as in the Amazon reviews",
    Form.PYTHON_LINES: "one Python dict per line, as in the Steam reviews",
    Form.ADJACENCY: "one user per line and all items of the user, with blanks between, as in LightGCN's files",
    Form.COUNTED_LISTS: "a number and so many items per line, as in CiteULike; the user is the line's number, from 0",
}


def policy_fields() -> str:
    """Returns the fields of a policy with their defaults."""
    meanings = attributes(Policy)
    rows = [
        [code(name), code(_toml(field.get_default())), plain(meanings[name])]
        for name, field in Policy.model_fields.items()
    ]
    return table(["field", "default", "meaning"], rows)


def record_fields() -> str:
    """Returns the fields of a record."""
    meanings = attributes(Record)
    rows = [[code(field.alias or name), plain(meanings[name])] for name, field in Record.model_fields.items()]
    return table(["field", "meaning"], rows)


def metric_names() -> str:
    """Returns the metrics: what they are of, and whether they take a cut-off."""
    metrics = [find_metric(name) for name in builtin_metrics()]
    rows = [
        [
            code(f"{metric.name}@K" if metric.takes_k else metric.name),
            metric.label,
            "user" if metric.per_user else "case",
            "yes" if metric.gains else "no",
        ]
        for metric in metrics
    ]
    return table(["name", "in tables", "one value per", "corrected for sampling"], rows)


def datasets() -> str:
    """Returns the datasets of the catalogue."""
    rows = [
        [
            code(name),
            f"[{dataset.title}]({dataset.homepage})",
            *("" if count is None else f"{count:,}" for count in (dataset.rows, dataset.users, dataset.items)),
            " and ".join([*["ratings"] * dataset.has_ratings, *["times"] * dataset.has_timestamps]),
            dataset.licence,
        ]
        for name, dataset in catalogue().items()
    ]
    return table(["name", "dataset", "rows", "users", "items", "has", "licence"], rows)


def forms() -> str:
    """Returns the forms of files of ratings."""
    return table(["form", "content"], [[code(form), FORMS[form]] for form in Form])


def columns() -> str:
    """Returns the names by which columns are found."""
    return table(["column", "headers"], [[role, ", ".join(map(code, names))] for role, names in ALIASES.items()])


def builtin_tasks() -> str:
    """Returns the builtin tasks."""
    rows = [[code(name), spec.description, code((spec.digest or "")[:19])] for name, spec in builtin_specs().items()]
    return table(["task", "rules", "digest"], rows)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return tomli_w.dumps({"x": value}).partition("= ")[2].strip()
