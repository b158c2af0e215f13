"""From the rows of a split that somebody published to a task: what all forms of files have in common."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.interactions import hash_order, places
from recbench.data.random_bits import Purpose
from recbench.errors import RecbenchError
from recbench.protocol import Float32Array, Int32Array, Int64Array, TrainSet
from recbench.tasks.candidates import draw_negatives
from recbench.tasks.spec import PublishedSplit, TaskSpec, Waiver
from recbench.tasks.splits import held_out_rows
from recbench.tasks.task import NO_ITEM, Cases, Task
from recbench.tasks.verification_cache import verify_and_remember

log = logging.getLogger(__name__)

PUBLISHED = PublishedSplit(method="published")


@dataclass(frozen=True, slots=True, eq=False)
class PublishedRows:
    """A split as read; users and items numbered as in a task, see ``numbered``.

    Attributes:
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
        users: int32[train rows].
        items: int32[train rows].
        ratings: float32[train rows] or None.
        timestamps: int64[train rows] or None.
        case_users: int32[cases].
        case_items: int32[cases].
        case_times: int64[cases] or None.
        negatives: int32[cases, width], filled up with ``NO_ITEM``; None to draw them.
        validation_rows: int64[validation cases]; None to hold them out by the spec's rule.
        validation_negatives: int32[validation cases, width]; None to draw them.
        n_duplicates: Rows left out when the files were read.
    """

    user_ids: IdTable
    item_ids: IdTable
    users: Int32Array
    items: Int32Array
    ratings: Float32Array | None
    timestamps: Int64Array | None
    case_users: Int32Array
    case_items: Int32Array
    case_times: Int64Array | None = None
    negatives: Int32Array | None = None
    validation_rows: Int64Array | None = None
    validation_negatives: Int32Array | None = None
    n_duplicates: int = 0


def numbered(tables: Sequence[IdTable]) -> tuple[IdTable, list[Int32Array]]:
    """Numbers all ids of several tables anew, by a hash, see ``Interactions.numbered_by_hash``.

    Returns:
        The one table, and for each of the others int32[n], the new number of each of its ids.
    """
    index: dict[str, int] = {}
    codes = [np.array([index.setdefault(text, len(index)) for text in table], dtype=np.int32) for table in tables]
    everybody = IdTable.from_strings(index)
    order = hash_order(everybody)
    return everybody.take(order), [places(order)[code] for code in codes]


def assemble(spec: TaskSpec, rows: PublishedRows) -> Task:
    """Draws what was not published, and verifies the task.

    Raises:
        RecbenchError: A rule without a waiver is broken.
    """
    validation_rows = rows.validation_rows
    if validation_rows is None:
        validation_rows = held_out_rows(PUBLISHED, len(rows.user_ids), rows.users, rows.timestamps)
    held = Cases(rows.users[validation_rows], rows.items[validation_rows], np.empty((0, 0), dtype=np.int32))
    seen = TrainSet.from_rows(
        len(rows.user_ids),
        len(rows.item_ids),
        np.concatenate([rows.users, rows.case_users]),
        np.concatenate([rows.items, rows.case_items]),
    )

    def drawn(purpose: Purpose, users: Int32Array) -> Int32Array:
        return draw_negatives(
            spec.negatives, purpose, users, seen.indptr, seen.indices, len(rows.item_ids), rows.user_ids
        )

    negatives, validation_negatives = rows.negatives, rows.validation_negatives
    if negatives is None:
        negatives = drawn(Purpose.TEST_NEGATIVES, rows.case_users)
    if validation_negatives is None:
        validation_negatives = drawn(Purpose.VALIDATION_NEGATIVES, held.users)
    task = Task(
        spec,
        rows.user_ids,
        rows.item_ids,
        rows.users,
        rows.items,
        rows.ratings,
        rows.timestamps,
        Cases(rows.case_users, rows.case_items, negatives),
        validation_rows,
        Cases(held.users, held.items, validation_negatives),
        rows.n_duplicates,
        rows.case_times,
    )
    verify_and_remember(task)
    cold = np.setdiff1d(rows.case_users, rows.users)
    if len(cold):
        log.warning("%s users with a case have no train row: no model can know them.", f"{len(cold):,}")
    return task


def without_positives(
    lists: npt.NDArray[np.integer], positives: Int32Array, waivers: frozenset[Waiver], where: str
) -> Int32Array:
    """Closes the gap that a list's own positive leaves, and fills up at the end.

    Args:
        lists: integer[cases, width].
        positives: int32[cases].
        waivers: Rules that the lists may break.
        where: Names the file, for the message.

    Raises:
        RecbenchError: A list holds its own positive, and there is no waiver.
    """
    own = lists == positives[:, None]
    broken = int(own.any(axis=1).sum())
    if broken and Waiver.POSITIVE_AMONG_NEGATIVES not in waivers:
        raise RecbenchError(
            f"{broken} of the {len(lists)} lists in {where} hold their own positive among the negatives.",
            f"To drop that entry from them and say so with every result: --waive {Waiver.POSITIVE_AMONG_NEGATIVES}",
        )
    order = np.argsort(own, axis=1, kind="stable")
    kept = np.where(np.take_along_axis(own, order, axis=1), NO_ITEM, np.take_along_axis(lists, order, axis=1))
    return kept.astype(np.int32)
