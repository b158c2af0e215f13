"""From a spec to a task."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recbench.data.catalogue import find_dataset
from recbench.data.fetch import fetch
from recbench.data.id_forms import warn_of_same_things
from recbench.data.interactions import Interactions
from recbench.data.published_files import read_rows
from recbench.data.random_bits import Purpose
from recbench.data.readers.ratings_files import read_interactions
from recbench.data.rows import Rows
from recbench.data.synthetic import generate
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array, TrainSet
from recbench.tasks.build_report import report_build
from recbench.tasks.candidates import draw_negatives, unseen_counts, users_to_leave_out
from recbench.tasks.cold_cases import cold_cases, refuse_misspelt
from recbench.tasks.drawn_order import in_neutral_order
from recbench.tasks.exchange.forms import Order
from recbench.tasks.filters import apply_filters, without_users
from recbench.tasks.kept import Counts
from recbench.tasks.row_order import settled
from recbench.tasks.spec import (
    CatalogueData,
    FileData,
    FrameData,
    GlobalTime,
    Negatives,
    PublishedSplit,
    RandomFraction,
    Split,
    SyntheticData,
    TaskSpec,
)
from recbench.tasks.splits import held_out_twice, require_timestamps
from recbench.tasks.task import Cases, Task
from recbench.tasks.time_split import check_rows_around, held_out_from, rows_before_or_known, split_time
from recbench.tasks.verification_cache import verify_and_cache

log = logging.getLogger(__name__)


def build(spec: TaskSpec, interactions: Interactions | None = None, *, progressbar: bool = False) -> Task:
    """Builds and verifies the task, fetching its dataset if needed.

    Args:
        spec: The spec.
        interactions: The rows of the spec's dataset; None to read them.
        progressbar: Show a progress bar while fetching.

    Raises:
        RecbenchError: The data cannot be fetched or read, or does not suffice for the rules.
    """
    if interactions is None:
        interactions = load_interactions(spec, progressbar)
    log.info(
        "Building %s from %s rows of %s users and %s items",
        spec.name, f"{len(interactions):,}", f"{interactions.n_users:,}", f"{interactions.n_items:,}",
    )  # fmt: skip
    for kind, ids in (("user", interactions.user_ids), ("item", interactions.item_ids)):
        warn_of_same_things(spec.name, kind, ids)
    spec = spec.model_copy(update={"split": settled(spec.split, interactions, spec.name)})
    read = Counts(rows=len(interactions), users=interactions.n_users, items=interactions.n_items)
    task = split_and_draw(spec, apply_filters(interactions, spec.filters).numbered_by_hash())
    task = replace(task, read=read)
    cases = Rows(task.test.users, task.test.items)
    refuse_misspelt(cold_cases(task.rows, cases, task.user_ids, task.item_ids))
    verify_and_cache(task)
    report_build(task, [interactions.reading], interactions.unit)
    if task.n_users_without_case:
        log.info("%d users have too few rows to give a case; they stay in train.", task.n_users_without_case)
    return task


def load_interactions(spec: TaskSpec, progressbar: bool = False) -> Interactions:
    """Returns the rows that the spec names, before any filter."""
    data, keep_repeated = spec.dataset, spec.filters.keeps_repeated
    if isinstance(data, CatalogueData):
        paths = fetch(data.name, progressbar=progressbar)
        return read_rows(find_dataset(data.name), paths, keep_repeated=keep_repeated)
    if isinstance(data, FileData):
        return read_interactions(data.path, replace(data.layout(), keep_repeated=keep_repeated))
    if isinstance(data, SyntheticData):
        return generate(data)
    if isinstance(data, FrameData):
        raise RecbenchError(
            f"Task {spec.name!r} was made from a DataFrame; it cannot be built from a spec.",
            "Make it again in Python: make_task(frame, ...).",
        )
    raise RecbenchError(
        f"Task {spec.name!r} was published as files; it cannot be built from a spec.",
        "Import the files: recbench task import --help",
    )


def split_and_draw(spec: TaskSpec, filtered: Interactions) -> Task:
    """Holds out test and validation rows and draws the negatives of both.

    Args:
        spec: The spec.
        filtered: The rows that the filters keep.

    Raises:
        RecbenchError: They do not suffice for the rules.
    """
    split, rule = spec.split, spec.negatives
    if not isinstance(rule, Negatives):
        raise RecbenchError("Published negatives need a published split.", "Set negatives.method.")
    # Settled before anybody is left out: whoever is left out must not move the time of the others.
    time = split_time(split, filtered) if isinstance(split, GlobalTime) else None
    while True:
        if not depends_on_lines(spec, has_times=filtered.timestamps is not None):
            filtered = in_neutral_order(filtered)
        interactions, held = _held_out(split, time, filtered)
        seen = TrainSet.from_rows(interactions.n_users, interactions.n_items, interactions.users, interactions.items)
        unseen = unseen_counts(rule.method, seen.indptr, seen.indices, interactions.n_items)
        case_users = interactions.users[np.concatenate([held.test, held.validation])]
        left_out = users_to_leave_out(rule, case_users, unseen, interactions.user_ids)
        if not left_out.any():
            break
        # Items that only they had are gone with them. Others may now have too few, or too few rows for a k-core.
        if interactions is not filtered:
            left_out = _of_same_ids(filtered, interactions, left_out)
        filtered = without_users(filtered, left_out, spec.filters).numbered_by_hash()
    in_train = np.ones(len(interactions), dtype=np.bool_)
    in_train[held.test] = False

    def cases(purpose: Purpose, rows: Rows) -> Cases:
        negatives = draw_negatives(rule, purpose, rows.users, seen.indptr, seen.indices, interactions.n_items)
        return Cases(rows.users, rows.items, negatives)

    test = interactions.rows.take(held.test)
    validation = interactions.rows.take(held.validation)
    without_validation = np.concatenate([held.validation, held.withheld])
    return Task(
        spec,
        interactions.user_ids,
        interactions.item_ids,
        interactions.rows.take(in_train),
        cases(Purpose.TEST_NEGATIVES, test),
        without_validation - np.searchsorted(np.sort(held.test), without_validation),
        cases(Purpose.VALIDATION_NEGATIVES, validation),
        interactions.n_duplicates,
        test.timestamps,
    )


def depends_on_lines(spec: TaskSpec, *, has_times: bool) -> bool:
    """Whether the order of the lines decides something.

    It does where the spec says so, in rows without times unless the held-out rows are drawn, and in data that are
    fixed: the files of the catalogue, and synthetic rows.
    """
    own, order = isinstance(spec.dataset, FileData | FrameData), getattr(spec.split, "order", None)
    drawn = order is Order.RANDOM or isinstance(spec.split, RandomFraction)
    return not own or order is Order.FILE or not (has_times or drawn)


@dataclass(frozen=True, slots=True, eq=False)
class _HeldOut:
    """Rows that are held out.

    Attributes:
        test: int64[test cases].
        validation: int64[validation cases].
        withheld: int64[rows], held out when validation cases are scored, and no cases themselves.
    """

    test: Int64Array
    validation: Int64Array
    withheld: Int64Array


def _of_same_ids(all_rows: Interactions, some: Interactions, users: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Returns bool[users of ``all_rows``], which of them have the ids of marked users (bool[users of ``some``])."""
    ids = set(some.user_ids.take(np.flatnonzero(users)))
    return np.array([user_id in ids for user_id in all_rows.user_ids], dtype=np.bool_)


def _held_out(
    split: Split | PublishedSplit, time: int | None, interactions: Interactions
) -> tuple[Interactions, _HeldOut]:
    """Returns the interactions, without those that the split leaves out, and the rows that it holds out.

    Args:
        split: The split.
        time: The time of a split at one time; None for other splits.
        interactions: The rows.
    """
    nothing = np.empty(0, dtype=np.int64)
    if not isinstance(split, GlobalTime):
        test, validation = held_out_twice(split, interactions.n_users, interactions.rows)
        return interactions, _HeldOut(test, validation, nothing)
    assert time is not None
    check_rows_around(time, interactions)
    keep = rows_before_or_known(time, interactions)
    if split.unknown == "drop" and not keep.all():
        log.info("%s rows of users or items that are new at %d are left out.", f"{int((~keep).sum()):,}", time)
        interactions = interactions.select(keep).numbered_by_hash()
    test, validation = held_out_from(time, interactions)
    if split.unknown == "keep" or not len(validation):
        return interactions, _HeldOut(test, validation, nothing)
    start = int(require_timestamps(interactions.timestamps)[validation].min())
    known = rows_before_or_known(start, interactions)[validation]
    return interactions, _HeldOut(test, validation[known], validation[~known])
