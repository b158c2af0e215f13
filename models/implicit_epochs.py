"""Training a model of the package ``implicit`` epoch by epoch."""

import contextlib
from collections.abc import Callable
from typing import Any

from implicit.recommender_base import ModelFitError
from scipy.sparse import csr_matrix

from .learned import finite_products
from recbench.protocol import TrainContext


def fit_by_epochs(
    model: Any, rows: csr_matrix, context: TrainContext, cause: str, after_epoch: Callable[[], None] | None = None
) -> None:
    """Trains until the model's iterations are over, or the context says that it is enough.

    Args:
        model: One of implicit's that takes a callback.
        rows: float32[n_users, n_items], sparse.
        context: Is told of each epoch.
        cause: What ``models.learned.suspects`` returned, for the error.
        after_epoch: Called after each epoch, before the context is told of it.

    Raises:
        FloatingPointError: The learned vectors are not finite, or their products overflow.
    """

    def callback(*_: object) -> None:
        if after_epoch is not None:
            after_epoch()
        if not context.end_epoch():
            raise _EnoughError

    # implicit looks for NaN after the last epoch only, and its error names no hyper-parameter.
    with contextlib.suppress(_EnoughError, ModelFitError):
        model.fit(rows, show_progress=False, callback=callback)
    finite_products(model.user_factors, model.item_factors, cause)


class _EnoughError(Exception):
    """Ends implicit's training from within its callback."""
