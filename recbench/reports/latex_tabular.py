r"""Tables in LaTeX, for papers: booktabs, figures aligned by siunitx, the best value in bold, significance marks.

A right-aligned column with figures becomes a column ``S`` of siunitx, and ``mean ± sd`` two of them: siunitx 2 and 3
print an uncertainty in different ways. The best figure is in bold; a mark is a superscript behind its figure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from recbench.escaping.latex import latex
from recbench.reports.cells import STRONG, Strong, escape
from recbench.reports.formats import Format

PACKAGES: Final = r"% Needs in the preamble: \usepackage{booktabs,siunitx}"
SETUP: Final = r"\sisetup{detect-weight=true,retain-explicit-plus=true}"
PLUS_MINUS: Final = r"$\pm$\,"
PADDING: Final = 2
"""Spaces after the longest header, in the source only."""

_FIGURE: Final = re.compile(
    r"(?:(?P<before>[=▽]) )?(?P<number>[+-]?\d[\d,]*(?:\.\d+)?)(?: ± (?P<sd>\d+(?:\.\d+)?))?"
    r"(?P<stars>\*{1,3})?(?P<after>(?: [†?])*)"
)
_INTERVAL: Final = re.compile(r"(?P<low>[+-]?\d*\.\d+)(?P<to>-| to )(?P<high>[+-]?\d*\.\d+)")


@dataclass(frozen=True, slots=True)
class _Figure:
    """A cell that holds a figure.

    Attributes:
        number: As siunitx reads it.
        sd: The standard deviation; empty for none.
        mark: LaTeX of what follows the figure.
        is_best: Whether the figure stands out.
    """

    number: str
    sd: str
    mark: str
    is_best: bool

    @classmethod
    def of(cls, cell: str) -> Self | None:
        """Reads a cell; None if it holds no figure."""
        match = _FIGURE.fullmatch(cell)
        if match is None:
            return None
        marks = "".join(latex(mark) for mark in (match["before"] or "", match["stars"] or "", match["after"].strip()))
        # A star would be in braces at the start of a cell; here it is within a superscript.
        mark = f"{{$^{{{marks.replace('{*}', '*')}}}$}}" if marks else ""
        return cls(match["number"].replace(",", ""), match["sd"] or "", mark, isinstance(cell, Strong))


@dataclass(frozen=True, slots=True)
class _Column:
    r"""A column of a table.

    Attributes:
        spec: Its specification in ``\begin{tabular}``.
        header: Its header, with the braces that it needs.
        cells: Its cells; two columns have a ``&`` in each.
    """

    spec: str
    header: str
    cells: tuple[str, ...]


def latex_tabular(rows: Sequence[Sequence[str]], headers: Sequence[str], alignment: str) -> str:
    """Returns a table whose cells are text; they are escaped here.

    Args:
        rows: The cells; those that are ``Strong`` stand out.
        headers: The columns' names.
        alignment: A letter for each column: l or r. Only a column r is aligned as figures.
    """
    columns = [
        _column(header, letter, [row[number] for row in rows])
        for number, (header, letter) in enumerate(zip(headers, alignment, strict=True))
    ]
    widths = [max(map(len, (f"{column.header}{' ' * PADDING}", *column.cells))) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        return f" {' & '.join(padded)} \\\\"

    lines = [line([column.cells[number] for column in columns]) for number in range(len(rows))]
    return "\n".join(
        [
            PACKAGES,
            "\\begingroup",
            SETUP,
            f"\\begin{{tabular}}{{{''.join(column.spec for column in columns)}}}",
            "\\toprule",
            line([column.header for column in columns]),
            "\\midrule",
            *lines,
            "\\bottomrule",
            "\\end{tabular}",
            "\\endgroup",
        ]
    )


def _column(header: str, letter: str, cells: Sequence[str]) -> _Column:
    figures = [_Figure.of(cell) if letter == "r" else None for cell in cells]
    known = [figure for figure in figures if figure is not None]
    if not known:
        return _Column(letter, latex(header), tuple(map(_text, cells)))
    numbers, sds = [figure.number for figure in known], [figure.sd for figure in known if figure.sd]
    post = max((figure.mark for figure in known), key=len)
    if not sds:
        shown = tuple(
            _braced(cell) if figure is None else f"{_number(figure)}{figure.mark}"
            for cell, figure in zip(cells, figures, strict=True)
        )
        return _Column(_spec(numbers, post=post), f"{{{latex(header)}}}", shown)
    both = f"{_spec(numbers)}@{{\\,}}{_spec(sds, pre=PLUS_MINUS, post=post)}"
    pairs = tuple(
        f"{_braced(cell)} &" if figure is None else f"{_number(figure)} & {_sd(figure)}"
        for cell, figure in zip(cells, figures, strict=True)
    )
    return _Column(both, f"\\multicolumn{{2}}{{c}}{{{latex(header)}}}", pairs)


def _spec(numbers: Sequence[str], pre: str = "", post: str = "") -> str:
    """Returns the specification of a column S that has room for these numbers and for the text around them."""
    split = [number.lstrip("+-").partition(".") for number in numbers]
    whole, decimals = max(len(before) for before, _, _ in split), max(len(after) for _, _, after in split)
    sign = "+" if any(number[0] in "+-" for number in numbers) else ""
    options = [f"table-format={sign}{whole}{f'.{decimals}' if decimals else ''}"]
    options += [f"table-space-text-pre={{{pre}}}"] if pre else []
    options += [f"table-space-text-post={post}"] if post else []
    return f"S[{','.join(options)}]"


def _number(figure: _Figure) -> str:
    return f"\\bfseries {figure.number}" if figure.is_best else figure.number


def _sd(figure: _Figure) -> str:
    return f"{{{PLUS_MINUS}}} {figure.sd}{figure.mark}" if figure.sd else figure.mark


def _braced(cell: str) -> str:
    """Returns a cell that is no figure, for a column S."""
    text = _text(cell)
    return f"{{{text}}}" if text else ""


def _text(cell: str) -> str:
    interval = _INTERVAL.fullmatch(cell)
    if interval is None:
        text = escape(cell, Format.LATEX)
    elif interval["to"] == "-":
        text = f"{interval['low']}--{interval['high']}"
    else:
        text = f"${interval['low']}$ to ${interval['high']}$"
    return STRONG[Format.LATEX].format(text) if isinstance(cell, Strong) else text
