"""The area of a chart, with its axes."""

from dataclasses import dataclass

from recbench.reports.html.charts.scales import Scale
from recbench.reports.html.charts.svg import Path, Text, polyline
from recbench.reports.plots.label_placement import Box


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a chart of one size has its parts, in pixels.

    Attributes:
        width: Of the chart.
        height: Of the chart.
        left: Of the area that the axes enclose.
        top: Of that area.
        right: Of that area.
        bottom: Of that area.
        font: Size of the labels.
        ticks: The most figures that each axis names: level and upright.
        label_characters: The most characters of a label.
    """

    width: int
    height: int
    left: int
    top: int
    right: int
    bottom: int
    font: float
    ticks: tuple[int, int]
    label_characters: int

    @property
    def area(self) -> Box:
        """The area for labels, with y upwards."""
        return Box(self.left, -self.bottom, self.right, -self.top).grown(-2)


NARROW = Frame(
    width=340, height=380, left=48, top=26, right=332, bottom=336, font=11, ticks=(4, 6), label_characters=22
)
WIDE = Frame(
    width=880, height=480, left=58, top=28, right=868, bottom=434, font=12.5, ticks=(8, 8), label_characters=40
)
FRAMES = (NARROW, WIDE)


def axes(frame: Frame, x: Scale, y: Scale, x_label: str, y_label: str) -> tuple[list[Path], list[Text]]:
    """Returns the lines and texts of both axes."""
    across, up = x.ticks(frame.ticks[0]), y.ticks(frame.ticks[1])
    grid = [
        *(polyline([(x.at(tick), frame.top), (x.at(tick), frame.bottom)]) for tick in across),
        *(polyline([(frame.left, y.at(tick)), (frame.right, y.at(tick))]) for tick in up),
    ]
    border = polyline([(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)])
    texts = [
        *(Text(x.at(tick), frame.bottom + 15, _tick(tick), "middle") for tick in across),
        *(Text(frame.left - 6, y.at(tick) + 4, _tick(tick), "end") for tick in up),
        Text((frame.left + frame.right) / 2, frame.height - 6, x_label, "middle", "axis"),
        Text(4, 14, y_label, "start", "axis"),
    ]
    return [Path("".join(grid), "grid"), Path(border, "border")], texts


def _tick(value: float) -> str:
    """Returns a round figure, never as a power of ten.

    >>> _tick(0.00001), _tick(20000.0), _tick(0.55)
    ('0.00001', '20,000', '0.55')
    """
    text = f"{value:,.9f}".rstrip("0").rstrip(".")
    return text or "0"
