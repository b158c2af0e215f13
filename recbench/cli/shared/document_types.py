"""The types of the JSON documents that listing verbs print; the documentation has a JSON Schema of each."""

from typing import Literal

from typing_extensions import TypedDict

from recbench.records.schema import ParameterValue
from recbench.reports.run.document_types import TaskDocument

Schema = Literal[1]


class PlannedDocument(TypedDict):
    """A trial that would run.

    Attributes:
        model: The configuration.
        seed: Its seed.
        params: Its hyper-parameters.
    """

    model: str
    seed: int
    params: dict[str, ParameterValue]


class PlanDocument(TypedDict):
    """What ``run --dry-run --json`` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        plan: The trials, in their order.
    """

    schema: Schema
    task: TaskDocument
    plan: list[PlannedDocument]


class ModelDocument(TypedDict):
    """A model.

    Attributes:
        model: Its name.
        target: Its class, as ``package.module:Class`` or ``file.py:Class``.
        origin: Where its name comes from.
        summary: First line of its docstring.
        params: Its hyper-parameters and their defaults, as written in the source.
        missing: Packages that it needs and that are not installed.
    """

    model: str
    target: str
    origin: str
    summary: str
    params: dict[str, str]
    missing: list[str]


class ModelsDocument(TypedDict):
    """What ``list --json`` prints.

    Attributes:
        schema: Version of the document.
        models: The models.
    """

    schema: Schema
    models: list[ModelDocument]


class ListedTaskDocument(TypedDict):
    """A task.

    Attributes:
        name: Its name.
        kind: ``builtin`` or ``own``.
        built: Whether it is in the cache.
        bytes: Size of its files in the cache.
        description: What it is.
    """

    name: str
    kind: str
    built: bool
    bytes: int
    description: str


class TasksDocument(TypedDict):
    """What ``task list --json`` prints.

    Attributes:
        schema: Version of the document.
        cache: Folder of the cache.
        cache_bytes: Size of the cache.
        tasks: The tasks.
    """

    schema: Schema
    cache: str
    cache_bytes: int
    tasks: list[ListedTaskDocument]


class DatasetDocument(TypedDict):
    """A dataset.

    Attributes:
        name: Its name.
        title: Its title.
        rows: Number of ratings; null if unknown.
        users: Number of users; null if unknown.
        items: Number of items; null if unknown.
        fetched: Whether its files are in the cache.
        bytes: Size of its files in the cache.
    """

    name: str
    title: str
    rows: int | None
    users: int | None
    items: int | None
    fetched: bool
    bytes: int


class DatasetsDocument(TypedDict):
    """What ``data list --json`` prints.

    Attributes:
        schema: Version of the document.
        cache: Folder of the cache.
        datasets: The datasets.
    """

    schema: Schema
    cache: str
    datasets: list[DatasetDocument]


class CitationDocument(TypedDict):
    """What to cite, and how.

    Attributes:
        subject: What it is.
        bibtex: The BibTeX entry; null if recbench knows none.
        text: The reference as plain text, or why there is none.
    """

    subject: str
    bibtex: str | None
    text: str


class CitationsDocument(TypedDict):
    """What ``cite --json`` prints.

    Attributes:
        schema: Version of the document.
        citations: The citations.
    """

    schema: Schema
    citations: list[CitationDocument]


class CachedFileDocument(TypedDict):
    """A file of the cache.

    Attributes:
        kind: What it is, such as a task.
        name: Name of the task or dataset.
        path: Its path.
        bytes: Its size.
        last_used: When it was last used, in seconds since 1970.
    """

    kind: str
    name: str
    path: str
    bytes: int
    last_used: float


class KeptFileDocument(CachedFileDocument):
    """A file that was kept.

    Attributes:
        reason: Why it was kept.
    """

    reason: str


class CleaningDocument(TypedDict):
    """What ``clean --json`` prints.

    Attributes:
        schema: Version of the document.
        cache: Folder of the cache.
        dry_run: Whether nothing was removed.
        bytes: Size of the removed files.
        removed: The removed files; with ``dry_run`` those that would be removed.
        kept: The other files.
    """

    schema: Schema
    cache: str
    dry_run: bool
    bytes: int
    removed: list[CachedFileDocument]
    kept: list[KeptFileDocument]


class ListedSuiteDocument(TypedDict):
    """A suite.

    Attributes:
        name: Its name.
        description: One line.
        tasks: Its tasks.
        models: The models that it runs by default.
        metric: The metric that ranks models.
        seeds: Seeds of each model.
    """

    name: str
    description: str
    tasks: list[str]
    models: list[str]
    metric: str
    seeds: int


class SuitesDocument(TypedDict):
    """What ``suite list --json`` prints.

    Attributes:
        schema: Version of the document.
        suites: The suites.
    """

    schema: Schema
    suites: list[ListedSuiteDocument]


class LintDocument(TypedDict):
    """What ``suite lint --json`` prints.

    Attributes:
        schema: Version of the document.
        problems: One line for each problem; empty if there is none.
    """

    schema: Schema
    problems: list[str]
