"""Text in names of files."""

import hashlib
import re
from typing import Final

from recbench.escaping.terminal import INVISIBLE

MOST_BYTES: Final = 100
"""The most bytes of a name, without its ending. File systems take 255; names of temporary files are longer."""

_NOT_IN_NAMES: Final = re.compile(r"[/\\:*?\"<>|\n\t\ud800-\udfff`$;&!']")
"""What Windows or Linux refuse in a name, and what a shell executes in a name that nobody quoted."""
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever the ending."""


def file_name(text: str, most_bytes: int = MOST_BYTES) -> str:
    """Returns a name for a file or a folder, without an ending, that is valid on every system and stays in its folder.

    A text that is such a name is returned unchanged. Any other name ends with a part of the text's hash, so that two
    texts have two names.

    Args:
        text: Such as the name of a model in a record.
        most_bytes: The most bytes of the name in UTF-8.

    >>> file_name("bpr"), file_name("../../etc/x")
    ('bpr', '_..-..-etc-x-56da1a2e')
    """
    name = INVISIBLE.sub("-", _NOT_IN_NAMES.sub("-", text)).rstrip(". ")
    if name[:1] in (".", "-", "~", " ") or _DEVICES.match(name) or not name:
        name = f"_{name}"
    if name == text and len(name.encode()) <= most_bytes:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    kept = name.encode()[: most_bytes - len(digest) - 1].decode("utf-8", "ignore")
    return f"{kept}-{digest}"
