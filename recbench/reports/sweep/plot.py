"""The picture of a sweep: quality, time, throughput and memory, one beside the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.escaping.mathtext import mathtext
from recbench.evaluation.metric import Measure
from recbench.output_files import OutputFile
from recbench.reports.plots.figures import legend_above, new_figure, plain_text, reach, save_figure
from recbench.reports.plots.styles import LIGHT, MARKERS, Style, style
from recbench.reports.run.run_report import RunReport
from recbench.reports.spread import Spread
from recbench.reports.sweep.points import SweepPoint, sweep_points
from recbench.reports.sweep.table import MEGABYTE
from recbench.reports.timing_notes import timed_throughput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOG_FROM = 8
"""Values that span this factor, or more, stand on a logarithmic axis."""

HEADROOM = 1.1
TICK_CHARACTERS = 40
"""The most characters of a value below an axis."""


@plain_text()
def draw_sweep(report: RunReport, parameter: str, output: OutputFile) -> Path:
    """Draws four panels over the values; quality with its intervals, the rest with the range over seeds.

    Raises:
        RecbenchError: matplotlib is not installed, or the picture cannot be written.
    """
    points = sweep_points(report, parameter)
    figure = new_figure(10, 6)
    figure.suptitle(mathtext(f"{report.summaries[0].model} on {report.task['name']}: {parameter}"))
    values = [point.value for point in points]
    positions, logarithmic = _places(values)
    (quality, seconds), (speed, memory) = figure.subplots(2, 2, sharex=True)
    for number, measure in enumerate(report.measures):
        _draw_metric(quality, points, positions, measure, style(number))
    quality.set(ylabel="quality, 95 % over users")
    legend_above(quality)
    _draw_spreads(seconds, positions, [point.summary.fit_seconds for point in points], "fit seconds")
    timed = [timed_throughput(point.summary.interactions_per_second, point.summary.fit_seconds) for point in points]
    _draw_spreads(speed, positions, timed, "interactions/s")
    _draw_spreads(memory, positions, [_mebibytes(point.peak_bytes) for point in points], "peak memory, MiB")
    for axes in (speed, memory):
        axes.set_xlabel(mathtext(parameter))
        if logarithmic:
            axes.set_xscale("log")
        axes.set_xticks(positions, [mathtext(str(value), TICK_CHARACTERS) for value in values])
        axes.minorticks_off()
    return save_figure(figure, output)


def _places(values: Sequence[object]) -> tuple[list[float], bool]:
    """Returns where the values stand on the axis, and whether it is logarithmic; others than numbers in a row."""
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return [float(place) for place in range(len(values))], False
    return numbers, min(numbers) > 0 and max(numbers) / min(numbers) >= LOG_FROM


def _draw_metric(
    axes: "Axes", points: Sequence[SweepPoint], positions: Sequence[float], measure: Measure, look: Style
) -> None:
    known = [
        (position, spread.mean, standing.interval)
        for position, point in zip(positions, points, strict=True)
        if (spread := point.summary.metrics.get(measure.name)) and (standing := point.standings.get(measure.name))
    ]
    if not known:
        return
    at, means, intervals = zip(*known, strict=True)
    bars = [
        reach(mean, interval.low, interval.high) if interval else (0.0, 0.0)
        for mean, interval in zip(means, intervals, strict=True)
    ]
    axes.errorbar(
        at,
        means,
        yerr=list(zip(*bars, strict=True)),
        fmt=f"{MARKERS[look.marker].matplotlib}-",
        color=LIGHT[look.colour],
        capsize=3,
        label=mathtext(measure.label),
    )


def _draw_spreads(axes: "Axes", positions: Sequence[float], spreads: Sequence[Spread | None], label: str) -> None:
    known = [(position, spread) for position, spread in zip(positions, spreads, strict=True) if spread]
    if known:
        means = [spread.mean for _, spread in known]
        bars = [reach(spread.mean, min(spread.values), max(spread.values)) for _, spread in known]
        axes.errorbar(
            [position for position, _ in known],
            means,
            yerr=list(zip(*bars, strict=True)),
            fmt="o-",
            capsize=3,
            color="C2",
        )
        axes.set_ylim(0, HEADROOM * max(max(spread.values) for _, spread in known))
    axes.set_ylabel(label)


def _mebibytes(spread: Spread | None) -> Spread | None:
    return None if spread is None else Spread.of(value / MEGABYTE for value in spread.values)
