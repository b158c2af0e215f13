"""Options whose value is a list."""

from collections.abc import Sequence

from recbench.errors import RecbenchError


def only_item(spelling: str, items: Sequence[str]) -> str:
    """Returns the item of a list option where a verb takes exactly one.

    Raises:
        RecbenchError: There are several.
    """
    if len(items) != 1:
        raise RecbenchError(
            f"{spelling} names {len(items)} items, and this command takes one: {', '.join(items)}.",
            f"Run it once for each, such as: {spelling} {items[0]}",
        )
    return items[0]


def cut_offs(items: Sequence[str] | None) -> tuple[int, ...]:
    """Reads the numbers of ``--k``, ascending; 10 without any.

    Raises:
        RecbenchError: They are not whole numbers from 1 up.
    """
    try:
        ks = sorted({int(item) for item in items or ("10",)})
    except ValueError:
        ks = [0]
    if ks[0] < 1:
        raise RecbenchError(
            f"--k {','.join(items or ())!r} is not a list of whole numbers from 1 up.", "For example: --k 5,10,20"
        )
    return tuple(ks)
