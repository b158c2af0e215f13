"""Rows that repeat a (user, item) pair, merged into one: the last, their number, or the sum of their ratings."""

import logging
from dataclasses import replace

import numpy as np

from recbench.data.interactions import Interactions
from recbench.data.ordering import stable_order
from recbench.data.repeated_pairs import first_of_pairs, pairs_in_order, repeats_text
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Float32Array, Int64Array
from recbench.tasks.spec import Repeated

log = logging.getLogger(__name__)


def merged_repeats(interactions: Interactions, rule: Repeated) -> Interactions:
    """Returns one row of each pair, at the place of its last row in ``pairs_in_order``.

    With ``FIRST``, it is the first row, at its own place.

    Args:
        interactions: Rows that may repeat pairs; at least one.
        rule: ``FIRST``, ``LAST``: the first or the last row. ``COUNT``, ``SUM``: a row with the latest of its times,
            rated with the number of its rows or with the sum of their ratings.

    Raises:
        RecbenchError: Ratings are to be added, and there are none or their sum is not a finite number.
    """
    if rule is Repeated.FIRST:
        first = first_of_pairs(interactions.rows, interactions.n_items)
        n_later = int(len(first) - first.sum())
        if n_later:
            log.warning("%s", repeats_text(n_later, has_times=interactions.timestamps is not None))
        return replace(interactions, rows=interactions.rows.take(first), n_duplicates=n_later)
    order = pairs_in_order(interactions.rows, interactions.n_items)
    rows = interactions.rows.take(order)
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (rows.users[1:] != rows.users[:-1]) | (rows.items[1:] != rows.items[:-1])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(rows)) - 1
    merged = rows.take(ends)
    if rule is not Repeated.LAST:
        times = None if rows.timestamps is None else np.maximum.reduceat(rows.timestamps, starts)
        merged = Rows(merged.users, merged.items, _ratings(rows, starts, rule), times)
    n_repeated = len(rows) - len(merged)
    log.info("%s rows repeat a (user, item) pair; merged by the rule %r.", f"{n_repeated:,}", str(rule))
    return replace(interactions, rows=merged.take(stable_order(order[ends])), n_duplicates=n_repeated)


def _ratings(rows: Rows, starts: Int64Array, rule: Repeated) -> Float32Array:
    if rule is Repeated.COUNT:
        return np.diff(np.append(starts, len(rows))).astype(np.float32)
    if rows.ratings is None:
        raise RecbenchError(
            'filters.repeated is "sum", but the data has no ratings.',
            'Name the rating column, or count the rows: filters.repeated = "count".',
        )
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(rows.ratings.astype(np.float64), starts).astype(np.float32)
    if not np.isfinite(sums).all():
        raise RecbenchError(
            "The ratings of a (user, item) pair add up to more than a 32-bit float can hold.",
            'Correct the ratings, or count the rows: filters.repeated = "count".',
        )
    return sums
