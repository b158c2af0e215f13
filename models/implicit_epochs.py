"""Training a model of the package ``implicit`` epoch by epoch."""

import contextlib
from collections.abc import Callable
from typing import Any

from scipy.sparse import csr_matrix

from recbench.protocol import TrainContext


def fit_by_epochs(
    model: Any, rows: csr_matrix, context: TrainContext, after_epoch: Callable[[], None] | None = None
) -> None:
    """Trains until the model's iterations are over, or the context says that it is enough.

    Args:
        model: One of implicit's that takes a callback.
        rows: float32[n_users, n_items], sparse.
        context: Is told of each epoch.
        after_epoch: Called after each epoch, before the context is told of it.
    """

    def callback(*_: object) -> None:
        if after_epoch is not None:
            after_epoch()
        if not context.end_epoch():
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        model.fit(rows, show_progress=False, callback=callback)


class _EnoughError(Exception):
    """Ends implicit's training from within its callback."""
