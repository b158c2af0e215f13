"""How many rows, users and items of the data a task keeps."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=0)]


class Counts(BaseModel):
    """Counts of some interactions.

    Attributes:
        rows: Rows.
        users: Users with a row.
        items: Items with a row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Count
    users: Count
    items: Count


class Kept(BaseModel):
    """What the filters and the split keep of the data.

    Attributes:
        read: Counts of the data, before the filters.
        kept: Counts of the task, train rows and cases together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: Counts
    kept: Counts

    @model_validator(mode="after")
    def _no_more_than_read(self) -> Self:
        for name in Counts.model_fields:
            if getattr(self.kept, name) > getattr(self.read, name):
                raise ValueError(f"the task has more {name} than the data")
        return self


def kept_line(kept: Kept) -> str:
    """Returns the shares of the data that a task keeps, and what they mean, as one line."""
    shares = [_part(name, getattr(kept.kept, name), getattr(kept.read, name)) for name in Counts.model_fields]
    return (
        f"The filters and the split keep {shares[0]}, {shares[1]} and {shares[2]}. The figures hold for these users "
        "and items only: a strict filter can keep few of them (a k-core can leave only 2 %), and another model may be "
        "best for the others."
    )


def _part(name: str, kept: int, read: int) -> str:
    share = f" ({kept / read:.1%})" if read else ""
    return f"{kept:,} of {read:,} {name}{share}"
