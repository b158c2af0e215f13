"""A chart as shapes with places, in pixels from the upper left corner."""

from dataclasses import dataclass, field

from recbench.reports.plots.styles import Style


@dataclass(frozen=True, slots=True)
class Path:
    """A line or an area.

    Attributes:
        d: The path data of SVG.
        css: Its classes.
    """

    d: str
    css: str


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text.

    Attributes:
        x: Where it starts, ends, or has its middle, as ``anchor`` says.
        y: Its base line.
        text: The text.
        anchor: ``start``, ``middle`` or ``end``.
        css: Its classes.
        length: Its length, to which the browser fits it; None for that of the browser's font. A label with a length
            covers what was computed for it, whatever fonts the reader has.
    """

    x: float
    y: float
    text: str
    anchor: str = "start"
    css: str = "tick"
    length: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The marker of a model.

    Attributes:
        x: Its middle.
        y: Its middle.
        style: Its colour and shape.
        text: What a pointer on it shows.
    """

    x: float
    y: float
    style: Style
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one size.

    Attributes:
        width: Its width.
        height: Its height.
        paths: Lines and areas, drawn first.
        marks: Markers of models.
        texts: Texts, drawn last.
    """

    width: int
    height: int
    paths: tuple[Path, ...]
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart in several sizes, of which a page shows the one that fits.

    Attributes:
        name: Its identifier in the page.
        title: Its heading.
        description: What a reader sees in it, in words.
        charts: The same chart in several widths, the narrowest first.
        notes: What is below the axis, and what has no label.
    """

    name: str
    title: str
    description: str
    charts: tuple[Chart, ...]
    notes: tuple[str, ...] = field(default=())


def polyline(points: list[tuple[float, float]]) -> str:
    """Returns the path data of a line through points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
