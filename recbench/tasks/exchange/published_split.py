"""From the rows of a split that somebody published to a task: what all forms of files have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from recbench.data.id_forms import warn_of_same_things
from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions, hash_order, inverse_order
from recbench.data.random_bits import Purpose
from recbench.data.reading import Reading
from recbench.data.rows import Rows
from recbench.data.times import PER_SECOND, Unit
from recbench.errors import RecbenchError
from recbench.protocol import Int32Array, Int64Array, TrainSet
from recbench.tasks.build_report import report_build
from recbench.tasks.candidates import draw_negatives, unseen_counts, users_to_leave_out
from recbench.tasks.cold_cases import cold_cases, refuse_cold
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.exchange.published_negatives import Places, PublishedLists
from recbench.tasks.spec import (
    Negatives,
    PublishedData,
    PublishedForm,
    PublishedNegatives,
    PublishedSplit,
    TaskSpec,
    Uniformity,
    Waiver,
)
from recbench.tasks.splits import held_out_rows
from recbench.tasks.task import NO_ITEM, Cases, Task
from recbench.tasks.uniformity import record_uniformity
from recbench.tasks.verification_cache import verify_and_cache

PUBLISHED = PublishedSplit(method="published")
VALIDATION_SHARE = Decimal("0.1")
"""The share of each user's train rows that validation holds out where users have several cases."""
SEVERAL = 2
"""A split is one of users with several cases if the median user with a case has so many."""


@dataclass(frozen=True, slots=True, eq=False)
class PublishedRows:
    """A split as read; users and items numbered as in a task, see ``numbered_together``.

    Attributes:
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
        train: The train rows.
        test: The rows of the cases.
        negatives: int32[cases, width], filled up with ``NO_ITEM``; None to draw them.
        validation_rows: int64[held-out rows]; None to hold them out by the spec's rule.
        validation_negatives: int32[held-out rows, width]; a row without any is held out and no case. None to draw them.
        n_duplicates: Rows left out when the files were read.
        readings: What was read from each file.
        time_unit: What the times count since 1970; None if there are none.
        locations: Where the files say something; with negatives only.
    """

    user_ids: IdTable
    item_ids: IdTable
    train: Rows
    test: Rows
    negatives: Int32Array | None = None
    validation_rows: Int64Array | None = None
    validation_negatives: Int32Array | None = None
    n_duplicates: int = 0
    readings: tuple[Reading | None, ...] = ()
    time_unit: Unit | None = None
    locations: Places | None = None

    def with_allowed_negatives(self, waivers: frozenset[Waiver]) -> "PublishedRows":
        """Returns the split without the negatives that break a rule; without negatives, the same split.

        Raises:
            RecbenchError: See ``PublishedLists.allowed``.
        """
        if self.negatives is None or self.locations is None:
            return self
        lists = PublishedLists(self.negatives, self.locations, self.train, self.test, self.user_ids, self.item_ids)
        return replace(self, negatives=lists.allowed(waivers))

    def without_users(self, left_out: npt.NDArray[np.bool_]) -> "PublishedRows":
        """Returns the split without the rows of the users marked in ``left_out`` (bool[users]).

        Its candidates, if it has any, are left out.
        """
        numbers = (np.cumsum(~left_out) - 1).astype(np.int32)
        kept = ~left_out[self.train.users]
        train, test = (
            replace(rows, users=numbers[rows.users])
            for rows in (self.train.take(kept), self.test.take(~left_out[self.test.users]))
        )
        validation_rows = self.validation_rows
        if validation_rows is not None:
            validation_rows = (np.cumsum(kept) - 1)[validation_rows[kept[validation_rows]]]
        return replace(
            self,
            user_ids=self.user_ids.take(np.flatnonzero(~left_out)),
            train=train,
            test=test,
            negatives=None,
            validation_rows=validation_rows,
            validation_negatives=None,
        )


