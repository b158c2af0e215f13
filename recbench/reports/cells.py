"""The cells of every table: figures are rounded here, and nowhere before; text is escaped here, once a format."""

from recbench.escaping.html import html_text
from recbench.escaping.latex import latex
from recbench.escaping.markdown import code_span, markdown, protected_start
from recbench.escaping.terminal import one_line
from recbench.reports.formats import Format
from recbench.reports.spread import Spread

STRONG = {
    Format.TEXT: "* {}",
    Format.MARKDOWN: "**{}**",
    Format.LATEX: r"\textbf{{{}}}",
    Format.HTML: "<strong>{}</strong>",
}
CELL_CHARACTERS = 500
"""The most characters of a cell."""
NO_FIGURE = "-"
"""Stands for a figure without a meaning, such as the throughput of a fit that was too short to time."""
NO_RANKS = "-"
"""Stands for a figure of the full ranking whose record lacks the ranks."""
ESCAPES = {Format.MARKDOWN: markdown, Format.LATEX: latex, Format.HTML: html_text}


class Strong(str):
    """The text of a cell that stands out: bold, or behind a star in plain text."""

    __slots__ = ()


class Markup(str):
    """The text of a cell in the format's own markup: it is escaped already."""

    __slots__ = ()


NO_BREAK = "\u00a0"
"""A space at which no browser breaks a line."""


def escape(text: str, form: Format) -> str:
    """Returns text that cannot leave its cell or line, and is no markup, whatever it holds.

    See ``recbench.escaping``. Every format gets one line of printable characters.
    """
    return ESCAPES.get(form, one_line)(text)


def escape_line(text: str, form: Format) -> str:
    """Returns text for a line of its own, or an item of a list; its start is no markup either."""
    return protected_start(escape(text.lstrip(), form)) if form is Format.MARKDOWN else escape(text, form)


def strong(text: str, form: Format) -> str:
    """Returns escaped text in bold, where the format has any."""
    return STRONG.get(form, "{}").format(escape(text, form))


def code(text: str, form: Format) -> str:
    """Returns escaped text in the type of code, where the format has any; not for a cell."""
    if form is Format.MARKDOWN:
        return code_span(text)
    return f"<code>{html_text(text)}</code>" if form is Format.HTML else escape(text, form)


def with_sd(spread: Spread | None, digits: int) -> str:
    """Returns ``mean ± standard deviation``; an empty text for nothing."""
    if spread is None:
        return ""
    mean = f"{spread.mean:.{digits}f}"
    return mean if spread.sd is None else f"{mean} ± {spread.sd:.{digits}f}"


def signed(value: float, digits: int = 4) -> str:
    """Returns a difference with its sign; what rounds to nothing is +0.0000, never -0.0000."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def p_value(value: float) -> str:
    """Returns a p-value with four digits."""
    return "<0.0001" if value < 0.00005 else f"{value:.4f}"
