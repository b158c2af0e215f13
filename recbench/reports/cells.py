"""What stands in the cells of every table. Figures are rounded here, and nowhere before."""

from recbench.reports.run.summary import Spread


def with_sd(spread: Spread | None, digits: int) -> str:
    """Returns ``mean ± standard deviation``; an empty text for nothing."""
    if spread is None:
        return ""
    mean = f"{spread.mean:.{digits}f}"
    return mean if spread.sd is None else f"{mean} ± {spread.sd:.{digits}f}"


def escape(text: str) -> str:
    """Returns text that does not end a cell of a Markdown table."""
    return text.replace("|", "\\|")


def safe(text: str) -> str:
    """Returns text that cannot end a cell, open a tag or break a line in Markdown."""
    return escape(" ".join(text.split("\n"))).replace("<", "&lt;").replace("`", "'")


def signed(value: float) -> str:
    """Returns a difference with its sign and four digits; what rounds to nothing is +0.0000, never -0.0000."""
    return f"{round(value, 4) + 0.0:+.4f}"
