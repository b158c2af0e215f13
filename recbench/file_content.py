"""What a file holds in place of the content that was expected: what git, a server or a transfer has made of it."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recbench.escaping.shell import shell_word

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_MERGE_MARKS: Final = re.compile(
    rb"^<{7}(?: .*)?\r?$.*^={7}\r?$.*^>{7}(?: .*)?\r?$|^(?:<{7}|>{7}|\|{7}) \S", re.MULTILINE | re.DOTALL
)
"""All marks of a conflict, or one with the name of its version, which a person may have left."""
_PAGE: Final = re.compile(rb"\s*<(?:!doctype html|html|\?xml)", re.IGNORECASE)
_LINE_ENDS: Final = 5
"""So many line ends of Windows and none of another kind do not occur in binary content by chance."""
_END_OF_ZIP: Final = b"PK\x05\x06"
_KINDS: Final = (
    (b"PK\x03\x04", "a zip archive or a NumPy archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89PNG", "a picture"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"recbench-task-", "a recbench task"),
)


@dataclass(frozen=True, slots=True)
class OtherContent:
    """What a file holds.

    Attributes:
        what: Words that follow the file's name: ``is empty``.
        advice: What to do; empty if nothing is known.
    """

    what: str
    advice: str


def is_lfs_pointer(content: bytes) -> bool:
    """Whether a file holds what Git LFS stores in a commit in place of a file."""
    return content.startswith(_LFS_POINTER)


def has_merge_marks(content: bytes) -> bool:
    """Whether a file holds marks of a merge conflict."""
    return _MERGE_MARKS.search(content) is not None


def other_content(path: Path, content: bytes, *, binary: bool = False) -> OtherContent | None:
    """Returns what a file is, if it is not what was expected for a known reason.

    Call it only after the content could not be read as what was expected.

    Args:
        path: The file, as messages name it.
        content: Its bytes.
        binary: Whether binary content was expected, in which changed line ends are damage.
    """
    name = shell_word(path)
    if not content.strip(b"\x00 \t\r\n"):
        what = "is empty" if not content else "holds only blanks or zero bytes"
        return OtherContent(what, "")
    if is_lfs_pointer(content):
        return OtherContent("is a Git LFS pointer, not the file itself", f"Get the file: git lfs pull --include {name}")
    if has_merge_marks(content):
        return OtherContent(
            "has merge conflict marks of git",
            f"Keep one of the two versions: git checkout --ours {name}, or --theirs",
        )
    if _PAGE.match(content):
        return OtherContent("is a page of a web server or an XML file", "Download the file itself, or copy it again.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return OtherContent("is UTF-16 text", "Write it as UTF-8; PowerShell: Out-File -Encoding utf8")
    if binary and _has_changed_line_ends(content):
        return OtherContent(
            "has changed line ends: git or a transfer treated it as text",
            f"Copy it again as binary data. In git: add '*{path.suffix} -text' to .gitattributes; git checkout {name}",
        )
    kind = next((words for start, words in _KINDS if content.startswith(start)), None)
    return OtherContent(f"is {kind}", "Check the path.") if kind is not None and not binary else None


def _has_changed_line_ends(content: bytes) -> bool:
    """Whether line ends of a binary file were changed, as far as its bytes show."""
    pairs = content.count(b"\r\n")
    if content.count(b"\n") == pairs >= _LINE_ENDS:
        return True
    # A zip archive says where its end should be.
    end = content.rfind(_END_OF_ZIP)
    if not 0 <= end <= len(content) - 20:
        return False
    size, start = struct.unpack_from("<II", content, end + 12)
    return end - (start + size) == pairs > 0 or (end < start + size and not pairs)
