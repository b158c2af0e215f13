"""The data sets that are known by name."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from recbench.data.layout import Layout
from recbench.errors import unknown_name


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArchiveSource(_Frozen):
    """A zip archive at an address."""

    kind: Literal["archive"]
    url: str
    md5: str
    member: str
    header: bool = False


class WheelSource(_Frozen):
    """A wheel on the Python package index that happens to carry the rows; it is read, never installed."""

    kind: Literal["wheel"]
    requirement: str
    member: str
    header: bool = False


Source = Annotated[ArchiveSource | WheelSource, Field(discriminator="kind")]


class Dataset(_Frozen):
    """One entry of the catalogue.

    Attributes:
        title: Its usual name.
        homepage: Where its authors describe it.
        terms: Licence terms, shown at the first fetch.
        columns: What the columns of the rows hold, in their order.
        separator: What stands between two columns.
        sha256: Checksum of the rows, without any header line.
        rows: Number of rows.
        users: Number of users in the rows.
        items: Number of items in the rows.
        sources: Where it can be had, in the order in which they are tried.
    """

    title: str
    homepage: str
    terms: str
    columns: tuple[Literal["user", "item", "rating", "timestamp"], ...]
    separator: str
    sha256: str
    rows: int
    users: int
    items: int
    sources: tuple[Source, ...]

    def layout(self) -> Layout:
        """Returns how the rows are to be read."""
        positions = {role: str(number) for number, role in enumerate(self.columns, start=1)}
        return Layout(**positions, separator=self.separator)  # type: ignore[arg-type]


@cache
def catalogue() -> dict[str, Dataset]:
    """Returns every entry by its name."""
    text = resources.files("recbench.data").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Dataset]).validate_python(tomllib.loads(text))


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
