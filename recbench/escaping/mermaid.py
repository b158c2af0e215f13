"""Text in a Mermaid diagram, which GitHub draws from a block of code."""

import re
from typing import Final

MOST_CHARACTERS: Final = 40
ENDING: Final = "..."

_MARKUP: Final = re.compile(r"[^\w .,@+=()/-]")


def mermaid_text(text: str) -> str:
    """Returns text in quotes for a label. Mermaid has no escapes, so that any other sign than ``.,@+=()/-`` is a ``?``.

    >>> mermaid_text('a"]; b'), mermaid_text("bpr (factors=64) HR@10")
    ('"a??? b"', '"bpr (factors=64) HR@10"')
    """
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - len(ENDING)] + ENDING
    return f'"{_MARKUP.sub("?", text)}"'
