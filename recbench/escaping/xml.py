"""Text in XML."""

import re
from typing import Final

from recbench.escaping.terminal import one_line

_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write, not even as an entity."""


def xml_text(text: str) -> str:
    r"""Returns text for an element or attribute of ``xml.etree``, which escapes markup but writes any character.

    >>> xml_text("a\x00b\x1b[31m")
    'a\\u0000b\\u001b[31m'
    """
    return _NO_CHARACTER.sub("?", one_line(text))
