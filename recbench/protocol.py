"""What a model must offer, and what it is given. The one file that a model's author reads.

A model is a class whose constructor takes hyper-parameters as keyword arguments, all with defaults, and that has two
methods::

    class MostPopular:
        def fit(self, train, context):
            self.counts = np.bincount(train.items, minlength=train.n_items)

        def score(self, users, items):
            return self.counts[items].astype(np.float32)

It need not inherit from anything here. A constructor that is given a value it cannot work with raises ``ValueError``.
A class attribute ``repeatable_on_threads = True`` promises the same ranks, bit for bit, from the same seed, machine and
number of threads when there are several; with one thread every model must keep that promise.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from recbench.device import Device

PROTOCOL_VERSION = 2
"""Counts up when what is measured, or what a model is promised, changes."""

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.floating[Any]]
TextArray = npt.NDArray[np.object_]
"""One dimension; its elements are ``str`` or None."""


@dataclass(frozen=True, slots=True, eq=False)
class OriginalIds:
    """The ids of the dataset for some of the dense indices, as bytes: they are decoded when they are asked for.

    Attributes:
        text: uint8[bytes], the ids in UTF-8, one after the other.
        offsets: int64[n + 1]; the id of index i is ``text[offsets[i]:offsets[i + 1]]``, empty where it is left out.
    """

    text: npt.NDArray[np.uint8]
    offsets: Int64Array

    @classmethod
    def of(cls, ids: Iterable[str]) -> Self:
        """Encodes the ids of all indices, in their order."""
        encoded = [one.encode() for one in ids]
        offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    def only(self, indices: Int32Array) -> Self:
        """Returns a copy that holds the ids of the given indices and no others.

        Args:
            indices: int32[rows], in any order; an index may occur several times.
        """
        kept = np.zeros(len(self.offsets) - 1, dtype=np.bool_)
        kept[indices] = True
        lengths = np.diff(self.offsets)
        offsets = np.zeros_like(self.offsets)
        np.cumsum(lengths * kept, out=offsets[1:])
        text = self.text[np.repeat(kept, lengths)]
        for array in (text, offsets):
            array.flags.writeable = False
        return type(self)(text, offsets)

    def decode(self) -> TextArray:
        """Returns object[n]: the id of each index as ``str``, and None where it is left out."""
        whole, bounds = self.text.tobytes(), self.offsets.tolist()
        ids = np.full(len(bounds) - 1, None, dtype=object)
        ids[:] = [whole[start:stop].decode() or None for start, stop in pairwise(bounds)]
        return ids


@dataclass(frozen=True, slots=True, eq=False)
class TrainSet:
    """The rows that a model may learn from, and no others. All arrays are read-only.

    Attributes:
        n_users: Users are the indices 0 .. n_users - 1.
        n_items: Items are the indices 0 .. n_items - 1; some may have no train row.
        users: int32[rows], the user of each row; rows keep the order of the data set's file.
        items: int32[rows], the item of each row. A (user, item) pair occurs once.
        ratings: float32[rows], or None where the data has none.
        timestamps: int64[rows], or None where the data has none.
        indptr: int64[n_users + 1]; ``indices[indptr[u]:indptr[u + 1]]`` are the items of user u.
        indices: int32[rows], item indices, ascending within each user.

    A model that has features of its own joins them by the original ids:

    >>> train = TrainSet.from_rows(
    ...     2, 3, np.array([0, 1], np.int32), np.array([2, 0], np.int32), item_ids=OriginalIds.of(["50", "7", "318"])
    ... )
    >>> year = {"50": 1977, "318": 1993}
    >>> [year.get(item, 0) for item in train.item_ids]
    [1977, 0, 1993]
    >>> train.item_ids.tolist()  # item 1 has no train row
    ['50', None, '318']
    """

    n_users: int
    n_items: int
    users: Int32Array
    items: Int32Array
    ratings: Float32Array | None
    timestamps: Int64Array | None
    indptr: Int64Array
    indices: Int32Array
    encoded_user_ids: OriginalIds | None = field(default=None, repr=False)
    encoded_item_ids: OriginalIds | None = field(default=None, repr=False)

    @property
    def user_ids(self) -> TextArray:
        """The original id of each user: object[n_users] of ``str``; None for a user without a train row.

        The ids are decoded each time, so keep the array rather than ask for it in a loop.

        Raises:
            ValueError: The rows came without ids.
        """
        return _decoded(self.encoded_user_ids, "user")

    @property
    def item_ids(self) -> TextArray:
        """The original id of each item: object[n_items] of ``str``; None for an item without a train row.

        The ids are decoded each time, so keep the array rather than ask for it in a loop.

        Raises:
            ValueError: The rows came without ids.
        """
        return _decoded(self.encoded_item_ids, "item")

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def from_rows(
        cls,
        n_users: int,
        n_items: int,
        users: Int32Array,
        items: Int32Array,
        ratings: Float32Array | None = None,
        timestamps: Int64Array | None = None,
        *,
        user_ids: OriginalIds | None = None,
        item_ids: OriginalIds | None = None,
    ) -> Self:
        """Builds the compressed rows and makes every array read-only.

        Args:
            n_users: Number of users.
            n_items: Number of items.
            users: int32[rows].
            items: int32[rows].
            ratings: float32[rows] or None.
            timestamps: int64[rows] or None.
            user_ids: The original ids of all users; those without a row are left out.
            item_ids: The original ids of all items; those without a row are left out.
        """
        indptr = np.zeros(n_users + 1, dtype=np.int64)
        np.cumsum(np.bincount(users, minlength=n_users), out=indptr[1:])
        keys = users.astype(np.int64)
        keys *= n_items
        keys += items
        keys.sort()
        if n_items:
            keys %= n_items
        indices = keys.astype(np.int32)
        ids = [None if one is None else one.only(rows) for one, rows in ((user_ids, users), (item_ids, items))]
        train = cls(n_users, n_items, users, items, ratings, timestamps, indptr, indices, *ids)
        for array in (users, items, ratings, timestamps, indptr, indices):
            if array is not None:
                array.flags.writeable = False
        return train


def _decoded(ids: OriginalIds | None, kind: str) -> TextArray:
    if ids is None:
        raise ValueError(f"these train rows came without original ids; give {kind}_ids to TrainSet.from_rows")
    return ids.decode()


class TrainContext(Protocol):
    """What the harness tells a model for one training run, and what it wants to be told.

    Its methods are to be called from the thread in which ``fit`` runs. Nothing that a model is given before ``score``
    leads to a held-out row.

    Attributes:
        seed: Everything random in the model must follow from it.
        threads: How many threads the model may use.
        device: What the user wants to train on: ``auto`` is a GPU where there is one. A model that knows only the CPU
            need not look; one that is told ``gpu`` and finds none raises ``ValueError``.
    """

    @property
    def seed(self) -> int: ...  # noqa: D102

    @property
    def threads(self) -> int: ...  # noqa: D102

    @property
    def device(self) -> Device: ...  # noqa: D102

    def end_epoch(self, loss: float | None = None) -> bool:
        """To be called after each pass over the train rows; the clock stands still inside.

        A model that never calls it counts as one pass. Where a learning curve is asked for, the model's ``score`` is
        called from inside and should answer with what has been learned so far.

        Args:
            loss: The pass's mean training loss, where the model has it at no cost.

        Returns:
            False when training should stop now.

        Raises:
            FloatingPointError: The loss is not finite; the model lets it pass, and the trial ends as failed.
        """
        ...

    def report(self, **facts: bool | int | float | str) -> None:
        """Tells what the trial's record should keep besides: ``device="gpu"``, ``skipped_pairs=3``.

        A fact that is told again replaces what was told before.
        """
        ...


@runtime_checkable
class Recommender(Protocol):
    """A model."""

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Learns from the train rows. The harness holds the clock.

        Args:
            train: The rows to learn from; must not be written to.
            context: Seed, threads, and the call that ends an epoch.
        """
        ...

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Scores candidates; a higher score means a better item for that user.

        Args:
            users: int32[n].
            items: int32[n, c], the candidates of each user, in an order that says nothing.

        Returns:
            float[n, c], finite.
        """
        ...


@runtime_checkable
class WarmUp(Protocol):
    """Optional: work that is not learning (compiling, starting threads) and is not timed as such."""

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Is called once, before ``fit``, with the same arguments. Must leave nothing learned."""
        ...


@runtime_checkable
class ScoreAll(Protocol):
    """Optional: the scores of the whole catalogue at once, where a model has a faster way than ``score``.

    It must answer what ``score`` answers, up to rounding, and like it at the end of an epoch too. Where a model has no
    such method, the harness asks ``score`` for all pairs.
    """

    def score_all(self, users: Int32Array) -> FloatArray:
        """Scores all items for some users.

        The harness asks for so many users at once that the answer has a few million scores; a model that needs much
        more memory than its answer goes through it in parts of its own.

        Args:
            users: int32[n].

        Returns:
            float[n, n_items], finite; column i is item i. The harness does not write to it.
        """
        ...
