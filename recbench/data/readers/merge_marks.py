"""Lines that git writes into a file with a merge conflict."""

from typing import Final

MERGE_START: Final = b"<<<<<<<"
"""A text without this has no complete conflict."""
NAMED: Final = (b"<<<<<<< ", b">>>>>>> ", b"||||||| ")
"""Marks that the name of a version follows."""
MIDDLE: Final = b"======="


def is_merge_mark(line: bytes) -> bool:
    """Whether a line is a mark of a merge conflict; an id may start with equals signs."""
    return line.startswith(NAMED) or line.rstrip() == MIDDLE
