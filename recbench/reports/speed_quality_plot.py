"""The picture of quality against speed."""

from pathlib import Path

from recbench.errors import RecbenchError
from recbench.reports.pictures import new_figure, save_figure
from recbench.reports.speed_quality import SpeedQuality
from recbench.reports.speed_quality_axes import Cost

AXES = {Cost.THROUGHPUT: "interactions/s (faster is right)", Cost.FIT_SECONDS: "fit seconds (faster is left)"}


def draw_speed_quality(found: SpeedQuality, path: Path) -> Path:
    """Draws a point for each configuration: the interval over users upright, the range over seeds level.

    Raises:
        RecbenchError: matplotlib or adjustText is not installed, or the picture cannot be written.
    """
    figure = new_figure(9, 6)
    # After it, for it says what to do where there is no matplotlib.
    try:
        from adjustText import adjust_text
    except ImportError as error:
        raise RecbenchError(
            f"This picture needs adjustText, which cannot be imported: {error}.",
            "Install it: pip install 'recbench[plot]'",
        ) from error
    axes = figure.subplots()
    texts, taken = [], []
    for number, point in enumerate(found.points):
        x, y = point.cost.mean, point.quality.mean
        low, high = (point.interval.low, point.interval.high) if point.interval else (y, y)
        spread = [[x - min(point.cost.values)], [max(point.cost.values) - x]]
        axes.errorbar(x, y, yerr=[[y - low], [high - y]], xerr=spread, fmt="o", capsize=3, color=f"C{number % 10}")
        texts.append(axes.text(x, y, point.label, color=f"C{number % 10}"))
        taken += [(x, low), (x, (low + y) / 2), (x, y), (x, (y + high) / 2), (x, high)]
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.12)
    axes.grid(alpha=0.3)
    axes.set(xlabel=AXES[found.axis], ylabel=f"{found.metric.upper()}, 95 % over users", title=found.task)
    # Labels are moved in the axes' final place.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    adjust_text(
        texts,
        x=[x for x, _ in taken],
        y=[y for _, y in taken],
        ax=axes,
        expand=(1.1, 1.4),
        arrowprops={"arrowstyle": "-", "color": "grey", "lw": 0.6},
    )
    return save_figure(figure, path)
