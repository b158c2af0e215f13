"""Files with all items of a user in one line to batches of columns."""

from collections.abc import Iterator
from pathlib import Path

from recbench.data.readers.batches import BadRows, Batch, Place
from recbench.data.readers.layout import Layout
from recbench.data.readers.opening import blocks_of_lines, opened
from recbench.errors import RecbenchError


def read_adjacency(path: Path, layout: Layout, _: BadRows) -> Iterator[Batch]:
    """Yields the pairs of lines of a user and that user's items, with blanks between (LightGCN).

    A user alone in a line has no items there, and gives no row.
    """
    with opened(path, layout.member) as file:
        for block in blocks_of_lines(file):
            users: list[str] = []
            items: list[str] = []
            for line in block.decode(layout.encoding).splitlines():
                user, *own = line.split() or [""]
                users += [user] * len(own)
                items += own
            yield _batch(users, items)


def read_counted_lists(path: Path, layout: Layout, bad: BadRows) -> Iterator[Batch]:
    """Yields the pairs of lines of a number and so many items; the user is the line's number, from 0 (CiteULike).

    Raises:
        RecbenchError: A line holds another number of items than it says, unless such are skipped.
    """
    number = 0
    with opened(path, layout.member) as file:
        for block in blocks_of_lines(file):
            users: list[str] = []
            items: list[str] = []
            for line in block.decode(layout.encoding).splitlines():
                count, *own = line.split() or ["0"]
                if count != str(len(own)):
                    if not bad.skip:
                        raise RecbenchError(
                            f"{path}, line {number + 1}: it announces {count} items and holds {len(own)}.",
                            "Correct the line; the file may be truncated. To leave such lines out: --skip-bad-rows.",
                        )
                    reason = f"it announces {count} items and holds {len(own)}"
                    bad.leave_out(path, Place(number, f"line {number + 1}"), reason)
                    own = []
                users += [str(number)] * len(own)
                items += own
                number += 1
            yield _batch(users, items)


def _batch(users: list[str], items: list[str]) -> Batch:
    import pyarrow as pa

    return {"user": pa.array(users, pa.string()), "item": pa.array(items, pa.string())}
