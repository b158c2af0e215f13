"""One decoding layer below all readers of text: from any encoding to blocks of whole lines in UTF-8."""

import codecs
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from recbench.data.readers import opening
from recbench.data.readers.opening import HEAD, Content, opened
from recbench.errors import RecbenchError, did_you_mean
from recbench.file_content import other_content

MAX_LINE: Final = 2**28
"""Bytes of the longest line that is read: a user of an adjacency list may have millions of items."""
BOMS: Final = (
    # UTF-32 before UTF-16, which begins alike.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
"""Byte order marks, and the encoding that each of them shows."""
DEFAULT: Final = "utf-8"
COMMON: Final = ("utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "cp1250", "cp1251", "shift_jis", "gb18030", "euc-kr")
INVALID: Final = "\udcff"
"""Stands for bytes that the encoding does not have; becomes a byte that is not valid in UTF-8."""
NUL_SHARE: Final = 0.2
"""Text in UTF-16 that is read as UTF-8 has more NULs than this."""


def _keep_invalid(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return INVALID, error.end


codecs.register_error("recbench-keep-invalid", _keep_invalid)


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where text is read from.

    Attributes:
        path: The file.
        member: Which member of an archive.
        encoding: The encoding that was named.
    """

    path: Path
    member: str | None = None
    encoding: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Head:
    """The start of a text.

    Attributes:
        text: Its first lines, in UTF-8; at most about ``HEAD`` bytes, of which the last line may be cut off.
        whole: Whether this is the whole text.
        encoding: Its encoding.
        packings: How the file is packed.
    """

    text: bytes
    whole: bool
    encoding: str
    packings: tuple[str, ...]

    def lines(self) -> list[bytes]:
        """Returns the lines that are not cut off, without their ends and without blank ones."""
        lines = self.text.splitlines() if self.whole else self.text.splitlines()[:-1] or [self.text]
        return [line for line in lines if line.strip()]


def read_head(source: TextSource) -> Head:
    """Reads the start of a text.

    Raises:
        RecbenchError: It is no text, or not what was expected for a known reason, such as a Git LFS pointer.
    """
    with opened(source.path, source.member) as content:
        raw = content.head(HEAD)
        encoding, skip = _encoding(source, raw)
        text = _Decoder(encoding).decode(raw[skip:], final=len(raw) < HEAD)
        head = Head(_with_newlines(text), len(raw) < HEAD, encoding, content.packings)
    if (other := other_content(source.path, head.text)) is not None and head.text.strip():
        raise RecbenchError(
            f"{source.path} is not a file of ratings: it {other.what}.", other.advice or "Check the path."
        )
    return head


def blocks_of_lines(source: TextSource) -> Iterator[bytes]:
    """Yields the text in UTF-8, in blocks that end where a line ends; bytes that are not valid stay invalid.

    Carriage returns become line ends if the first block has no other line end.

    Raises:
        RecbenchError: A line is too long to be read.
    """
    with opened(source.path, source.member) as content:
        raw = content.head(HEAD)
        encoding, skip = _encoding(source, raw)
        content.read(skip)
        decoder = _Decoder(encoding)
        carriage_returns = b"\n" not in (text := decoder.decode(raw[skip:], final=False)) and b"\r" in text
        yield from _whole_lines(source, content, _Decoder(encoding), carriage_returns)


def whole_text(source: TextSource) -> bytes:
    """Returns the whole text in UTF-8."""
    return b"".join(blocks_of_lines(source))


def _whole_lines(source: TextSource, content: Content, decoder: "_Decoder", carriage_returns: bool) -> Iterator[bytes]:
    rest: list[bytes] = []
    length, n_blocks = 0, 0
    while True:
        raw = content.read(opening.BLOCK)
        text = decoder.decode(raw, final=not raw)
        if carriage_returns:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = text.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, memoryview(text)[:end]))
            n_blocks += 1
            rest, length = [text[end:]], len(text) - end
        else:
            rest.append(text)
            length += len(text)
        if length > MAX_LINE:
            before = itertools.islice(blocks_of_lines(source), n_blocks)
            raise RecbenchError(
                f"{source.path}, line {sum(map(count_lines, before)) + 1}: the line is longer than "
                f"{MAX_LINE // 2**20} MB.",
                "Give a text file with one line for each interaction.",
            )
        if not raw:
            break
    if length:
        yield b"".join(rest)


def is_text(content: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def count_lines(block: bytes) -> int:
    """Returns the number of lines; the last one need not have an end."""
    n_ends = int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")))
    return n_ends + bool(block and not block.endswith(b"\n"))


def _with_newlines(text: bytes) -> bytes:
    """Returns text whose only line ends are carriage returns with newlines."""
    return text.replace(b"\r", b"\n") if b"\n" not in text and b"\r" in text else text


def _encoding(source: TextSource, head: bytes) -> tuple[str, int]:
    """Returns the encoding of a text, and the length of its byte order mark.

    Raises:
        RecbenchError: There is no such encoding, or the byte order mark shows another one than was named.
    """
    named = _named_encoding(source.encoding)
    for mark, encoding in BOMS:
        if head.startswith(mark):
            if named in (DEFAULT, "utf-8-sig", encoding) or named == encoding[: len("utf-16")]:
                return encoding, len(mark)
            raise RecbenchError(
                f"{source.path} begins with the byte order mark of {encoding}, and the encoding {source.encoding} was "
                "named.",
                f"Name the encoding of the file: --encoding {encoding}",
            )
    if named in ("utf-16", "utf-32"):
        return f"{named}-{'be' if head.startswith(bytes(1)) else 'le'}", 0
    if named == DEFAULT and (wide := _wide_encoding(head)) is not None:
        raise RecbenchError(
            f"{source.path} is text in {wide} without a byte order mark.", f"Name the encoding: --encoding {wide}"
        )
    return ("utf-8" if named == "utf-8-sig" else named), 0


def _named_encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        # Others, such as that of base 64, do not lead from bytes to text. An empty text would not show it.
        "a".encode(codec.name)
        # Nor do some of host names read a text with invalid bytes on.
        _Decoder(codec.name).decode(b"a", final=False)
    except (LookupError, ValueError) as error:
        raise RecbenchError(
            f"There is no encoding with the name {name!r}.{did_you_mean(name, COMMON)}",
            f"Common encodings: {', '.join(COMMON)}. Name one: --encoding NAME",
        ) from error
    return codec.name


def _wide_encoding(head: bytes) -> str | None:
    """Returns the encoding of ASCII text with two or four bytes a character; None if it is nothing like it."""
    sample = head[: 2**12]
    if sample.count(0) < NUL_SHARE * len(sample) or not sample.strip(b"\x00"):
        return None
    columns = [sample[start::4].count(0) * 4 > len(sample) / 2 for start in range(4)]
    known = {
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
    }
    return known.get((columns[0], columns[1], columns[2], columns[3]))


class _Decoder:
    """Leads from an encoding to UTF-8, part by part; UTF-8 passes as it is, checked by whoever uses it."""

    def __init__(self, encoding: str) -> None:
        plain = encoding == "utf-8"
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)("recbench-keep-invalid")

    def decode(self, part: bytes, *, final: bool) -> bytes:
        """Returns the part in UTF-8; what belongs to a character that goes on in the next part is kept for it."""
        if self._decoder is None:
            return part
        return self._decoder.decode(part, final).encode("utf-8", "surrogateescape")
