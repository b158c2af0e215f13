"""What a docstring of the Google style says of each attribute or argument."""

import inspect
import re

TITLE = re.compile(r"^(Args|Attributes|Raises|Returns|Example|Examples):\n", re.MULTILINE)
NAME = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def sections(docstring: str, title: str) -> tuple[str, dict[str, str]]:
    """Returns the text before the first section, and the meanings in the section of a title.

    >>> sections("A model.\\n\\nArgs:\\n    rate: The rate,\\n        positive.\\n    k: A number.", "Args")
    ('A model.', {'rate': 'The rate, positive.', 'k': 'A number.'})
    """
    text, *rest = TITLE.split(docstring)
    meanings: dict[str, str] = {}
    for found, content in zip(rest[::2], rest[1::2], strict=True):
        if found == title:
            _, *pieces = NAME.split(content)
            meanings = {name: " ".join(one.split()) for name, one in zip(pieces[::2], pieces[1::2], strict=True)}
    return text.strip(), meanings


def attributes(documented: type) -> dict[str, str]:
    """Returns the meaning of each attribute of a class."""
    return sections(inspect.getdoc(documented) or "", "Attributes")[1]
