"""Scores that another program computed, from a file or a DataFrame, as a model that has nothing to learn."""

import logging
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recbench.data.id_forms import difference, other_forms
from recbench.data.ids import IdTable
from recbench.data.ordering import stable_order
from recbench.data.readers.bad_rows import BadRows, checked_ids
from recbench.data.readers.dataframes import open_frame
from recbench.data.readers.layout import Layout
from recbench.data.readers.numbering import encoded
from recbench.data.readers.open_tables import Batch, OpenTable, shown
from recbench.data.readers.ratings_files import open_file, readable
from recbench.errors import RecbenchError
from recbench.protocol import FloatArray, Int32Array, Int64Array, TrainContext, TrainSet
from recbench.tasks.task import NO_ITEM, Task
from recbench.trials.exact_scores import dense_ranks, large_numbers, told_apart

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

FRAME = "DataFrame 'scores'"

MISSING_BELOW = 1e-6
"""How far a missing score is below the lowest, in units of the largest magnitude: too far for a near tie, which would
be counted as a matter of rounding."""

Float64Array = npt.NDArray[np.float64]


class FileScores:
    """Answers with scores that were computed before.

    Args:
        keys: int64[pairs], ascending, user * n_items + item.
        scores: float64[pairs].
        n_items: Number of items.
        missing: The score of a pair that has none.
    """

    def __init__(self, keys: Int64Array, scores: Float64Array, n_items: int, missing: float) -> None:
        self._keys = keys
        self._scores = scores
        self._n_items = n_items
        self._missing = missing

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Does nothing."""

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Looks the pairs up; see ``recbench.protocol.Recommender``."""
        has_score, at = self.find(users.astype(np.int64)[:, None] * self._n_items + items)
        return np.where(has_score, self._scores[at], self._missing)

    def find(self, keys: Int64Array) -> tuple[npt.NDArray[np.bool_], Int64Array]:
        """Returns which pairs the file has, and where."""
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return self._keys[at] == keys, at


def read_scores(
    source: "Path | pd.DataFrame", task: Task, layout: Layout, *, ranked: bool, missing_last: bool
) -> FileScores:
    """Reads scores of the candidates of a task's test cases; other pairs are ignored.

    Args:
        source: A file or a DataFrame: one (user, item, score) a row, original ids; a higher score means a better item.
        task: The task.
        layout: How the file is laid out; the score is its ``rating``.
        ranked: The rows are lists of items: ordered by a column ``rank``, if there is one, else of each user the best
            first. There is no score to read.
        missing_last: Candidates without a score stand after all others, tied, instead of being an error. Always so
            for lists.

    Raises:
        RecbenchError: The file cannot be read, names nobody of the task, scores a pair twice, or lacks candidates.
    """
    path = source if isinstance(source, Path) else FRAME
    users, items, scores = _read(source, task, layout, ranked)
    known = (users >= 0) & (items >= 0)
    if not known.any():
        raise RecbenchError(
            f"{path} names no user and item of the task {task.name!r}.",
            "Ids are those of the ratings file; see recbench task export.",
        )
    if not known.all():
        log.warning("%s: %s rows name users or items that the task does not have.", path, f"{int((~known).sum()):,}")
    keys = users[known].astype(np.int64) * task.n_items + items[known]
    scores = scores[known]
    order = stable_order(keys)
    keys, scores = keys[order], scores[order]
    repeated = keys[1:] == keys[:-1]
    if (differs := repeated & (scores[1:] != scores[:-1])).any():
        user, item = divmod(int(keys[int(differs.argmax())]), task.n_items)
        raise RecbenchError(
            f"{path} has two {'places' if ranked else 'scores'} for user {task.user_ids[user]!r} and item "
            f"{task.item_ids[item]!r} ({int(differs.sum()):,} such pairs).",
            "Keep one.",
        )
    first = np.concatenate([[True], ~repeated])
    keys, scores = keys[first], scores[first]
    missing = _below(scores)
    if np.isneginf(missing):
        # No double is below the lowest score. Ranks have the same order, and leave room.
        scores = dense_ranks(scores)
        missing = _below(scores)
    file_scores = FileScores(keys, scores, task.n_items, missing)
    _check_complete(path, task, file_scores, refuse=not (ranked or missing_last))
    return file_scores


