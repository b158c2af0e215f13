"""Imports a split that was published in the form of the NCF paper's files, with its published candidates.

He et al., "Neural Collaborative Filtering", WWW 2017: ``train.rating`` and ``test.rating`` (user, item, and possibly
rating and timestamp, tab-separated) and ``test.negative`` (``(user,item)`` and that case's negatives, tab-separated).
Ids are whole numbers from 0 up.
"""

import logging
import re
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.interactions import hash_order, inverse_order
from recbench.data.readers.decoding import TextSource, read_head, whole_text
from recbench.data.readers.ratings_files import readable
from recbench.data.reading import Reading
from recbench.data.repeated_pairs import first_of_pairs, repeats_text
from recbench.data.rows import Rows
from recbench.data.times import unit_of
from recbench.errors import RecbenchError
from recbench.path_checks import check_no_folder
from recbench.protocol import Float32Array, Int32Array, Int64Array
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.exchange.published_negatives import Places
from recbench.tasks.exchange.published_split import PUBLISHED, PublishedRows, assemble, published_rule
from recbench.tasks.spec import PublishedData, TaskSpec, Waiver
from recbench.tasks.task import Task

log = logging.getLogger(__name__)

MAX_SPARSITY = 100
"""Highest number allowed, in multiples of the number of rows."""
LONGEST_NUMBER = 100
"""Characters of a field; the text of a number is shorter."""
CASE = re.compile(rb"^\((\d{1,18}),\s*(\d{1,18})\)\t?", re.MULTILINE)


def import_ncf(
    name: str,
    train: Path,
    test: Path,
    negatives: Path,
    waivers: frozenset[Waiver] = frozenset(),
    uniform: UniformNegatives | None = None,
) -> Task:
    """Reads the three files into a verified task.

    Args:
        name: The task's name.
        train: Train rows, plain or gzip.
        test: One held-out row for each case.
        negatives: The candidates, in the order of the cases.
        waivers: Rules that these candidates may break.
        uniform: Whether the negatives are uniform, as declared; None to test them.

    Raises:
        RecbenchError: A file cannot be read, the files do not belong together, or a rule without a waiver is broken.
    """
    (train_rows, ratings), (test_rows, _) = _rows(train), _rows(test)
    pairs, lists = _candidate_lists(negatives)
    if not np.array_equal(pairs, test_rows[:, :2]):
        raise RecbenchError(
            f"{negatives} and {test} do not name the same (user, item) cases in the same order.",
            "Give the two files of one split.",
        )
    n_rows = len(train_rows) + len(test_rows)
    for path, what, numbers in (
        (train, "user", train_rows[:, 0]),
        (test, "user", test_rows[:, 0]),
        (train, "item", train_rows[:, 1]),
        (test, "item", test_rows[:, 1]),
        (negatives, "item", lists),
    ):
        _check_density(path, what, numbers, n_rows)
    # The published numbers follow the rows of the whole data, and give held-out items away: they are ids here.
    user_ids, (users, case_users) = _renumbered(train_rows[:, 0], test_rows[:, 0])
    item_ids, (items, case_items, candidates) = _renumbered(train_rows[:, 1], test_rows[:, 1], lists)
    spec = TaskSpec(
        name=name,
        description="Published split and candidates",
        dataset=PublishedData(source="published", form="ncf"),
        split=PUBLISHED,
        negatives=published_rule(candidates, uniform),
        waivers=tuple(sorted(waivers)),
    )
    timestamps, times = (rows[:, 2].copy() if rows.shape[1] > 2 else None for rows in (train_rows, test_rows))
    train_part = Rows(users, items, ratings, timestamps)
    first = first_of_pairs(train_part, len(item_ids))
    if n_duplicates := int((~first).sum()):
        log.warning("%s: %s", train.name, repeats_text(n_duplicates, has_times=timestamps is not None))
    test_part = Rows(case_users, case_items, timestamps=times)
    unit = None if timestamps is None else unit_of(timestamps)
    readings = (Reading(train.name, len(train_rows)), Reading(test.name, len(test_rows)))
    rows = PublishedRows(
        user_ids, item_ids, train_part.take(first), test_part, candidates,
        n_duplicates=n_duplicates, readings=readings, time_unit=unit, locations=_places(train, negatives, train_rows),
    )  # fmt: skip
    return assemble(spec, rows.with_allowed_negatives(waivers))


def _places(train: Path, negatives: Path, train_rows: Int64Array) -> Places:
    """Returns where entries of the files stand: each case and each train row has a line."""

    def train_row(user: str, item: str) -> str:
        own = (train_rows[:, 0] == int(user)) & (train_rows[:, 1] == int(item))
        return f"{train}, line {int(own.argmax()) + 1}"

    return Places(str(negatives), lambda case, _: f"{negatives}, line {case + 1}", train_row)


