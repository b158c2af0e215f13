"""From the rows of a split that somebody published to a task: what all forms of files have in common."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions, hash_order, inverse_order
from recbench.data.random_bits import Purpose
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array, TrainSet
from recbench.tasks.candidates import draw_negatives
from recbench.tasks.spec import (
    Negatives,
    PublishedData,
    PublishedForm,
    PublishedNegatives,
    PublishedSplit,
    TaskSpec,
    Waiver,
)
from recbench.tasks.splits import held_out_rows
from recbench.tasks.task import NO_ITEM, Cases, Task
from recbench.tasks.verification_cache import verify_and_cache

log = logging.getLogger(__name__)

PUBLISHED = PublishedSplit(method="published")


@dataclass(frozen=True, slots=True, eq=False)
class PublishedRows:
    """A split as read; users and items numbered as in a task, see ``numbered_together``.

    Attributes:
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
        train: The train rows.
        test: The rows of the cases.
        negatives: int32[cases, width], filled up with ``NO_ITEM``; None to draw them.
        validation_rows: int64[validation cases]; None to hold them out by the spec's rule.
        validation_negatives: int32[validation cases, width]; None to draw them.
        n_duplicates: Rows left out when the files were read.
    """

    user_ids: IdTable
    item_ids: IdTable
    train: Rows
    test: Rows
    negatives: Int32Array | None = None
    validation_rows: Int64Array | None = None
    validation_negatives: Int32Array | None = None
    n_duplicates: int = 0


def numbered_together(
    parts: Sequence[Interactions], users: Sequence[IdTable] = (), items: Sequence[IdTable] = ()
) -> tuple[IdTable, IdTable, list[Rows]]:
    """Gives the users and items of several parts common numbers, by a hash, see ``Interactions.numbered_by_hash``.

    Args:
        parts: The parts, such as train and test.
        users: Further users, who may occur in no part.
        items: Further items.

    Returns:
        The users, the items, and the rows of each part.
    """
    user_ids, user_numbers = _numbered([*(part.user_ids for part in parts), *users])
    item_ids, item_numbers = _numbered([*(part.item_ids for part in parts), *items])
    numbers = zip(parts, user_numbers, item_numbers, strict=False)
    return user_ids, item_ids, [part.rows.renumbered(*of_part) for part, *of_part in numbers]


def _numbered(tables: Sequence[IdTable]) -> tuple[IdTable, list[Int32Array]]:
    """Returns one table of all ids, and for each given table int32[n], the new number of each of its ids."""
    index: dict[str, int] = {}
    codes = [np.array([index.setdefault(text, len(index)) for text in table], dtype=np.int32) for table in tables]
    whole = IdTable.from_strings(index)
    order = hash_order(whole)
    return whole.take(order), [inverse_order(order)[code] for code in codes]


def assemble_drawn(
    name: str,
    form: PublishedForm,
    rows: PublishedRows,
    rule: Negatives,
    waivers: frozenset[Waiver],
    candidates_source: str,
) -> Task:
    """Makes a task of a split that need not have candidates of its own.

    Args:
        name: The task's name.
        form: The form that the split was published in.
        rows: The split; its negatives, if it has any, may hold the positive.
        rule: How to draw the negatives that are not published.
        waivers: Rules that published candidates may break.
        candidates_source: Where the candidates come from, for messages.

    Raises:
        RecbenchError: A rule without a waiver is broken.
    """
    negatives: Negatives | PublishedNegatives = rule
    if rows.negatives is not None:
        kept = without_positives(rows.negatives, rows.test.items, waivers, candidates_source)
        rows = replace(rows, negatives=kept)
        negatives = PublishedNegatives(method="published", count=kept.shape[1])
    drawn = rows.negatives is None
    spec = TaskSpec(
        name=name,
        description="Published split, candidates drawn" if drawn else "Published split and candidates",
        dataset=PublishedData(source="published", form=form),
        split=PUBLISHED,
        negatives=negatives,
        waivers=tuple(sorted(waivers)),
    )
    return assemble(spec, rows)


def assemble(spec: TaskSpec, rows: PublishedRows) -> Task:
    """Draws what was not published, and verifies the task.

    Raises:
        RecbenchError: A rule without a waiver is broken.
    """
    validation_rows = rows.validation_rows
    if validation_rows is None:
        validation_rows = held_out_rows(PUBLISHED, len(rows.user_ids), rows.train)
    held = rows.train.take(validation_rows)
    seen = TrainSet.from_rows(
        len(rows.user_ids),
        len(rows.item_ids),
        np.concatenate([rows.train.users, rows.test.users]),
        np.concatenate([rows.train.items, rows.test.items]),
    )

    def drawn(purpose: Purpose, users: Int32Array) -> Int32Array:
        return draw_negatives(
            spec.negatives, purpose, users, seen.indptr, seen.indices, len(rows.item_ids), rows.user_ids
        )

    negatives, validation_negatives = rows.negatives, rows.validation_negatives
    if negatives is None:
        negatives = drawn(Purpose.TEST_NEGATIVES, rows.test.users)
    if validation_negatives is None:
        validation_negatives = drawn(Purpose.VALIDATION_NEGATIVES, held.users)
    task = Task(
        spec,
        rows.user_ids,
        rows.item_ids,
        rows.train,
        Cases(rows.test.users, rows.test.items, negatives),
        validation_rows,
        Cases(held.users, held.items, validation_negatives),
        rows.n_duplicates,
        rows.test.timestamps,
    )
    verify_and_cache(task)
    cold = np.setdiff1d(rows.test.users, rows.train.users)
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
            f"To drop that entry from them and say so with every result: "
            f'--waive {Waiver.POSITIVE_AMONG_NEGATIVES}, in Python waivers=["{Waiver.POSITIVE_AMONG_NEGATIVES}"].',
        )
    order = np.argsort(own, axis=1, kind="stable")
    kept = np.where(np.take_along_axis(own, order, axis=1), NO_ITEM, np.take_along_axis(lists, order, axis=1))
    return kept.astype(np.int32)