def _read(
    source: "Path | pd.DataFrame", task: Task, layout: Layout, ranked: bool
) -> tuple[Int32Array, Int32Array, Float64Array]:
    """Returns the task's user and item of each row, -1 for none, and its score."""
    layout = replace(layout, predicted=not ranked, ranked=ranked)
    users, items, scores, large, n_rows = [], [], [], [], 0
    with readable(source) if isinstance(source, Path) else nullcontext():
        if isinstance(source, Path):
            file = open_file(source, layout, BadRows(skip=False))
        else:
            file = open_frame(source, FRAME, layout)
        for batch in file.batches:
            users.append(checked_ids(file, batch, "user", n_rows))
            items.append(checked_ids(file, batch, "item", n_rows))
            if not ranked or "rank" in batch:
                role = "rank" if ranked else "rating"
                scores.append(_scores(file, batch, n_rows, role))
                large.append(large_numbers(batch[role], scores[-1]))
            n_rows += len(batch["user"])
    if not n_rows:
        raise RecbenchError(f"{file.source} has no rows.", "The file may be truncated: copy or download it again.")
    codes = []
    for kind, batches, ids in (("user", users, task.user_ids), ("item", items, task.item_ids)):
        own, texts = encoded(batches)
        index = {text: number for number, text in enumerate(ids)}
        _check_forms(str(file.source), kind, np.bincount(own, minlength=len(texts)), texts, index)
        codes.append(np.array([index.get(text, -1) for text in texts], dtype=np.int32)[own])
    if not scores:
        return codes[0], codes[1], -np.arange(n_rows, dtype=np.float64)
    exact = told_apart(np.concatenate(scores), large)
    return codes[0], codes[1], -exact if ranked else exact


def _check_forms(source: str, kind: str, rows: Int64Array, texts: IdTable, known: Collection[str]) -> None:
    """Warns of ids that the task writes in another form, and refuses them if they are those of most rows.

    Args:
        source: The file, for messages.
        kind: ``user`` or ``item``.
        rows: int64[texts], the number of rows of each id.
        texts: The ids of the file.
        known: The ids of the task.

    Raises:
        RecbenchError: More than half of the rows have such an id.
    """
    number_of = {text: number for number, text in enumerate(texts)}
    forms = dict(other_forms((text for text in number_of if text not in known), known))
    if not forms:
        return
    own, other = next(iter(forms.items()))
    n_rows, total = int(sum(rows[number_of[text]] for text in forms)), int(rows.sum())
    problem = (
        f"{source}: {n_rows:,} of {total:,} rows have {kind} ids that the task writes in another form: {own!r} and "
        f"{other!r} differ only by {difference(other, own)}"
    )
    if 2 * n_rows > total:
        raise RecbenchError(f"{problem}.", "Write the ids as the task does; see recbench task export.")
    log.warning("%s. They are read as other %ss.", problem, kind)


def _scores(file: OpenTable, batch: Batch, start: int, role: str) -> Float64Array:
    """Returns the numbers of a column of scores or ranks; ``start`` is the number of the batch's first row."""
    import pandas as pd
    import pyarrow as pa

    if role not in batch:
        raise RecbenchError(
            f"{file.source} has no column that can be recognised as the score.",
            "Name it: --score-column. For lists of items, of each user the best first: --ranked.",
        )
    column, what = batch[role], "score" if role == "rating" else "rank"
    try:
        # Large whole numbers are rounded here; told_apart() gives them their order back.
        values: Float64Array = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        numbers = pd.to_numeric(pd.Series(column.to_pylist(), dtype=object), errors="coerce")
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    if (bad := ~np.isfinite(values)).any():
        row = int(bad.argmax())
        raise RecbenchError(
            f"{file.source}, {file.where(start + row).text}: the {what} is {shown(column[row].as_py())}, not a finite "
            "number.",
            f"Correct the file: each pair needs a finite {what}.",
        )
    return values


def _below(scores: Float64Array) -> float:
    """Returns a score below all others; minus infinity if there is no such number."""
    lowest, magnitude = scores.min(), np.abs(scores).max()
    with np.errstate(over="ignore"):
        # Where the distance is too small for the precision of the lowest, the next number below is farther.
        return float(min(lowest - MISSING_BELOW * magnitude, np.nextafter(lowest, -np.inf)))


def _check_complete(path: Path | str, task: Task, scores: FileScores, refuse: bool) -> None:
    test, lacking, total, first = task.test, 0, 0, ""
    for start in range(0, len(test), 2**14):
        cases = test.part(start, start + 2**14)
        candidates = np.column_stack(
            [cases.items, np.where(cases.negatives == NO_ITEM, cases.items[:, None], cases.negatives)]
        )
        has_score, _ = scores.find(cases.users.astype(np.int64)[:, None] * task.n_items + candidates)
        total += has_score.size
        lacking += int((~has_score).sum())
        if lacking and not first:
            case, place = (int(index) for index in np.argwhere(~has_score)[0])
            first = (
                f"user {task.user_ids[int(cases.users[case])]!r}, item {task.item_ids[int(candidates[case, place])]!r}"
            )
    if lacking and refuse:
        raise RecbenchError(
            f"{path} lacks {lacking:,} of the {total:,} candidates of {task.name!r}; the first: {first}.",
            "Score all of them ('recbench task export' writes them), or put those without a score last: --missing-last",
        )
    if lacking:
        log.warning("%s of the %s candidates have no score; they stand last, tied.", f"{lacking:,}", f"{total:,}")
