"""Colours and markers of models: the same for pictures and for pages, and distinct for 42 models.

Colour and marker both change from one model to the next, so that neither readers who are colour-blind nor readers of a
black-and-white print depend on colour. The two counts have no common divisor: the first 42 pairs are all different.
"""

from dataclasses import dataclass
from typing import Final

LIGHT: Final = ("#2f86d6", "#d64a00", "#0b2d5c", "#7d2ae8", "#b86a7e", "#4f1f00")
"""Colours on a white ground, each with a contrast of at least 3:1.

They were chosen so that any two differ by at least 30 in CIELAB, for readers with any of the three kinds of colour
blindness too, as Machado, Oliveira and Fernandes (2009) simulate them.
"""

DARK: Final = ("#45e6a4", "#e02a12", "#d4f56a", "#7450ff", "#e39bff", "#c3367a")
"""Colours on a dark ground, chosen in the same way."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The shape of a point.

    Attributes:
        name: What it is called.
        matplotlib: Its name in matplotlib.
        path: Its outline in SVG, around 0,0.
    """

    name: str
    matplotlib: str
    path: str


MARKERS: Final = (
    Marker("circle", "o", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"),
    Marker("square", "s", "M-4.5-4.5h9v9h-9z"),
    Marker("triangle", "^", "M0-5.8L5.6 4.4h-11.2z"),
    Marker("diamond", "D", "M0-6L6 0L0 6L-6 0z"),
    Marker("cross", "X", "M-5-3L-3-5L0-2L3-5L5-3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z"),
    Marker("inverted triangle", "v", "M0 5.8L5.6-4.4h-11.2z"),
    Marker("plus", "P", "M-1.8-5.5h3.6v3.7h3.7v3.6h-3.7v3.7h-3.6v-3.7h-3.7v-3.6h3.7z"),
)


@dataclass(frozen=True, slots=True)
class Style:
    """How one model is drawn.

    Attributes:
        colour: Its number in ``LIGHT`` and ``DARK``.
        marker: Its number in ``MARKERS``.
    """

    colour: int
    marker: int


def style(number: int) -> Style:
    """Returns the style of the model of that number, counted from 0."""
    return Style(number % len(LIGHT), number % len(MARKERS))
