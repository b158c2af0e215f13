"""Text in pictures of matplotlib."""

from recbench.escaping.terminal import one_line


def mathtext(text: str, most: int = 100) -> str:
    r"""Returns text that matplotlib draws as it is: a dollar sign begins no formula.

    Args:
        text: Any text.
        most: The most characters: a picture has little room.

    >>> mathtext("$\\frac{$")
    '\\$\\frac{\\$'
    """
    return one_line(text, most).replace("$", r"\$")
