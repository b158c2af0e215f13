"""Texts that hold bytes of a path that are not UTF-8, and how people and files get them.

Python writes such a byte as a surrogate (PEP 383), which no encoding accepts.
"""

import codecs
import re
from typing import Final

READABLE: Final = "recbench.readable"
"""The error handler for files and streams: a byte becomes ``\\xe9``, any other character a question mark."""

OF_NO_BYTE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that stand for no byte."""


def readable(text: str) -> str:
    r"""Returns the text with each byte that is not UTF-8 as ``\xe9``; the same text in every locale.

    >>> print(readable("caf\udce9/net.py"))
    caf\xe9/net.py
    >>> readable("Gr\udcc3\udcb6sse")  # where the locale is ASCII
    'Grösse'
    """
    return OF_NO_BYTE.sub("?", text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _replace(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    shown = readable(error.object[error.start : error.end])
    # As bytes: the UTF-8 encoder takes only ASCII as text.
    return shown.encode(error.encoding, "replace"), error.end


codecs.register_error(READABLE, _replace)
