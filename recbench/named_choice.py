"""Choices with names: what an unknown name raises."""

from enum import StrEnum
from typing import Never

from recbench.errors import unknown_name


class NamedChoice(StrEnum):
    """The base of a choice; an unknown name raises ``RecbenchError`` with the nearest names."""

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise unknown_name(cls.__name__.lower(), str(value), cls) from None
