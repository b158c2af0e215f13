"""What "last" means where a spec leaves it open: by time, else at random if the rows are sorted, else by line."""

import logging

from recbench.data.interactions import Interactions
from recbench.data.sorted_rows import SortedBy, sorted_by
from recbench.tasks.exchange.forms import Order
from recbench.tasks.spec import LastRows, PublishedSplit, Split

log = logging.getLogger(__name__)

HOW_TO_CHOOSE = '--order {0} on the command line, split.order = "{0}" in a spec'


def settled(split: Split | PublishedSplit, interactions: Interactions, name: str) -> Split | PublishedSplit:
    """Returns the split with an order, and logs how an order without times was chosen.

    Args:
        split: The split.
        interactions: The rows, in the order of the file.
        name: The task's name, for the log.
    """
    if not isinstance(split, LastRows):
        return split
    order = split.order
    if interactions.timestamps is None and order in (None, Order.FILE):
        sort_key = sorted_by(interactions)
        _report(name, sort_key, is_open=order is None)
        order = order or (Order.FILE if sort_key is None else Order.RANDOM)
    return with_order(split, order or Order.TIMESTAMP)


def with_order(split: LastRows, order: Order) -> LastRows:
    """Returns the split with another order; only a random one has a seed."""
    return split.model_copy(update={"order": order, "seed": (split.seed or 0) if order is Order.RANDOM else None})


def _report(name: str, sort_key: SortedBy | None, *, is_open: bool) -> None:
    if sort_key is None and is_open:
        log.info(
            "There are no timestamps, and recbench finds no order by user or item in the rows of %s. The last rows of "
            "a user are the last in the file. To hold out random rows instead: %s.",
            name, HOW_TO_CHOOSE.format(Order.RANDOM),
        )  # fmt: skip
    elif sort_key is not None and is_open:
        log.warning(
            "There are no timestamps, and the rows of %s are sorted by %s: the last row of a user need not be the "
            "latest. Random rows of each user are held out. If the order of the lines is the order in time: %s.",
            name, sort_key, HOW_TO_CHOOSE.format(Order.FILE),
        )  # fmt: skip
    elif sort_key not in (None, SortedBy.USER):
        # Rows that are sorted by user alone may be in order of time for each user, as whoever names the order says.
        log.warning(
            "There are no timestamps, and the rows of %s are sorted by %s, but the split holds out the last rows of "
            'each user (order = "file"). If these are not the latest, metrics mislead. To hold out random rows: %s.',
            name, sort_key, HOW_TO_CHOOSE.format(Order.RANDOM),
        )  # fmt: skip
