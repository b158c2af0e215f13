"""How a table can be written."""

from enum import StrEnum


class Format(StrEnum):
    """The value of ``--format``, the same for all verbs."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    LATEX = "latex"
    HTML = "html"
