"""The cells of every table: figures are rounded here, and nowhere before; text is escaped here, once a format."""

import html
import re

from recbench.reports.formats import Format
from recbench.reports.spread import Spread
from recbench.text_encoding import readable

TAG = re.compile(r"<(?!\d)")
"""What may open a tag in Markdown; before a digit, as in <0.0001, it cannot."""
LATEX = str.maketrans(
    {
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "^": r"\^{}",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "\\": r"\textbackslash{}",
        "<": r"\ensuremath{<}",
        ">": r"\ensuremath{>}",
    }
)
STRONG = {
    Format.TEXT: "* {}",
    Format.MARKDOWN: "**{}**",
    Format.LATEX: r"\textbf{{{}}}",
    Format.HTML: "<strong>{}</strong>",
}
CODE = {Format.MARKDOWN: "`{}`", Format.HTML: "<code>{}</code>"}


class Strong(str):
    """The text of a cell that stands out: bold, or behind a star in plain text."""

    __slots__ = ()


def escape(text: str, form: Format) -> str:
    r"""Returns text that cannot leave its cell or line, whatever it holds.

    - Markdown: it ends no cell, opens no tag and no code, and breaks no line.
    - LaTeX: no character is a command. A line break becomes a space, so that the text cannot leave a comment either.
    - HTML: no character opens a tag or an entity, or ends an attribute.
    - Other formats: unchanged.
    - All: a byte of a path that is not UTF-8 becomes ``\xe9``.
    """
    text = readable(text)
    if form is Format.MARKDOWN:
        return TAG.sub("&lt;", " ".join(text.split("\n")).replace("|", "\\|").replace("`", "'"))
    if form is Format.LATEX:
        return " ".join(text.splitlines()).translate(LATEX)
    return html.escape(text) if form is Format.HTML else text


def strong(text: str, form: Format) -> str:
    """Returns escaped text in bold, where the format has any."""
    return STRONG.get(form, "{}").format(escape(text, form))


def code(text: str, form: Format) -> str:
    """Returns escaped text in the type of code, where the format has any."""
    return CODE.get(form, "{}").format(escape(text, form))


def with_sd(spread: Spread | None, digits: int) -> str:
    """Returns ``mean ± standard deviation``; an empty text for nothing."""
    if spread is None:
        return ""
    mean = f"{spread.mean:.{digits}f}"
    return mean if spread.sd is None else f"{mean} ± {spread.sd:.{digits}f}"


def signed(value: float) -> str:
    """Returns a difference with its sign and four digits; what rounds to nothing is +0.0000, never -0.0000."""
    return f"{round(value, 4) + 0.0:+.4f}"