def in_one_unit(files: Sequence[Interactions]) -> tuple[list[Interactions], Unit | None]:
    """Converts the times of several parts to the finest of their units.

    Returns:
        The parts, and the unit; None if no part has times.

    Raises:
        RecbenchError: The times of one part only give an order, those of another count from 1970.
    """
    units = {part.unit for part in files if part.unit is not None}
    if len(units) < 2:
        return list(files), next(iter(units), None)
    if Unit.ORDER in units:
        raise RecbenchError(
            f"The times of the files count different things: {', '.join(sorted(units))}.",
            "Give files whose times have one form.",
        )
    finest = max(units, key=PER_SECOND.__getitem__)

    def converted(part: Interactions) -> Interactions:
        if part.unit is None or part.timestamps is None:
            return part
        timestamps = part.timestamps * (PER_SECOND[finest] // PER_SECOND[part.unit])
        return replace(part, rows=replace(part.rows, timestamps=timestamps), time_unit=finest)

    return [converted(part) for part in files], finest


def numbered_together(
    files: Sequence[Interactions], users: Sequence[IdTable] = (), items: Sequence[IdTable] = ()
) -> tuple[IdTable, IdTable, list[Rows]]:
    """Gives the users and items of several parts common numbers, by a hash, see ``Interactions.numbered_by_hash``.

    Args:
        files: The parts, such as train and test.
        users: Further users, who may occur in no part.
        items: Further items.

    Returns:
        The users, the items, and the rows of each part.
    """
    user_ids, user_numbers = _numbered([*(part.user_ids for part in files), *users])
    item_ids, item_numbers = _numbered([*(part.item_ids for part in files), *items])
    numbers = zip(files, user_numbers, item_numbers, strict=False)
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
    uniform: UniformNegatives | None = None,
) -> Task:
    """Makes a task of a split that need not have candidates of its own.

    Args:
        name: The task's name.
        form: The form that the split was published in.
        rows: The split; its negatives, if it has any, may hold the positive.
        rule: How to draw the negatives that are not published.
        waivers: Rules that published candidates may break.
        uniform: Whether the published negatives are uniform, as declared; None to test them.

    Raises:
        RecbenchError: A rule without a waiver is broken, or something is declared of negatives that recbench draws.
    """
    if rows.negatives is None and uniform is not None:
        raise RecbenchError(
            "There are no published negatives to declare as uniform or not: recbench draws the negatives.",
            "Leave the declaration out (--uniform-negatives, in Python uniform_negatives), or give the candidates.",
        )
    negatives: Negatives | PublishedNegatives = rule
    rows = rows.with_allowed_negatives(waivers)
    if rows.negatives is not None:
        negatives = published_rule(rows.negatives, uniform)
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

    Args:
        spec: The task's spec; one that pins a digest is of a task that was built before.
        rows: The split.

    Raises:
        RecbenchError: A rule without a waiver is broken.
    """
    if spec.digest is None:
        for kind, ids in (("user", rows.user_ids), ("item", rows.item_ids)):
            warn_of_same_things(spec.name, kind, ids)
        refuse_cold(cold_cases(rows.train, rows.test, rows.user_ids, rows.item_ids), spec.waivers)
        if rows.validation_rows is None:
            spec = spec.model_copy(update={"split": _split_with_validation(rows.test)})
    n_items = len(rows.item_ids)
    while True:
        validation_rows = rows.validation_rows
        if validation_rows is None:
            split = spec.split if isinstance(spec.split, PublishedSplit) else PUBLISHED
            validation_rows = held_out_rows(split, len(rows.user_ids), rows.train)
        held = rows.train.take(validation_rows)
        seen = TrainSet.from_rows(
            len(rows.user_ids),
            n_items,
            np.concatenate([rows.train.users, rows.test.users]),
            np.concatenate([rows.train.items, rows.test.items]),
        )
        unseen = unseen_counts(spec.negatives.method, seen.indptr, seen.indices, n_items)
        if not isinstance(spec.negatives, Negatives) or rows.negatives is not None:
            break
        case_users = np.concatenate([rows.test.users, held.users])
        left_out = users_to_leave_out(spec.negatives, case_users, unseen, rows.user_ids)
        if not left_out.any():
            break
        rows = rows.without_users(left_out)

    def drawn(purpose: Purpose, users: Int32Array) -> Int32Array:
        return draw_negatives(spec.negatives, purpose, users, seen.indptr, seen.indices, n_items)

    negatives, validation_negatives = rows.negatives, rows.validation_negatives
    if negatives is None:
        negatives = drawn(Purpose.TEST_NEGATIVES, rows.test.users)
    if validation_negatives is None:
        if rows.negatives is not None:
            enough = unseen[held.users] >= spec.negatives.count
            held, validation_rows = held.take(enough), validation_rows[enough]
        validation_negatives = drawn(Purpose.VALIDATION_NEGATIVES, held.users)
    else:
        is_case = (validation_negatives != NO_ITEM).any(axis=1)
        held, validation_negatives = held.take(is_case), validation_negatives[is_case]
        validation_rows = np.concatenate([validation_rows[is_case], validation_rows[~is_case]])
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
    report_build(task, rows.readings, rows.time_unit)
    return record_uniformity(task)


def published_rule(lists: Int32Array, uniform: UniformNegatives | None) -> PublishedNegatives:
    """Returns the rule of published negatives.

    Args:
        lists: int32[cases, width].
        uniform: Whether they are uniform, as declared; None to test them.
    """
    declared = None if uniform is None else Uniformity(uniform=uniform, source="declared")
    return PublishedNegatives(method="published", count=lists.shape[1], uniformity=declared)


def _split_with_validation(test: Rows) -> PublishedSplit:
    """Returns the split, with the rule by which validation holds train rows out as the split holds out test rows.

    Where users have one case each, validation has one row of each user; where they have several, a share of each
    user's rows, so that metrics of users can be selected by.
    """
    cases_of_user = np.unique(test.users, return_counts=True)[1]
    has_several = len(cases_of_user) > 0 and np.median(cases_of_user) >= SEVERAL
    return PublishedSplit(method="published", validation_share=VALIDATION_SHARE) if has_several else PUBLISHED
