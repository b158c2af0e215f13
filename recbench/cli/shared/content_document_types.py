"""The types of the JSON documents of ``task show`` and ``data info``; the documentation has a JSON Schema of each."""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from recbench.cli.shared.document_types import Schema
from recbench.data.statistics import Statistics
from recbench.reports.run.document_types import TaskDocument
from recbench.tasks.leakage import Leakage


class ShownTaskDocument(TypedDict):
    """What ``task show --json`` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        train: Figures of its train rows.
        leakage: Shares of cases and train rows that leak, 0 to 1; null for shares that need times, if there are none.
    """

    schema: Schema
    task: TaskDocument
    train: Statistics
    leakage: Leakage


class DatasetFactsDocument(TypedDict):
    """A dataset or a ratings file. A field is missing if nothing is known about it.

    Attributes:
        name: Name of the dataset, or path of the file.
        title: Its title.
        homepage: Where its authors describe it.
        licence: Its licence in a few words.
        rows: Number of rows, as published; null if it is not published.
        users: Number of users, as published.
        items: Number of items, as published.
        files: Its files in the cache.
        fetched: Whether its files are in the cache.
        terms: Its licence terms.
        defaults: The parameters of the generator, for ``synthetic``.
        citation: The BibTeX entry; null if there is none.
        duplicates: Rows that repeat a (user, item) pair.
        ratings: Whether it has ratings.
        timestamps: The first and the last time, in seconds since 1970; null without times.
        statistics: Figures of its rows; only if its rows are at hand.
    """

    name: str
    title: NotRequired[str]
    homepage: NotRequired[str]
    licence: NotRequired[str]
    rows: NotRequired[int | None]
    users: NotRequired[int | None]
    items: NotRequired[int | None]
    files: NotRequired[list[str]]
    fetched: NotRequired[bool]
    terms: NotRequired[str]
    defaults: NotRequired[dict[str, Any]]
    citation: str | None
    duplicates: NotRequired[int]
    ratings: NotRequired[bool]
    timestamps: NotRequired[list[int] | None]
    statistics: NotRequired[Statistics]


class DatasetInfoDocument(TypedDict):
    """What ``data info --json`` prints.

    Attributes:
        schema: Version of the document.
        dataset: The dataset or the file.
    """

    schema: Schema
    dataset: DatasetFactsDocument
