"""How a table can be written."""

from recbench.named_choice import NamedChoice


class Format(NamedChoice):
    """The value of ``--format``, the same for all verbs."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    LATEX = "latex"
    HTML = "html"
