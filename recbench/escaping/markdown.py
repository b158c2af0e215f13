"""Text in Markdown, as GitHub reads it."""

import re
from collections.abc import Sequence
from typing import Final

from recbench.escaping.terminal import one_line

NO_WIDTH: Final = "&#8203;"
"""Ends a word where GitHub would make a link of it: it looks at the text after the Markdown was read."""

_MARKUP: Final = re.compile(
    r"""
    (?P<entity>
        <(?!\d)                             # opens a tag or a comment; before a digit, as in <0.0001, it cannot
        | &(?=\#?\w+;)                      # begins an entity
        | \\(?=[!-/:-@\[-`{-~]|$)           # escapes a character, or the end of the cell
        | ` | \$                            # code, mathematics
    )
    | (?P<backslash>
        [|*] | ~(?=\S) | (?<=\S)~           # ends a cell; emphasis
        | (?<![^\W_])_ | _(?![^\W_])        # emphasis: within a word, an underscore is plain
        | (?<=\])[(:]                       # the target of a link or of an image
    )
    | (?P<mention>
        (?<![^\W_])@(?=[^\W_])              # @name: notifies that person; HR@10 does not
        | \#(?=\d) | (?<=\bGH)-(?=\d)       # #123, GH-123: links an issue
        | (?<!sha256):(?=[+-]?[a-z1][\w+-]*:) # :warning:
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BLOCK: Final = re.compile(r"\d{0,9}(?=(#{1,6}|[+-]|(?<=\d)[.)])(\s|$)|>|\[[ x^]|(-[- ]*|=+ *)$)", re.IGNORECASE)
"""A start that makes a line a heading, a list, a quotation, a box to tick, or the underline of a heading."""
_BACKTICKS: Final = re.compile("`+")


def markdown(text: str) -> str:
    r"""Returns text for a cell, a heading, or the middle of a line: it ends none of these, and is no markup.

    >>> markdown("a|b <img src=x> [c](d) @team #12 HR@10 <0.1 my_model")
    'a\\|b &lt;img src=x> [c]\\(d) @&#8203;team #&#8203;12 HR@10 <0.1 my_model'
    """
    return _MARKUP.sub(_escaped, one_line(text))


def protected_start(line: str) -> str:
    r"""Returns escaped text whose start makes no block: for a line, or an item of a list.

    >>> protected_start("# Heading"), protected_start("1. item"), protected_start("95 %: interval")
    ('\\# Heading', '1\\. item', '95 %: interval')
    """
    block = _BLOCK.match(line)
    return line if block is None else f"{line[: block.end()]}\\{line[block.end() :]}"


def link(text: str, target: str) -> str:
    r"""Returns a link for a cell or a line, whose text ends neither the link nor the cell.

    Args:
        text: Any text.
        target: An address that needs no escape, such as ``#place``.

    >>> link("(a]b)", "#place")
    '[(a\\]b)](#place)'
    """
    escaped = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", markdown(text))
    return f"[{escaped}]({target})"


def code_span(text: str) -> str:
    """Returns text in the type of code, within a line; not for a cell.

    >>> code_span("a`b")
    '``a`b``'
    """
    text = one_line(text)
    fence = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") or text.strip() != text else ""
    return f"{fence}{space}{text}{space}{fence}"


def code_block(lines: Sequence[str]) -> list[str]:
    """Returns lines of code between fences that none of them ends; whole, for a part of a command is another one."""
    lines = [one_line(line, len(line)) for line in lines]
    fence = "`" * max(3, *(_longest_run(line) + 1 for line in lines), 3)
    return [fence, *lines, fence]


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if match["entity"]:
        return {"<": "&lt;", "&": "&amp;"}.get(character, f"&#{ord(character)};")
    return f"\\{character}" if match["backslash"] else f"{character}{NO_WIDTH}"


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
