"""The contract between the harness and a model. The author of a model needs to read only this file.

A model is a class. Its constructor takes hyper-parameters as keyword arguments, all with defaults. It has two methods::

    class MostPopular:
        def fit(self, train, context):
            self.counts = np.bincount(train.items, minlength=train.n_items)

        def score(self, users, items):
            return self.counts[items].astype(np.float32)

The class need not inherit from anything here. Its constructor raises ``ValueError`` for a value that it refuses.

With one thread, every model must give the same ranks, bit for bit, each time it is trained with the same seed on the
same machine. A class attribute ``repeatable_on_threads = True`` promises the same for several threads.

A trial is run again when the code of its model has changed. The modules that it imports count, and so do the files that
Python opens; installed packages do not. A class names other files that it depends on, such as those that native code or
another process reads, in a class attribute ``sources = ["weights.bin"]``. These are files, not folders; their paths are
relative to the folder of the class's file, or to the working folder for a class of a notebook.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from recbench.device import Device

PROTOCOL_VERSION = 2
"""Counts up when the measurements or the contract change."""

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.floating[Any]]
Scalar = TypeVar("Scalar", bound=np.generic)
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
    """The train rows: all that a model may learn from. All arrays are read-only.

    A task has one train row at least, so that a model can divide by their number.

    Attributes:
        n_users: Users are the indices 0 .. n_users - 1.
        n_items: Items are the indices 0 .. n_items - 1; some may have no train row.
        users: int32[rows], the user of each row; rows keep the order of the dataset's file.
        items: int32[rows], the item of each row. A (user, item) pair occurs once.
        ratings: float32[rows], or None if the dataset has none.
        timestamps: int64[rows] in the unit of the dataset, or None if it has none.
        indptr: int64[n_users + 1]; ``indices[indptr[u]:indptr[u + 1]]`` are the items of user u.
        indices: int32[rows], item indices, ascending within each user.

    Examples:
        A model with its own features joins them by the original ids:

        >>> users, items = np.array([0, 1], np.int32), np.array([2, 0], np.int32)
        >>> train = TrainSet.from_rows(2, 3, users, items, item_ids=OriginalIds.of(["50", "7", "318"]))
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
        """Builds the compressed rows.

        The train set has read-only views of the arrays; the arrays themselves stay as they are, so do not write to
        them while the train set is in use.

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
        return cls(
            n_users,
            n_items,
            _read_only(users),
            _read_only(items),
            None if ratings is None else _read_only(ratings),
            None if timestamps is None else _read_only(timestamps),
            _read_only(indptr),
            _read_only(indices),
            *ids,
        )


def _read_only(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    view = array.view()
    view.flags.writeable = False
    return view


def _decoded(ids: OriginalIds | None, kind: str) -> TextArray:
    if ids is None:
        raise ValueError(f"these train rows came without original ids; give {kind}_ids to TrainSet.from_rows")
    return ids.decode()


class TrainContext(Protocol):
    """The link between a model and the harness during one training run.

    Call its methods from the thread in which ``fit`` runs. Nothing that a model gets before ``score`` leads to a
    held-out row.

    Attributes:
        seed: The source of everything random in the model.
        threads: The number of threads that the model may use.
        device: The device that the user wants to train on; ``auto`` is a GPU if the machine has one. A CPU-only model
            ignores it. A model that supports GPUs raises ``ValueError`` for ``gpu`` if it finds none.
    """

    @property
    def seed(self) -> int: ...  # noqa: D102

    @property
    def threads(self) -> int: ...  # noqa: D102

    @property
    def device(self) -> Device: ...  # noqa: D102

    def end_epoch(self, loss: float | None = None) -> bool:
        """Ends a pass over the train rows. Call it after each one; the clock is paused meanwhile.

        A framework may compute later than it is called, such as on the queue of a GPU. Wait for it (synchronise) before
        this call and before ``fit`` returns; otherwise the clock misses work, and the throughput is too high. Giving
        the loss waits for what the loss depends on: it becomes a number while the clock runs.

        A model that never calls it counts as one pass. Calls after ``fit``, or from ``score``, do not count and return
        False; the record keeps that the model made them. For a learning curve, the harness calls ``score`` from inside
        this call, and expects the scores of the model as trained so far.

        Args:
            loss: The mean training loss of the pass, if the model has it at no cost.

        Returns:
            False if training should stop now.

        Raises:
            FloatingPointError: The loss is not finite. The trial fails, also if the model catches the error.
        """
        ...

    def report(self, **facts: bool | int | float | str) -> None:
        """Stores facts in the trial's record, such as ``device="gpu"`` or ``skipped_pairs=3``.

        A later value of a fact replaces an earlier one. A value that a record cannot keep, such as NaN, an array or an
        object, is left out with a note; the trial stays done.
        """
        ...


@runtime_checkable
class Recommender(Protocol):
    """A model."""

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Learns from the train rows. The harness measures the time.

        Training is complete when the method returns: a generator or a coroutine function is an error.

        Args:
            train: The rows to learn from. Do not write to its arrays.
            context: Seed, threads, and the call that ends an epoch.
        """
        ...

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Scores candidates; a higher score means a better item for that user.

        Args:
            users: int32[n].
            items: int32[n, c], the candidates of each user, in an order without meaning.

        Returns:
            float[n, c], finite.
        """
        ...


@runtime_checkable
class StatesMemory(Protocol):
    """Optional: how much memory a model needs, if that grows faster than the train rows.

    The harness shows the number before training. If less memory is left, it does not start the model, and
    continues with the other models.
    """

    def memory_bytes(self, train: TrainSet) -> int:
        """Returns the most bytes that training and scoring take beside the train rows.

        The harness calls it once before ``warm_up`` and ``fit``; it must not learn.
        """
        ...


@runtime_checkable
class WarmUp(Protocol):
    """Optional: work before training that its time does not include, such as compiling or starting threads."""

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Prepares training. The harness calls it once before ``fit``, with the same arguments; it must not learn."""
        ...


@runtime_checkable
class ScoreAll(Protocol):
    """Optional: the scores of the full catalogue, for a model that has a faster way than ``score``.

    The scores must equal those of ``score`` up to rounding, at the end of an epoch too. Without this method, the
    harness calls ``score`` for all pairs.
    """

    def score_all(self, users: Int32Array) -> FloatArray:
        """Scores all items for some users.

        The harness passes as many users as give a few million scores. A model that needs much more memory than that
        splits the users itself.

        Args:
            users: int32[n].

        Returns:
            float[n, n_items], finite; column i is item i. The harness does not write to the array.
        """
        ...
