"""The least-squares solutions of one side of a factorisation given the other, many at a time."""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import sposv

from recbench.protocol import TrainSet

CELLS = 8192
"""Rows of one batch, padding included. Their vectors stay in the processor's cache while the steps read them again."""
STEPS = 3
"""Conjugate gradient steps from the vectors of the pass before, as in implicit and irspack."""
TINY = np.float32(1e-30)
"""In the place of a squared length of 0, which only a vector that is already right has."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Users of one batch, all with about as many train rows.

    Attributes:
        users: int64[b].
        items: int32[b, n], the items of their rows; ``n_items`` where a user has fewer rows.
    """

    users: np.ndarray
    items: np.ndarray


class _ThreadMemory(threading.local):
    """Memory of each thread for the vectors of a batch: fresh memory for each batch costs as much as a step.

    Args:
        size: Numbers of the largest batch.
    """

    def __init__(self, size: int) -> None:
        self._numbers = np.empty(size, dtype=np.float32)

    def take(self, vectors: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Returns ``vectors[items]``, until the next call in the same thread."""
        shape = (*items.shape, vectors.shape[1])
        # Clipping changes nothing, and is what lets numpy write without a copy.
        return np.take(vectors, items, axis=0, out=self._numbers[: math.prod(shape)].reshape(shape), mode="clip")


class RidgeBatches:
    """Solves for the vectors of users, given the vectors of items; or the other way round.

    The vector x of a user with the rows S minimises

        sum over S of (1 - <x, h_i>)^2  +  w * sum over all i of <x, h_i>^2  +  strength * |x|^2

    A user's normal equations are never formed: the steps of the conjugate gradient method multiply with the vectors of
    the user's own items (Takacs et al., "Applications of the conjugate gradient method for implicit feedback
    collaborative filtering", RecSys 2011). Each step lowers the sum above. A user with more rows than a batch holds
    gets the exact solution instead, which takes no more memory than a batch.

    The batches depend on the train rows alone, so the result does not depend on the number of threads.

    Args:
        rows: The train rows, with the side to solve for as users.
    """

    def __init__(self, rows: TrainSet) -> None:
        self._rows = rows
        degrees = np.diff(rows.indptr)
        self._large = np.flatnonzero(degrees > CELLS)
        self._batches = list(_batches(rows, degrees))

    def solve(
        self, others: np.ndarray, start: np.ndarray, weight: float, strengths: np.ndarray, threads: int
    ) -> np.ndarray:
        """Returns the vectors, float32[n_users, factors]; 0 for a user without rows.

        Where the solution overflows, or the equations are singular, vectors are not finite.

        Args:
            others: float32[n_items, factors].
            start: float32[n_users, factors], the vectors of the pass before.
            weight: w above.
            strengths: float[n_users], the regularisation of each vector.
            threads: Threads to use. BLAS must be limited to one thread of its own.
        """
        solved = np.zeros_like(start)
        upper = ssyrk(weight, others.T)
        every = np.ascontiguousarray(np.triu(upper) + np.triu(upper, 1).T)
        # One more vector, of zeros: what is padded has it.
        padded = np.vstack([others, np.zeros((1, others.shape[1]), dtype=np.float32)])
        with np.errstate(over="ignore"):
            strengths = strengths.astype(np.float32)
        memory = _ThreadMemory(max((batch.items.size for batch in self._batches), default=0) * others.shape[1])

        def improve(batch: Batch) -> None:
            own = memory.take(padded, batch.items)
            # BLAS may set the flag of an invalid value while it reads numbers beside a matrix, which it then ignores.
            # The caller looks for results that are not finite.
            with np.errstate(over="ignore", invalid="ignore"):
                solved[batch.users] = _improved(own, start[batch.users], every, strengths[batch.users][:, None])

        def solve_exactly(user: int) -> None:
            items = self._rows.indices[self._rows.indptr[user] : self._rows.indptr[user + 1]]
            with np.errstate(over="ignore", invalid="ignore"):
                solved[user] = _exact(others, items, upper, strengths[user])

        with ThreadPoolExecutor(threads) as pool:
            # The largest first, so that no thread is left with them at the end; lists, so that errors are raised.
            list(pool.map(solve_exactly, self._large))
            list(pool.map(improve, reversed(self._batches)))
        return solved


def _batches(rows: TrainSet, degrees: np.ndarray) -> Iterator[Batch]:
    order = np.argsort(degrees, kind="stable")
    order = order[(degrees[order] > 0) & (degrees[order] <= CELLS)]
    sizes = degrees[order]
    first = 0
    while first < len(order):
        # The users are sorted by their number of rows: the batch is as wide as its last one has rows.
        cells = sizes[first:] * np.arange(1, len(order) - first + 1)
        count = max(int(np.searchsorted(cells, CELLS, side="right")), 1)
        users = order[first : first + count]
        places = rows.indptr[users][:, None] + np.arange(sizes[first + count - 1])
        is_row = places < rows.indptr[users + 1][:, None]
        items = np.where(is_row, rows.indices[np.minimum(places, len(rows) - 1)], rows.n_items)
        yield Batch(users, items.astype(np.int32))
        first += count


def _improved(own: np.ndarray, vectors: np.ndarray, every: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Returns better solutions of the normal equations, float32[b, factors].

    Args:
        own: float32[b, n, factors], the vectors of each user's own items; 0 where there is none.
        vectors: float32[b, factors], the solutions so far.
        every: float32[factors, factors], what all items add to the equations of every user.
        strengths: float32[b, 1].
    """
    errors = 1 - np.matmul(own, vectors[:, :, None])
    residuals = _total(own, errors) - vectors @ every - strengths * vectors
    directions, lengths = residuals, _dot(residuals, residuals)
    for step in range(1, STEPS + 1):
        changes = _total(own, np.matmul(own, directions[:, :, None])) + directions @ every + strengths * directions
        rates = lengths / np.maximum(_dot(directions, changes), TINY)
        vectors = vectors + rates * directions
        if step < STEPS:
            residuals = residuals - rates * changes
            before, lengths = lengths, _dot(residuals, residuals)
            directions = residuals + lengths / np.maximum(before, TINY) * directions
    return vectors


def _total(own: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns the sum of the vectors of each user's items, weighted by ``values`` float32[b, n, 1]."""
    return np.matmul(values.transpose(0, 2, 1), own)[:, 0]


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the inner products of rows, float32[b, 1]."""
    return np.einsum("bf,bf->b", one, other)[:, None]


def _exact(others: np.ndarray, items: np.ndarray, upper: np.ndarray, strength: float) -> np.ndarray:
    """Returns the solution of one user's normal equations, float32[factors].

    Args:
        others: float32[n_items, factors].
        items: int32[n], the user's items.
        upper: float32[factors, factors], what all items add; the upper triangle.
        strength: The user's regularisation.
    """
    left, right = upper, np.zeros(others.shape[1], dtype=np.float32)
    for first in range(0, len(items), CELLS):
        own = others[items[first : first + CELLS]]
        left = ssyrk(1.0, own.T, beta=1.0, c=left)
        right += own.sum(axis=0)
    left = left + strength * np.eye(len(left), dtype=np.float32)
    _, solution, failed = sposv(left, right)
    return np.full_like(right, np.nan) if failed else solution
