"""Text in LaTeX."""

from typing import Final

from recbench.escaping.terminal import one_line

_COMMANDS: Final = str.maketrans(
    {
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "^": r"\^{}",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "\\": r"\textbackslash{}",
        "<": r"\ensuremath{<}",
        "▽": r"\ensuremath{\bigtriangledown}",
        ">": r"\ensuremath{>}",
        "†": r"\dag{}",
        # In the fonts that LaTeX takes without a package, | is a dash.
        "|": r"\textbar{}",
    }
)


def latex(text: str) -> str:
    r"""Returns text of which no character is a command; it cannot leave a comment either, for it is one line.

    A bracket or a star at the start is in braces: after the end of a row it would belong to the command ``\\``.

    >>> latex("50 % [a_b]"), latex("[2cm]"), latex("a---b")
    ('50 \\% [a\\_b]', '{[}2cm]', 'a-{}-{}-b')
    """
    text = one_line(text)
    # Two dashes would be printed as one long dash.
    escaped = text.translate(_COMMANDS).replace("--", "-{}-").replace("--", "-{}-")
    return f"{{{text[0]}}}{escaped[1:]}" if text[:1] in ("[", "*") else escaped
