"""New tasks: from DataFrames, from a ratings file, or from a dataset of the catalogue."""

import dataclasses
import logging
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recbench.arguments import SEVERAL, read_argument
from recbench.data.catalogue import find_dataset
from recbench.data.ids import IdTable
from recbench.data.ordering import pair_keys
from recbench.data.readers.dataframes import open_frame, read_frame
from recbench.data.readers.id_columns import NotAnIdError, id_text
from recbench.data.readers.layout import Layout
from recbench.data.readers.pair_places import place_of_pair
from recbench.data.readers.texts_for_missing import stands_for_no_id
from recbench.data.rows import Rows
from recbench.data.time_column import time_format
from recbench.errors import RecbenchError, unknown_name
from recbench.tasks.build import build
from recbench.tasks.dataset_tasks import check_suits
from recbench.tasks.exchange.candidate_frame import read_candidates
from recbench.tasks.exchange.forms import Order, TooFew, UniformNegatives
from recbench.tasks.exchange.published_negatives import Places
from recbench.tasks.exchange.published_split import PublishedRows, assemble_drawn, in_one_unit, numbered_together
from recbench.tasks.lookup import check_name, keep_as_spec, load_task
from recbench.tasks.named_specs import own_spec
from recbench.tasks.names import task_names
from recbench.tasks.row_order import with_order
from recbench.tasks.rules import Fields, Rules, choose_negatives, choose_rules, rules_of, spec_like
from recbench.tasks.spec import (
    CatalogueData,
    FileData,
    Filters,
    FrameData,
    LastRows,
    Negatives,
    Split,
    TaskSpec,
    Waiver,
)
from recbench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

TRAIN, TEST, RATINGS = "DataFrame 'train'", "DataFrame 'test'", "DataFrame 'ratings'"


def make_task(
    data: "pd.DataFrame | Sequence[pd.DataFrame]",
    *,
    name: str = "dataframe",
    split: str | Fields | Split | None = None,
    negatives: int | Fields | Negatives | None = None,
    filters: Fields | Filters | None = None,
    like: str | Path | TaskSpec | Task | None = None,
    user_column: str | None = None,
    item_column: str | None = None,
    rating_column: str | None = None,
    timestamp_column: str | None = None,
    timestamp_format: str | None = None,
    users: Iterable[object] | None = None,
    items: Iterable[object] | None = None,
    waivers: Collection[str] = (),
    uniform_negatives: str | None = None,
) -> Task:
    """Makes a frozen task from DataFrames.

    The task and its digest are the same as those of ``recbench task build --ratings`` (one DataFrame) or
    ``recbench task import pairs`` (train and test) from CSV files with the same rows. Ids become text: the integer 7
    becomes ``"7"``.

    Args:
        data: One DataFrame with a row for each interaction, which is then split; or ``(train, test)``, or
            ``(train, test, candidates)``. Columns are found by their usual names (``user``, ``movieId``, ...). The
            columns of candidates are user, item and negative, one negative a row; or user, item and negatives, a list
            a row, as ``Task.cases_frame`` returns it.
        name: The task's name in tables and records.
        split: How rows are held out: ``"leave-one-out"`` (default), or the fields of a split, such as
            ``{"method": "leave-last-n", "n": 3}``; other methods are ``leave-last-fraction``, ``random-fraction`` and
            ``global-time``. "Last" means by timestamp if there are timestamps; else a random row if the rows are sorted
            by user or item; else in the order of the rows. ``"order"`` names it: ``"timestamp"``, ``"random"`` (with
            ``"seed"``) or ``"file"``.
        negatives: Negatives a case, drawn uniformly without replacement (default 100); or the fields of the rule, such
            as ``{"method": "popularity", "count": 100, "seed": 0}``.
        filters: The fields of the filters, such as ``{"min_rating": 4, "k_core": 5}``. Default: keep every row.
        like: A task, or its name or spec file, whose split, negatives and filters are the defaults instead.
        user_column: Column of user ids, if its name is not a usual one.
        item_column: Column of item ids.
        rating_column: Column of ratings; an empty text for none.
        timestamp_column: Column of times; an empty text for none.
        timestamp_format: The form of the times: a pattern of strptime such as ``"%d.%m.%Y %H:%M"``, or what they count
            since 1970 (``"seconds"``, ``"milliseconds"``, ``"microseconds"``, ``"nanoseconds"``), or ``"order"`` if
            they only give an order. Default: detected.
        users: For (train, test): all user ids, if some have no row.
        items: For (train, test): all item ids of the catalogue, if some have no row.
        waivers: For published candidates: names of rules that they may break, such as ``positive-among-negatives``.
        uniform_negatives: For published candidates: ``"yes"`` if their negatives were drawn uniformly from the items
            that the user has not interacted with, ``"no"``, or ``"unknown"``. Default: a chi-square test decides.

    Returns:
        The task, verified.

    Raises:
        RecbenchError: A column is missing, an id is missing, the rows do not suffice for the rules, a test row is also
            in train, or candidates belong to no case.

    Examples:
        >>> import pandas as pd
        >>> ratings = pd.DataFrame({"user": [1, 1, 2, 2, 2], "item": [10, 11, 10, 12, 13]})
        >>> task = make_task(ratings, negatives=1)
        >>> task.n_train, len(task.test)
        (3, 2)
        >>> sorted(task.cases_frame()["item"])
        ['11', '13']
    """
    check_name(name, replace=True)
    layout = Layout(
        user_column, item_column, rating_column, timestamp_column, timestamp_format=time_format(timestamp_format)
    )
    if not isinstance(data, tuple | list):
        if users is not None or items is not None or waivers or uniform_negatives is not None:
            raise RecbenchError(
                "The arguments users, items, waivers and uniform_negatives need a split: "
                "make_task((train, test), ...).",
                "Leave them out.",
            )
        rules = choose_rules(split, negatives, filters, like)
        return build(
            TaskSpec(
                name=name,
                description="Ratings of a DataFrame",
                dataset=FrameData(source="dataframe"),
                filters=rules.filters,
                split=rules.split,
                negatives=rules.negatives,
            ),
            read_frame(data, RATINGS, dataclasses.replace(layout, keep_repeated=rules.filters.keeps_repeated)),
        )
    if split is not None or filters is not None or like is not None:
        raise RecbenchError(
            "The arguments split, filters and like cannot be combined with (train, test), which is already split.",
            "Leave them out, or give one DataFrame with all rows.",
        )
    uniform = None if uniform_negatives is None else _uniform(uniform_negatives)
    return _from_split(name, data, layout, negatives, _catalogue(users), _catalogue(items), _waivers(waivers), uniform)


