"""The types of the JSON documents of ``recbench baseline``; the documentation has a JSON Schema of each."""

from typing import Any

from typing_extensions import TypedDict

from recbench.cli.shared.document_types import Schema

Pair = tuple[float | None, float | None]


class AcceptedDocument(TypedDict):
    """What became of a configuration.

    Attributes:
        task: Name of the task.
        model: The configuration.
        seeds: Its accepted seeds.
        written: Records that were written.
        kept: Records that stayed as they were.
        removed: Records that were removed without others in their place.
    """

    task: str
    model: str
    seeds: int
    written: int
    kept: int
    removed: int


_Figures = TypedDict("_Figures", {"hr@10": Pair, "ndcg@10": Pair})


class ChangeDocument(AcceptedDocument, _Figures):
    """What became of a configuration, and its figures before and after."""


class AcceptanceDocument(TypedDict):
    """What ``baseline accept --json`` prints.

    Attributes:
        schema: Version of the document.
        label: The label of the baseline.
        changes: What became of each configuration.
    """

    schema: Schema
    label: str
    changes: list[ChangeDocument]


class BaselinesDocument(TypedDict):
    """What ``baseline list --json`` prints.

    Attributes:
        schema: Version of the document.
        baselines: The accepted configurations: ``task``, ``label``, ``model``, ``seeds``, ``revision``, and each metric
            of ``--metrics`` by its name.
    """

    schema: Schema
    baselines: list[dict[str, Any]]
