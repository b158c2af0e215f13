"""How a table can be written."""

from enum import StrEnum


class Format(StrEnum):
    """The value of ``--format``."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


class CompareFormat(StrEnum):
    """The value of ``--format`` where two sides are compared."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    LATEX = "latex"