def make_task_of_file(
    name: str,
    data: FileData,
    like: str | None = None,
    too_few: TooFew | None = None,
    order: Order | None = None,
) -> Task:
    """Makes a frozen task from a ratings file.

    Args:
        name: The task's name.
        data: The file and its layout.
        like: Name or spec file of the task whose filters, split and negatives to use. Default: each user's last row is
            held out, with 100 uniform negatives.
        too_few: What to do with users who have too few items for so many negatives; None for what ``like`` says.
        order: Which rows of a user are the last; None for what ``like`` says.

    Raises:
        RecbenchError: The file cannot be read, or does not suffice for the rules.
    """
    rules = choose_rules(like=like).with_too_few(too_few).with_order(order)
    spec = TaskSpec(
        name=name,
        description=f"Ratings of {data.path.name}",
        dataset=data,
        filters=rules.filters,
        split=rules.split,
        negatives=rules.negatives,
    )
    return build(spec)


def make_task_of_dataset(
    name: str,
    dataset: str,
    like: str | None = None,
    too_few: TooFew | None = None,
    order: Order | None = None,
    *,
    replace: bool = False,
    progressbar: bool = False,
) -> Task:
    """Makes a frozen task from a dataset of the catalogue, and stores it under its name.

    The spec is stored and pins the digest, so that the task can always be built again. If the task of that name has
    the same dataset and rules already, it is loaded, unless it is to be replaced.

    Args:
        name: The task's name.
        dataset: A name of ``recbench data list``.
        like: Name or spec file of the task whose filters, split and negatives to use. Default: each user's latest row
            is held out (see ``row_order`` for a dataset without times), with 100 uniform negatives.
        too_few: What to do with users who have too few items for so many negatives; None for what ``like`` says.
        order: Which rows of a user are the last; None for what ``like`` says.
        replace: Replace another task of that name.
        progressbar: Show a progress bar while fetching.

    Raises:
        RecbenchError: The name is taken, there is no such dataset or task, or the rules do not suit the dataset.
    """
    check_name(name, replace=True)
    if dataset == "synthetic":
        raise RecbenchError(
            "The synthetic data is not a dataset of the catalogue: a task's spec says how to generate them.",
            "Start from this spec: recbench task show synthetic --spec > my-task.toml",
        )
    entry = find_dataset(dataset)
    data = CatalogueData(source="catalogue", name=dataset)
    base = None if like is None else spec_like(like)
    rules = Rules() if base is None else rules_of(base, same_data=base.dataset == data)
    rules = rules.with_too_few(too_few).with_order(order)
    own_rules = f"{'latest' if entry.has_timestamps else 'one'} row of each user held out"
    spec = TaskSpec(
        name=name,
        description=f"{entry.title}, {own_rules if base is None else f'rules of {base.name}'}",
        dataset=data,
        filters=rules.filters,
        split=rules.split,
        negatives=rules.negatives,
    )
    known = None if replace else own_spec(name)
    if known is not None and (known.dataset, known.rules()) == (data, _with_order_of(known, spec).rules()):
        return load_task(name, progressbar=progressbar)
    check_name(name, replace=replace)
    check_suits(dataset, spec, "the default split" if base is None else base.name, task_names())
    return keep_as_spec(build(spec, progressbar=progressbar), replace=replace)


