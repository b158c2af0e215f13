"""The history of one model: a small chart of what was accepted, one point an acceptance."""

from recbench.reports.html.charts.scales import Scale, scale
from recbench.reports.html.charts.svg import Chart, Mark, Path, Text, polyline
from recbench.reports.plots.styles import Style
from recbench.reports.trend import Trend
from recbench.reports.trend_series import Identity

WIDTH, HEIGHT = 300, 120
LEFT, RIGHT, TOP, BOTTOM = 48, 290, 12, 96
INSET = 8
"""Room between the axis and the first and the last point."""


def trend_chart(trend: Trend, metric: str, style: Style) -> Chart | None:
    """Draws the mean of a metric over seeds, and its range, for each acceptance that has it; a line for each series.

    Args:
        trend: The acceptances.
        metric: Such as ``hr@10``.
        style: The model's style.

    Returns:
        The chart; None if no acceptance has the metric.
    """
    known = [
        (acceptance, spread) for acceptance in trend.acceptances if (spread := acceptance.figures[metric]) is not None
    ]
    if not known:
        return None
    values = [value for _, spread in known for value in spread.values]
    y = scale(min(values), max(values), BOTTOM, TOP, margin=0.1)
    x = Scale(0, max(len(known) - 1, 1), LEFT + INSET, RIGHT - INSET)
    at = [(x.at(number), y.at(spread.mean)) for number, (_, spread) in enumerate(known)]
    lines: dict[Identity, list[tuple[float, float]]] = {}
    for spot, (acceptance, _) in zip(at, known, strict=True):
        lines.setdefault(acceptance.series, []).append(spot)
    paths = [
        Path(polyline([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)]), "border"),
        *(Path(polyline(line), f"curve c{style.colour}") for line in lines.values()),
    ]
    marks = []
    for (across, middle), (acceptance, spread) in zip(at, known, strict=True):
        bar = polyline([(across, y.at(min(spread.values))), (across, y.at(max(spread.values)))])
        paths.append(Path(bar, f"bar c{style.colour}"))
        marks.append(
            Mark(across, middle, style, f"{acceptance.accepted_at:%Y-%m-%d} {acceptance.label}: {spread.mean:.4f}")
        )
    texts = [Text(LEFT - 5, y.at(tick) + 4, f"{tick:g}", "end") for tick in y.ticks(4)]
    texts.append(Text(LEFT, HEIGHT - 8, f"{known[0][0].accepted_at:%Y-%m-%d}"))
    if len(known) > 1:
        texts.append(Text(RIGHT, HEIGHT - 8, f"{known[-1][0].accepted_at:%Y-%m-%d}", "end"))
    return Chart(WIDTH, HEIGHT, tuple(paths), tuple(marks), tuple(texts))