def _renumbered(*columns: Int64Array) -> tuple[IdTable, list[Int32Array]]:
    """Numbers the values that occur anew, see ``Interactions.numbered_by_hash``.

    Returns:
        Their ids, and int32 arrays of the new numbers. A number that occurs in no file, such as one between others, is
        nobody and nothing.
    """
    values = np.unique(np.concatenate([column.ravel() for column in columns]))
    ids = IdTable.from_strings(map(str, values.tolist()))
    order = hash_order(ids)
    numbers = inverse_order(order)
    return ids.take(order), [numbers[np.searchsorted(values, column)] for column in columns]


def _check_density(path: Path, what: str, numbers: Int64Array, n_rows: int) -> None:
    """Refuses numbers so large that the file must be damaged, or of another form."""
    highest = int(numbers.max())
    if highest > MAX_SPARSITY * n_rows:
        raise RecbenchError(
            f"{path} has the {what} number {highest}, and the split has {n_rows} rows.",
            "Numbers of an NCF file are dense and count from 0.",
        )


def _rows(path: Path) -> tuple[Int64Array, Float32Array | None]:
    """Reads two to four columns: whole numbers int64[rows, 2 or 3], and apart from them the ratings, if any."""
    fields = _fields(path, _content(path))
    if not 2 <= fields.shape[1] <= 4:
        raise RecbenchError(
            f"{path} has {fields.shape[1]} columns.",
            "Rows of an NCF rating file are user, item, and possibly rating and timestamp, split by tabs.",
        )
    ratings = None
    if fields.shape[1] > 2:
        try:
            with np.errstate(over="ignore"):
                ratings = fields[:, 2].astype(np.float32)
            if not np.isfinite(ratings).all():
                raise ValueError(f"{fields[~np.isfinite(ratings), 2][0].decode()!r} is not finite")
        except ValueError as error:
            raise RecbenchError(
                f"{path} has a rating that is not a finite number ({error}).", "Give the published file."
            ) from error
        fields = np.delete(fields, 2, axis=1)
    return _whole_numbers(path, fields), ratings


def _candidate_lists(path: Path) -> tuple[npt.NDArray[np.int64], Int64Array]:
    content = _content(path)
    cases = CASE.findall(content)
    bare = CASE.sub(b"", content)
    lists = _whole_numbers(path, _fields(path, bare)) if cases and bare.strip() else np.empty((0, 0), dtype=np.int64)
    if not len(cases) or len(cases) != len(lists) or not lists.shape[1]:
        raise RecbenchError(
            f"{path} is not a file of candidates.",
            "Each of its lines is '(user,item)' and that case's negatives, split by tabs.",
        )
    return np.array(cases, dtype=np.int64), lists


def _content(path: Path) -> bytes:
    """Returns the text of a file, packed or not, in UTF-8."""
    check_no_folder(path)
    source = TextSource(path)
    with readable(path):
        read_head(source)
        return whole_text(source)


def _fields(path: Path, content: bytes) -> npt.NDArray[np.bytes_]:
    """Splits lines at tabs; bytes[lines, fields]."""
    lines = content.rstrip(b"\r\n").split(b"\n")
    if not content.strip():
        raise RecbenchError(f"{path} is empty.", "Give the published file.")
    widths = [line.count(b"\t") + 1 for line in lines]
    width = Counter(widths).most_common(1)[0][0]
    for number, (line, n_fields) in enumerate(zip(lines, widths, strict=True), start=1):
        if n_fields != width:
            raise RecbenchError(
                f"{path}, line {number}: {n_fields} fields, most lines have {width}.", "The file may be truncated."
            )
        if len(line) > LONGEST_NUMBER * width:
            raise RecbenchError(f"{path}, line {number} holds more than {width} numbers.", "Give the published file.")
    split = content.split()
    if len(split) != len(lines) * width:
        raise RecbenchError(f"{path} has an empty field, or one with a blank.", "Give the published file.")
    return np.array(split, dtype=np.bytes_).reshape(len(lines), width)


def _whole_numbers(path: Path, fields: npt.NDArray[np.bytes_]) -> Int64Array:
    try:
        values = fields.astype(np.int64)
        if (values < 0).any():
            raise ValueError("a negative number")
    except (ValueError, OverflowError) as error:
        raise RecbenchError(
            f"{path} has a field that is not a whole number from 0 up ({error}).", "Give the published file."
        ) from error
    return values