def _with_order_of(built: TaskSpec, spec: TaskSpec) -> TaskSpec:
    """Returns the spec with the order of one that was built, if its own is open: the same data settle it alike."""
    order = getattr(built.split, "order", None)
    if order is None or not isinstance(spec.split, LastRows) or spec.split.order is not None:
        return spec
    return spec.model_copy(update={"split": with_order(spec.split, order)})


def _from_split(
    name: str,
    frames: "Sequence[pd.DataFrame]",
    layout: Layout,
    negatives: int | Fields | Negatives | None,
    users: list[IdTable],
    items: list[IdTable],
    waivers: frozenset[Waiver],
    uniform: UniformNegatives | None,
) -> Task:
    if len(frames) not in (2, 3):
        raise RecbenchError(
            f"make_task got {len(frames)} DataFrames.", "Give (train, test) or (train, test, candidates)."
        )
    if len(frames) == 3 and negatives is not None:
        raise RecbenchError(
            "The argument negatives cannot be combined with candidates, which already contain the negatives.",
            "Leave one of them out.",
        )
    interactions, unit = in_one_unit([read_frame(frames[0], TRAIN, layout), read_frame(frames[1], TEST, layout)])
    user_ids, item_ids, (train, test) = numbered_together(interactions, users, items)
    _check_apart(train, test, user_ids, item_ids)
    lists, locations = None, None
    if len(frames) == 3:
        candidates = read_candidates(frames[2], layout)
        lists, where = candidates.lists(user_ids, item_ids, test, width=0)
        locations = Places(
            candidates.source, where, lambda user, item: place_of_pair(open_frame(frames[0], TRAIN, layout), user, item)
        )
    rows = PublishedRows(
        user_ids,
        item_ids,
        train,
        test,
        lists,
        n_duplicates=sum(part.n_duplicates for part in interactions),
        readings=tuple(part.reading for part in interactions),
        time_unit=unit,
        locations=locations,
    )
    rule = choose_negatives(100 if negatives is None else negatives)
    return assemble_drawn(name, "pairs", rows, rule, waivers, uniform)


def _check_apart(train: Rows, test: Rows, user_ids: IdTable, item_ids: IdTable) -> None:
    keys = pair_keys(test.users, test.items, len(item_ids))
    shared = np.isin(keys, pair_keys(train.users, train.items, len(item_ids)))
    if shared.any():
        user, item = divmod(int(keys[int(shared.argmax())]), len(item_ids))
        raise RecbenchError(
            f"{int(shared.sum()):,} rows of {TEST} are also in {TRAIN} (first: user {user_ids[user]!r}, item "
            f"{item_ids[item]!r}).",
            "Remove them from one of the two DataFrames.",
        )


def _catalogue(ids: Iterable[object] | None) -> list[IdTable]:
    """Returns the ids of a whole catalogue, as a table or none.

    Raises:
        RecbenchError: They are a single text, or one is missing or no id.
    """
    if ids is None:
        return []
    if hasattr(ids, "columns"):
        # Iterating over a DataFrame yields the names of its columns.
        raise RecbenchError(
            f"The users or items of the catalogue are a {type(ids).__name__}, and a list of ids is expected.",
            'Give one column: items=movies["item"]',
        )
    listed = read_argument("users or items", SEVERAL, ids, 'For example: items=movies["item"]')
    texts = []
    for position, value in enumerate(listed):
        try:
            text = id_text(value)
        except NotAnIdError as error:
            raise RecbenchError(
                f"The id at position {position} of the catalogue is {error}.", "Leave it out, or correct it."
            ) from error
        if text is None or stands_for_no_id(text):
            raise RecbenchError(
                f"The id at position {position} of the catalogue is missing: {value!r}.", "Leave it out, or correct it."
            )
        if "\0" in text:
            raise RecbenchError(
                f"The id at position {position} of the catalogue holds the character NUL: {text!r}.",
                "Leave it out, or correct it.",
            )
        texts.append(text)
    return [IdTable.from_strings(dict.fromkeys(texts))]


def _waivers(names: Collection[str]) -> frozenset[Waiver]:
    known = [waiver.value for waiver in Waiver]
    for name in read_argument("waivers", SEVERAL, names, f'For example: waivers=["{Waiver.COLD_CASES}"]'):
        if name not in known:
            raise unknown_name("waiver", name, known)
    return frozenset(Waiver(name) for name in names)


def _uniform(answer: str) -> UniformNegatives:
    known = [member.value for member in UniformNegatives]
    if answer not in known:
        raise unknown_name("value of uniform_negatives", str(answer), known)
    return UniformNegatives(answer)
