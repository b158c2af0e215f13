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

from dataclasses import dataclass
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
    """

    n_users: int
    n_items: int
    users: Int32Array
    items: Int32Array
    ratings: Float32Array | None
    timestamps: Int64Array | None
    indptr: Int64Array
    indices: Int32Array

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
    ) -> Self:
        """Builds the compressed rows and makes every array read-only.

        Args:
            n_users: Number of users.
            n_items: Number of items.
            users: int32[rows].
            items: int32[rows].
            ratings: float32[rows] or None.
            timestamps: int64[rows] or None.
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
        train = cls(n_users, n_items, users, items, ratings, timestamps, indptr, indices)
        for array in (users, items, ratings, timestamps, indptr, indices):
            if array is not None:
                array.flags.writeable = False
        return train


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
