"""Pictures by matplotlib, which is loaded when one is drawn."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.output_files import MARK, UNSEALED, OutputFile, seal
from recbench.path_checks import check_no_folder
from recbench.requirements import install_command

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 120
LEGEND_COLUMNS = 3
LEGEND_ROW = 18
"""Height of a row of a legend, in points."""
ENDINGS = (".png", ".svg", ".pdf")
METADATA = {"png": {"Software": MARK}, "svg": {"Creator": UNSEALED}, "pdf": {"Creator": MARK}}
"""The mark of recbench, in the field of each format that says which program made the file."""


def check_matplotlib() -> None:
    """Checks, before any work, that pictures can be drawn.

    Raises:
        RecbenchError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise RecbenchError(
            f"Pictures need matplotlib, which cannot be imported: {error}.",
            f"Install it: {install_command(['matplotlib'])}",
        ) from error


def check_picture(output: OutputFile) -> None:
    """Checks, before any work, that a picture can be written there.

    Raises:
        RecbenchError: matplotlib is not installed, the path has another ending, there is no such folder, or see
            ``OutputFile.check``.
    """
    check_matplotlib()
    check_no_folder(output.path)
    if output.path.suffix.lower() not in ENDINGS:
        raise RecbenchError(
            f"Cannot write the picture {output.path}: its ending is of no known kind.",
            f"Use one of the endings {', '.join(ENDINGS)}.",
        )
    output.check()
    if not output.path.parent.is_dir():
        raise RecbenchError(
            f"Cannot write the picture {output.path}: there is no folder {output.path.parent}.",
            f"Make the folder: mkdir -p {shell_word(output.path.parent)}",
        )


@contextmanager
def plain_text() -> Iterator[None]:
    """Lets matplotlib itself draw all text, whatever the user's own settings: TeX would execute the names.

    Raises:
        RecbenchError: matplotlib is not installed.
    """
    check_matplotlib()
    import matplotlib

    with matplotlib.rc_context({"text.usetex": False}):
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Returns an empty figure that needs no screen.

    Args:
        width: In inches.
        height: In inches.

    Raises:
        RecbenchError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def legend_above(axes: "Axes") -> None:
    """Adds a legend above the axes, where it covers no data; the title moves above it."""
    columns = min(len(axes.get_legend_handles_labels()[0]), LEGEND_COLUMNS)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=max(columns, 1), frameon=False, borderaxespad=0.2)
    rows = -(-len(axes.get_legend_handles_labels()[0]) // LEGEND_COLUMNS)
    axes.set_title(axes.get_title(), pad=6 + LEGEND_ROW * rows)


def reach(middle: float, low: float, high: float) -> tuple[float, float]:
    """Returns how far a bar reaches down and up from a point; the ends of an interval may lie on one side of it."""
    return max(middle - low, 0.0), max(high - middle, 0.0)


def save_figure(figure: "Figure", output: OutputFile) -> Path:
    """Writes a figure; its format follows from the ending of the path.

    Raises:
        RecbenchError: See ``check_picture``; or it cannot be written.
    """
    check_picture(output)
    form = output.path.suffix.lower().removeprefix(".")
    # Into memory: matplotlib passes over some errors of a file, such as that of a full disk while it is closed.
    drawn = io.BytesIO()
    figure.savefig(drawn, format=form, dpi=DPI, metadata=METADATA[form])
    content = drawn.getvalue()
    output.write(seal(content.decode()).encode() if form == "svg" else content)
    return output.path
