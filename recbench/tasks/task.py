"""The frozen task: train rows, cases, candidates, and the digest of all their bytes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.escaping.html import html_text
from recbench.protocol import Float32Array, Int32Array, Int64Array, OriginalIds, TrainSet
from recbench.tasks.array_file import copied_when_written
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.kept import Counts, Kept
from recbench.tasks.spec import TaskSpec, Uniformity

if TYPE_CHECKING:
    import pandas as pd

DIGEST_FORM = "recbench-task-1"
NO_ITEM = -1


@dataclass(frozen=True, eq=False)
class Cases:
    """Held-out (user, item) pairs, each with its negatives.

    Attributes:
        users: int32[cases].
        items: int32[cases], the held-out positives.
        negatives: int32[cases, width]; a case with fewer negatives is filled up with ``NO_ITEM`` at its end.
    """

    users: Int32Array
    items: Int32Array
    negatives: Int32Array

    def __len__(self) -> int:
        return len(self.users)

    def part(self, start: int, stop: int) -> "Cases":
        """Returns the cases ``start`` to ``stop - 1``, as views."""
        rows = slice(start, stop)
        return Cases(self.users[rows], self.items[rows], self.negatives[rows])

    @cached_property
    def n_negatives(self) -> Int64Array:
        """int64[cases], negatives of each case."""
        return np.asarray((self.negatives != NO_ITEM).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Task:
    """A frozen benchmark.

    Attributes:
        spec: The source of the rows, and the rules.
        user_ids: The original id of each user index.
        item_ids: The original id of each item index.
        rows: The train rows: in the order of the file, or by time, see ``recbench.tasks.build.depends_on_lines``.
        test: The cases that are reported.
        validation_rows: int64[validation cases or more], the train rows that validation holds out: those of its cases
            in their order, then rows that are no cases, as of items that are new then.
        validation: The cases for tuning; none of them is a test case.
        n_duplicates: Rows left out when the file was read.
        test_times: int64[test cases] or None; for reports on the split. No model receives them and no metric depends
            on them, so the digest does not cover them.
        read: Counts of the data before the filters; None for published splits and in task files of older versions. Not
            in the digest.
    """

    spec: TaskSpec
    user_ids: IdTable
    item_ids: IdTable
    rows: Rows
    test: Cases
    validation_rows: Int64Array
    validation: Cases
    n_duplicates: int = 0
    test_times: Int64Array | None = None
    read: Counts | None = None

    @property
    def name(self) -> str:
        """The task's name."""
        return self.spec.name

    @property
    def users(self) -> Int32Array:
        """int32[train rows], the user of each train row."""
        return self.rows.users

    @property
    def items(self) -> Int32Array:
        """int32[train rows], the item of each train row."""
        return self.rows.items

    @property
    def ratings(self) -> Float32Array | None:
        """float32[train rows], or None."""
        return self.rows.ratings

    @property
    def timestamps(self) -> Int64Array | None:
        """int64[train rows], or None."""
        return self.rows.timestamps

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_ids)

    @property
    def n_train(self) -> int:
        """Number of train rows."""
        return len(self.rows)

    @property
    def n_users_without_case(self) -> int:
        """Users who are in train only."""
        return self.n_users - len(np.unique(self.test.users))

    @property
    def kept(self) -> Kept | None:
        """What the filters and the split keep of the data; None if the counts of the data are not known."""
        if self.read is None:
            return None
        counts = Counts(rows=self.n_train + len(self.test), users=self.n_users, items=self.n_items)
        return Kept(read=self.read, kept=counts)

    @property
    def may_withhold_rows(self) -> bool:
        """Whether users may have interacted with items of which the task has no row, as in a task for tuning.

        Such a task has no validation cases. The digest covers this, so that it covers what ``verify`` depends on.
        """
        return not len(self.validation_rows)

    @cached_property
    def catalogue_sizes(self) -> Int64Array:
        """int64[test cases], the number of items in the full ranking of each case, its positive included.

        These are the items that its user has not interacted with, neither in train nor in test.
        """
        return np.asarray(self.n_items - self.n_seen[self.test.users] + 1, dtype=np.int64)

    @cached_property
    def n_seen(self) -> Int64Array:
        """int64[n_users], the number of items that each user interacted with, in train or in test."""
        every = np.concatenate([self.users, self.test.users])
        return np.asarray(np.bincount(every, minlength=self.n_users), dtype=np.int64)

    @cached_property
    def uniformity(self) -> Uniformity:
        """Whether the negatives of the test cases are uniform, and how recbench knows."""
        from recbench.tasks.uniformity import uniformity_of

        return uniformity_of(self)

    @property
    def uniform_negatives(self) -> bool | None:
        """Whether the negatives of the test cases are uniform; None if it is not known."""
        return {UniformNegatives.YES: True, UniformNegatives.NO: False}.get(self.uniformity.uniform)

    def train_set(self) -> TrainSet:
        """Returns the rows to learn from when test cases are scored."""
        rows = self.rows
        return self._train_set(
            Rows(
                copied_when_written(rows.users),
                copied_when_written(rows.items),
                None if rows.ratings is None else copied_when_written(rows.ratings),
                None if rows.timestamps is None else copied_when_written(rows.timestamps),
            )
        )

    def train_set_for_validation(self) -> TrainSet:
        """Returns the train rows without those that validation holds out."""
        return self._train_set(self.rows_without_validation())

    def rows_without_validation(self) -> Rows:
        """Returns a copy of the train rows that validation does not hold out."""
        keep = np.ones(self.n_train, dtype=np.bool_)
        keep[self.validation_rows] = False
        return self.rows.take(keep)

    def _train_set(self, copy: Rows) -> TrainSet:
        """Takes a copy of the rows, so that a model that writes into its arrays changes only its own."""
        user_ids, item_ids = (OriginalIds(ids.blob, ids.offsets) for ids in (self.user_ids, self.item_ids))
        return TrainSet.from_rows(
            self.n_users,
            self.n_items,
            copy.users,
            copy.items,
            copy.ratings,
            copy.timestamps,
            user_ids=user_ids,
            item_ids=item_ids,
        )

    def train_frame(self) -> "pd.DataFrame":
        """Returns the train rows with original ids; those that validation holds out are among them.

        Returns:
            A DataFrame with one row for each train row, in the order of the data: ``user`` and ``item`` (str, the
            original ids as text), ``rating`` (float32) and ``timestamp`` (int64) where the data has them.
        """
        from recbench.tasks.frames import frame_of_rows

        return frame_of_rows(self.rows, self.user_ids, self.item_ids)

    def cases_frame(self) -> "pd.DataFrame":
        """Returns the test cases with original ids; together with ``train_frame`` it makes the task again.

        Returns:
            A DataFrame with one row for each case, in the order of ``test`` and so of the ranks: ``user``, ``item``
            (str, the held-out item), ``timestamp`` (int64) where the data has times, and ``negatives`` (a list of the
            original ids of the case's negatives). For one negative a row: ``frame.explode("negatives")``.
        """
        from recbench.tasks.frames import frame_of_cases

        rows = Rows(self.test.users, self.test.items, timestamps=self.test_times)
        return frame_of_cases(rows, self.test.negatives, self.user_ids, self.item_ids)

    def __repr__(self) -> str:
        return f"Task {self.name!r}: {', '.join(self._counts())}; {self.digest[:19]}"

    def _repr_html_(self) -> str:
        """Returns what a notebook shows."""
        return (
            f"<b>Task {html_text(self.name)}</b> <code>{html_text(self.digest[:19])}</code><br>"
            f"{html_text(', '.join(self._counts()))}"
        )

    def _counts(self) -> list[str]:
        counts = {"users": self.n_users, "items": self.n_items, "train rows": self.n_train, "cases": len(self.test)}
        texts = [f"{count:,} {noun}" for noun, count in counts.items()]
        texts.append(f"negatives per case: {self.spec.negatives.count:,}")
        if self.n_duplicates:
            texts.append(f"{self.n_duplicates:,} duplicate rows left out")
        return texts

    def arrays(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        """Yields every array with its name, in the order in which the digest takes them."""
        yield "user_ids.blob", self.user_ids.blob
        yield "user_ids.offsets", self.user_ids.offsets
        yield "item_ids.blob", self.item_ids.blob
        yield "item_ids.offsets", self.item_ids.offsets
        yield "users", self.users
        yield "items", self.items
        if self.ratings is not None:
            yield "ratings", self.ratings
        if self.timestamps is not None:
            yield "timestamps", self.timestamps
        yield "test.users", self.test.users
        yield "test.items", self.test.items
        yield "test.negatives", self.test.negatives
        yield "validation_rows", self.validation_rows
        yield "validation.users", self.validation.users
        yield "validation.items", self.validation.items
        yield "validation.negatives", self.validation.negatives

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the hash of the rules and of every array: name, shape, little-endian bytes."""
        digest = hashlib.sha256(f"{DIGEST_FORM}\n{self.spec.rules()}\n".encode())
        for name, array in self.arrays():
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest.update(f"{name} {little.dtype.str} {little.shape}\n".encode())
            digest.update(little.data)
        return f"sha256:{digest.hexdigest()}"

    def summary(self) -> dict[str, Any]:
        """Returns the ``task`` object of the JSON documents."""
        counts = self.test.n_negatives
        return {
            "name": self.name,
            "digest": self.digest,
            "n_users": self.n_users,
            "n_items": self.n_items,
            "n_train": self.n_train,
            "n_cases": len(self.test),
            "n_negatives": int(counts.max()),
            "n_negatives_min": int(counts.min()),
            "negatives": self.spec.negatives.method,
            "split": self.spec.split.method,
            "order": getattr(self.spec.split, "order", None),
            "uniform_negatives": self.uniform_negatives,
            "uniformity": self.uniformity.model_dump(mode="json"),
            "mean_catalogue_size": float(self.catalogue_sizes.mean()),
            "n_validation_cases": len(self.validation),
            "n_users_without_case": self.n_users_without_case,
            "n_duplicates": self.n_duplicates,
            "waivers": [waiver.value for waiver in self.spec.waivers],
        }
