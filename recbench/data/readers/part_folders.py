"""Folders in which Spark, Hive and others write one table: a file for each part."""

import codecs
import lzma
import re
import zipfile
import zlib
from pathlib import Path
from typing import Final

from recbench.data.readers.opening import opened
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word

PART: Final = re.compile(r"part[-_.]?\d.*|\d+_\d+(\.\w+)*", re.IGNORECASE)
"""Names of parts: ``part-00000-...``, and ``000000_0`` of Hive."""
HIDDEN: Final = ("_", ".")
"""Files that begin so hold no rows: ``_SUCCESS``, ``_metadata``, ``.part-00000.crc``."""
SHOWN: Final = 10
START: Final = 2**12
"""So many bytes show whether a part holds more than blanks."""


def files_of_table(path: Path) -> list[Path]:
    """Returns the files of a table: the file itself, or the parts in a folder, in the order of their names.

    Parts without content are left out, unless all are without; of a packed part, the unpacked content counts.

    Raises:
        RecbenchError: It is a folder, but not one of parts.
    """
    if not path.is_dir():
        return [path]
    children = sorted(child for child in path.iterdir() if not child.name.startswith(HIDDEN))
    if partitions := [child.name for child in children if child.is_dir() and "=" in child.name]:
        raise RecbenchError(
            f"{path} is a partitioned table: values of a column are the names of its folders, such as {partitions[0]}.",
            "Write it as one file: python -c 'import sys, pandas; pandas.read_parquet(sys.argv[1]).to_parquet("
            f"sys.argv[2])' {shell_word(str(path))} ratings.parquet",
        )
    part_files = [child for child in children if child.is_file() and PART.fullmatch(child.name)]
    if not part_files or part_files != children:
        names = ", ".join(child.name for child in children[:SHOWN]) or "none"
        raise RecbenchError(
            f"{path} is a folder, and a file is expected. A folder is read only if it holds nothing but the parts of a "
            f"table (part-00000, part-00001, ...). Its files: {names}.",
            "Give the file with the ratings.",
        )
    return [part for part in part_files if _has_content(part)] or part_files[:1]


def _has_content(part: Path) -> bool:
    """Whether a file holds more than blanks; also True if it cannot be opened."""
    try:
        with opened(part) as content:
            start = content.head(START)
    except (RecbenchError, OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile):
        # Whoever reads the part meets the same error.
        return True
    return len(start) == START or bool(start.removeprefix(codecs.BOM_UTF8).strip())
