"""Histograms in the terminal, and as a picture."""

from typing import TYPE_CHECKING

from recbench.escaping.mathtext import mathtext

if TYPE_CHECKING:
    from recbench.data.statistics import Histogram, Statistics
    from recbench.output_files import OutputFile

WIDTH = 40


def text_histogram(title: str, histogram: "Histogram") -> str:
    """Draws bars of characters."""
    most = max(histogram.counts)
    labels = [str(a) if a == b else f"{a}-{b}" for a, b in zip(histogram.lowest, histogram.highest, strict=True)]
    wide = max(map(len, labels))
    lines = [
        f"{label:>{wide}}  {'#' * -(-count * WIDTH // most):<{WIDTH}}  {count:,}"
        for label, count in zip(labels, histogram.counts, strict=True)
    ]
    return "\n".join([title, *lines])


def text_histograms(statistics: "Statistics") -> str:
    """Returns both histograms as text."""
    users = text_histogram("users by number of rows", statistics.histories)
    return f"{users}\n\n{text_histogram('items by number of rows', statistics.popularities)}"


def plot_histograms(name: str, statistics: "Statistics", output: "OutputFile") -> None:
    """Writes both histograms as a picture.

    Raises:
        RecbenchError: matplotlib is not installed, or the picture cannot be written.
    """
    from recbench.reports.plots.figures import new_figure, plain_text, save_figure

    with plain_text():
        figure = new_figure(10, 4)
        figure.suptitle(f"{mathtext(name)}: {statistics.rows:,} rows, density {statistics.density:.2%}")
        sides = (
            ("users", statistics.histories, statistics.history_gini),
            ("items", statistics.popularities, statistics.popularity_gini),
        )
        for axes, (what, histogram, gini) in zip(figure.subplots(1, 2), sides, strict=True):
            edges = [*histogram.lowest, 2 * histogram.lowest[-1]]
            axes.stairs(histogram.counts, edges, fill=True)
            axes.set_xscale("log", base=2)
            axes.set(xlabel="rows", ylabel=what, title=f"{what} by number of rows, Gini {gini:.2f}")
        save_figure(figure, output)
