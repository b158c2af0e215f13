"""The datasets that are known by name."""

import re
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from recbench.data.readers.layout import Layout
from recbench.errors import unknown_name
from recbench.toml_file import TomlKind

Checksum = Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Count = Literal["rows", "users", "items"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArchiveSource(_Frozen):
    """A zip archive at an address."""

    kind: Literal["archive"]
    url: str
    checksum: Checksum | None = None
    member: str
    header: bool = False


class FileSource(_Frozen):
    """The file itself at an address."""

    kind: Literal["file"]
    url: str
    checksum: Checksum | None = None


class WheelSource(_Frozen):
    """A wheel on the Python package index that happens to carry the rows; it is read, never installed."""

    kind: Literal["wheel"]
    requirement: str
    member: str
    header: bool = False


Source = Annotated[ArchiveSource | FileSource | WheelSource, Field(discriminator="kind")]


class DataFile(_Frozen):
    """One file of a dataset.

    Attributes:
        name: Its name in the cache: the name of the published file, if it has one.
        holds: Rows, or lists of candidates that belong to them.
        sha256: Checksum of its rows, without any header line that a mirror puts before them.
        md5: The same, where that is what was published.
        sources: Where it can be had, in the order in which they are tried.
    """

    name: str
    holds: Literal["rows", "candidates"] = "rows"
    sha256: str | None = None
    md5: str | None = None
    sources: tuple[Source, ...]


class PublishedTask(_Frozen):
    """The published split that a dataset consists of.

    Attributes:
        form: The verb of ``recbench task import`` that reads it.
        waivers: The rules of a task that its published candidates break.
    """

    form: Literal["ncf", "lightgcn"]
    waivers: tuple[str, ...] = ()


class Dataset(_Frozen):
    """One entry of the catalogue.

    Attributes:
        title: Its usual name.
        homepage: Where its authors describe it.
        licence: The terms in a few words.
        citation: Key of ``citations.bib``.
        terms: Licence terms, shown at the first fetch.
        rows: Number of rows in all files, as published; None if it is not published.
        users: Number of users in them.
        items: Number of items in them.
        checked: Which of these counts the files must have; others count what is not in the files, such as items that
            nobody rated.
        layout: How the files with rows are to be read.
        split: The published split that the files are; None if they are ratings without a split.
        files: The files.
    """

    title: str
    homepage: str
    licence: str
    citation: str
    terms: str
    rows: int | None = None
    users: int | None = None
    items: int | None = None
    checked: tuple[Count, ...] = ("rows", "users", "items")
    layout: Layout
    split: PublishedTask | None = None
    files: tuple[DataFile, ...]

    @property
    def has_ratings(self) -> bool:
        """Whether the rows have ratings or counts."""
        return bool(self.layout.rating)

    @property
    def has_timestamps(self) -> bool:
        """Whether the rows have times."""
        return bool(self.layout.timestamp)

    def expected(self) -> dict[Count, int]:
        """Returns the counts that the files must have."""
        counts: dict[Count, int | None] = {"rows": self.rows, "users": self.users, "items": self.items}
        return {name: value for name, value in counts.items() if value is not None and name in self.checked}


@cache
def catalogue() -> dict[str, Dataset]:
    """Returns every entry by its name."""
    content = TomlKind("dataset catalogue").parse(_resource("catalogue.toml"), "catalogue.toml")
    return TypeAdapter(dict[str, Dataset]).validate_python(content)


@cache
def citations() -> dict[str, str]:
    """Returns the BibTeX entries by their keys."""
    entries = re.split(r"\n(?=@)", _resource("citations.bib").strip())
    return {entry[entry.index("{") + 1 : entry.index(",")]: entry.strip() for entry in entries}


def find_dataset(name: str) -> Dataset:
    """Returns the entry ``name``.

    Raises:
        RecbenchError: There is none; the message names the nearest.
    """
    try:
        return catalogue()[name]
    except KeyError:
        raise unknown_name(
            "dataset",
            name,
            catalogue(),
            "A file of your own: 'recbench task build NAME --ratings FILE'.",
        ) from None


def _resource(name: str) -> str:
    return resources.files("recbench.data").joinpath(name).read_text(encoding="utf-8")
