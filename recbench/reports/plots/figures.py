"""Pictures by matplotlib, which is loaded when one is drawn."""

from pathlib import Path
from typing import TYPE_CHECKING

from recbench.errors import RecbenchError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120
ENDINGS = (".png", ".svg", ".pdf")


def check_matplotlib() -> None:
    """Checks, before any work, that pictures can be drawn.

    Raises:
        RecbenchError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise RecbenchError(
            f"Pictures need matplotlib, which cannot be imported: {error}.", "Install it: pip install -e '.[plot]'"
        ) from error


def check_picture(path: Path) -> None:
    """Checks, before any work, that a picture can be written there.

    Raises:
        RecbenchError: matplotlib is not installed, there is no such folder, or it has another ending.
    """
    check_matplotlib()
    if path.suffix not in ENDINGS or not path.parent.is_dir():
        raise RecbenchError(
            f"Cannot write the picture {path}: "
            + (f"there is no folder {path.parent}." if path.suffix in ENDINGS else "its ending is of no known kind."),
            f"Choose a path in a folder that is there, with one of the endings {', '.join(ENDINGS)}.",
        )


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


def reach(middle: float, low: float, high: float) -> tuple[float, float]:
    """Returns how far a bar reaches down and up from a point; the ends of an interval may lie on one side of it."""
    return max(middle - low, 0.0), max(high - middle, 0.0)


def save_figure(figure: "Figure", path: Path) -> Path:
    """Writes a figure; what it is made of follows from the ending of the path.

    Raises:
        RecbenchError: It cannot be written.
    """
    try:
        figure.savefig(path, dpi=DPI)
    except (OSError, ValueError) as error:
        raise RecbenchError(
            f"Cannot write the picture {path}: {error}.", "Choose a path that ends in .png, .svg or .pdf."
        ) from error
    return path
