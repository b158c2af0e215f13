"""Options whose value is a list."""

import re
from collections.abc import Sequence
from typing import Final

from recbench.cli.shared.option_checks import SHOWN
from recbench.errors import RecbenchError, shortened

WHOLE: Final = re.compile(r"[0-9]{1,18}")


def only_item(spelling: str, items: Sequence[str]) -> str:
    """Returns the item of a list option where a verb takes exactly one.

    Raises:
        RecbenchError: There are several.
    """
    if len(items) != 1:
        raise RecbenchError(
            f"{spelling} has {len(items)} items, but this command takes only one: {', '.join(items)}.",
            f"Run the command once for each item, such as: {spelling} {items[0]}",
        )
    return items[0]


def cut_offs(items: Sequence[str] | None) -> tuple[int, ...]:
    """Reads the numbers of ``--k``, ascending; 10 without any.

    Raises:
        RecbenchError: They are not whole numbers from 1 up.
    """
    valid = all(WHOLE.fullmatch(item) for item in items or ())
    ks = sorted({int(item) for item in items or ("10",)}) if valid else [0]
    if ks[0] < 1:
        shown = shortened(",".join(items or ()), SHOWN)
        raise RecbenchError(f"--k {shown!r} is not a list of whole numbers from 1 up.", "For example: --k 5,10,20")
    return tuple(ks)
